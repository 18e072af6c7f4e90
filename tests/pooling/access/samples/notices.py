"""Notices: own where the reader's participant was told, another's where another one was, nobody's: the planners'."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlmodel import col, select

from pooling.notices import service
from pooling.notices.service import Kind
from pooling.notices.tables import Notice
from tests.pooling.access.samples import Place, Sample, Sent

if TYPE_CHECKING:
    from tests.pooling.access.world import World

PLACES: tuple[Place, ...] = ("own", "others", "none")
FACTS = {"cycle": "made-up", "closes_on": date(2027, 3, 31)}


def plant(world: "World") -> None:
    """Nothing: notices have no figures."""


def _told(world: "World", place: Place) -> UUID:
    """A new notice."""
    code, key = world.participant(place), uuid4().hex
    with world.written() as opened:
        service.tell(
            opened.session,
            kind=Kind.CYCLE_OPENS,
            subject=("cycle", "made-up"),
            key=key,
            now=opened.now,
            participants=[] if code is None else [code],
            planners=code is None,
            facts=FACTS,
        )
        return opened.session.exec(select(Notice.id).where(col(Notice.key) == key)).one()


def _one(suffix: str = "") -> Callable[["World", Place], Sent]:
    return lambda world, place: Sent(f"/v1/notices/{_told(world, place)}{suffix}")


SAMPLES = (
    Sample("notices.list", "GET", lambda world, place: Sent("/v1/notices")),
    Sample("notices.read", "GET", _one(), places=PLACES),
    Sample("notices.mark-read", "POST", _one("/read"), places=PLACES),
)
