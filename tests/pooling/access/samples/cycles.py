"""Cycles: read by everybody, moved by planners."""

from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import text

from pooling.cycles import service
from pooling.demand import cycle_closing
from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.cycles.worlds import body, put

if TYPE_CHECKING:
    from tests.pooling.access.world import World

ANY_VERSION = {"If-Match": "*"}
_days = count()


def plant(world: "World") -> None:
    """A cycle that is over, with the lines there are."""
    with world.written() as opened:
        put(opened.session, "planted", world.now.date() - timedelta(days=10), opened.now, days=60)
        service.open_cycle(opened.session, "planted", now=opened.now)
        cycle_closing.close(opened.session, "planted", now=opened.now)


def _cycle(world: "World", step: str) -> Any:
    """A cycle of which the step can be taken; no other is open."""
    code = f"now{uuid4().hex[:30]}"
    with world.written() as opened:
        session, now = opened.session, opened.now
        session.execute(text("UPDATE cycle SET status = 'closed' WHERE status = 'open' OR code LIKE 'now%'"))
        session.expire_all()
        made = put(session, code, world.now.date(), now, days=3)
        if step != "open":
            service.open_cycle(session, code, now=now)
        if step == "reopen":
            cycle_closing.close(session, code, now=now)
    return made


def _step(step: str) -> Any:
    def ask(world: "World", _: Place) -> Sent:
        record = _cycle(world, step)
        again = {"reason": "made up", "closes_on": record.closes_on.isoformat()} if step == "reopen" else None
        return Sent(f"/v1/cycles/{record.code}/{step}", json=again, headers=ANY_VERSION)

    return ask


def _write(world: "World", _: Place) -> Sent:
    """Days that no other cycle has."""
    day = (date(2030, 1, 1) + timedelta(days=next(_days))).isoformat()
    days = dict.fromkeys(("opens_on", "closes_on", "plan_by", "decide_by"), day)
    return Sent(f"/v1/cycles/c{uuid4().hex[:30]}", json=body(**days))


SAMPLES = (
    Sample("cycles.list", "GET", lambda world, place: Sent("/v1/cycles")),
    Sample("cycles.read", "GET", lambda world, place: Sent("/v1/cycles/planted")),
    Sample("cycles.coverage", "GET", lambda world, place: Sent("/v1/cycles/planted/coverage")),
    Sample("cycles.write", "PUT", _write),
    Sample("cycles.open", "POST", _step("open")),
    Sample("cycles.close", "POST", _step("close")),
    Sample("cycles.reopen", "POST", _step("reopen")),
)
