"""Whose confidential figures were read is entered before they leave, one row a request. On both databases."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

import msgspec
import pytest
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import UNSET, UnsetType
from sqlalchemy import Engine, text

from pooling import audit
from pooling.access.projection import OWN, File
from pooling.calls import Asked, Reply, created
from pooling.database import reading
from pooling.handling import Handling
from tests.pooling.api_client import Api, api

VOLUMES = {"SE-M": 739_391, "NO-HN": 517_301}


class Volume(msgspec.Struct, frozen=True):
    """A figure of one participant."""

    participant: str
    quantity: Annotated[int, OWN] | UnsetType = UNSET
    owner: ClassVar[str] = "participant"


class Volumes(msgspec.Struct, frozen=True):
    """Figures of all."""

    items: list[Volume]


ALL = Volumes([Volume(code, quantity) for code, quantity in VOLUMES.items()])


@get("/v1/volumes", operation_id="lines.list", sync_to_thread=True)
def volumes(request: Asked, handling: NamedDependency[Handling]) -> Response[Volumes]:
    """Everybody's."""
    return handling.read(request, lambda _: ALL)


@get("/v1/volumes.csv", operation_id="lines.read", sync_to_thread=True)
def sheet(request: Asked, handling: NamedDependency[Handling]) -> Response[bytes]:
    """Everybody's, as a file."""
    return handling.read(request, lambda _: File(b"x;739391", "text/csv", "volumes.csv", "own", tuple(VOLUMES)))


@post("/v1/sent", operation_id="forecasts.write", sync_to_thread=True)
def send(request: Asked, handling: NamedDependency[Handling]) -> Response[Volumes]:
    """A write that shows everybody's; a repeated request is shown none."""
    return handling.write(request, lambda _: created(ALL, location="/v1/volumes", replay=Volumes([])))


@get("/v1/careless", operation_id="lines.list", sync_to_thread=True)
def careless(request: Asked, handling: NamedDependency[Handling]) -> Response[dict[str, object]]:
    """Wrong on purpose: an object that says nothing of whose figures it holds."""
    return handling.read(request, lambda _: Reply(object()))


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, volumes, sheet, send, careless, with_reference=True) as running:
        yield running


def entries(engine: Engine) -> list[tuple[str, str, str, object]]:
    with reading(engine) as session:
        rows = session.connection().execute(text("SELECT id FROM read_entry ORDER BY id")).scalars().all()
        found = [session.get_one(audit.ReadEntry, number) for number in rows]
        return [(each.principal, each.operation, each.request, each.participants) for each in found]


def test_a_planners_read_is_entered_with_whose_figures_it_showed(app: Api) -> None:
    answer = app.client("planner").get("/v1/volumes")
    assert answer.json()["items"] == [{"participant": code, "quantity": VOLUMES[code]} for code in VOLUMES]
    planner = str(app.account("planner").principal.id)
    assert entries(app.engine) == [(planner, "lines.list", answer.headers["x-request-id"], ["NO-HN", "SE-M"])]


def test_a_coordinator_sees_own_figures_and_no_entry_is_needed(app: Api) -> None:
    answer = app.client("coordinator", participants=["SE-M"]).get("/v1/volumes")
    assert str(VOLUMES["SE-M"]) in answer.text
    assert str(VOLUMES["NO-HN"]) not in answer.text
    assert entries(app.engine) == []


def test_what_was_not_sent_is_not_entered(app: Api) -> None:
    planner = app.client("planner")
    etag = planner.get("/v1/volumes").headers["etag"]
    assert planner.get("/v1/volumes", headers={"If-None-Match": etag}).status_code == 304
    assert len(entries(app.engine)) == 1


def test_a_file_is_a_read_too_and_leaves_whole_or_not_at_all(app: Api) -> None:
    answer = app.client("planner").get("/v1/volumes.csv")
    assert answer.content == b"x;739391"
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="volumes.csv"'
    assert [entry[3] for entry in entries(app.engine)] == [["NO-HN", "SE-M"]]
    assert app.client("coordinator", participants=["SE-M"]).get("/v1/volumes.csv").status_code == 404


def test_a_write_that_shows_figures_is_entered_once_and_not_kept_where_it_says_so(app: Api) -> None:
    planner = app.client("planner")
    key = {"Idempotency-Key": "0123456789abcdef"}
    assert "739391" in planner.post("/v1/sent", headers=key).text
    again = planner.post("/v1/sent", headers=key)
    assert (again.status_code, again.json()) == (201, {"items": []})
    assert len(entries(app.engine)) == 1
    with reading(app.engine) as session:
        kept = session.connection().execute(text("SELECT body FROM stored_response")).scalar_one()
    assert b"739391" not in bytes(kept)


def test_figures_do_not_leave_where_the_entry_cannot_be_made(app: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    planner = app.client("planner")
    monkeypatch.setattr(audit, "read", broken)
    for answer in (planner.get("/v1/volumes"), planner.get("/v1/volumes.csv"), planner.post("/v1/sent")):
        assert answer.status_code == 500
        assert "739391" not in answer.text


def test_a_body_without_a_model_does_not_leave(app: Api) -> None:
    answer = app.client("planner").get("/v1/careless")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
