"""The audit over HTTP: who did what and when, whose figures were read, and whether the chain holds."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar
from urllib.parse import quote

import msgspec
import pytest
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import UNSET, UnsetType
from sqlalchemy import text

from pooling import audit_chain
from pooling.access.matrix import ALL as ANY
from pooling.access.matrix import MATRIX, Row
from pooling.access.projection import OWN
from pooling.calls import Asked
from pooling.database import transaction
from pooling.handling import Handling
from tests.pooling.api_client import Api, api


class Need(msgspec.Struct, frozen=True):
    owner: ClassVar[str] = "participant"
    participant: str
    quantity: Annotated[int, OWN] | UnsetType = UNSET


@get("/v1/needs", operation_id="needs.list", sync_to_thread=True)
def needs(request: Asked, handling: NamedDependency[Handling]) -> Response[list[Need]]:
    return handling.read(request, lambda call: [Need("SE-M", 7), Need("DK-82", 8)])


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setitem(MATRIX, "needs.list", Row(coordinator=ANY, planner=ANY, auditor=ANY))
    with api(database_url, needs, with_reference=True) as opened:
        yield opened


def test_every_write_is_told_with_who_what_and_when(app: Api) -> None:
    keeper, auditor = app.client("administrator"), app.client("auditor")
    made = keeper.post(
        "/v1/principals",
        json={"kind": "person", "name": "Ada", "roles": ["coordinator"], "participants": ["SE-M"]},
    ).json()
    found = auditor.get(f"/v1/audit?resource_type=principal&resource_id={made['id']}").json()["items"]
    assert [entry["operation"] for entry in found] == ["principals.create"]
    assert found[0]["principal"] == str(app.account("administrator").principal.id)
    assert found[0]["participants"] == ["SE-M"]
    assert found[0]["details"] == {"kind": "person", "roles": ["coordinator"]}
    assert "Ada" not in auditor.get("/v1/audit").text


def test_whose_figures_were_read_is_told_one_row_a_request(app: Api) -> None:
    for client in (app.client("planner"), app.client("coordinator", participants=["SE-M"])):
        assert client.get("/v1/needs").status_code == 200
    auditor = app.client("auditor")
    found = auditor.get("/v1/audit/readings").json()["items"]
    assert [(entry["operation"], entry["path"], entry["participants"]) for entry in found] == [
        ("needs.list", "/v1/needs", ["DK-82", "SE-M"])
    ]
    assert found[0]["principal"] == str(app.account("planner").principal.id)
    assert found[0]["sealed"] is None


def test_the_audit_is_asked_by_who_what_whose_and_when(app: Api) -> None:
    planner, auditor = app.client("planner"), app.client("auditor")
    planner.get("/v1/needs")
    first = app.clock.now
    app.clock.now += timedelta(hours=1)
    planner.post("/v1/keys", json={"label": "x"})

    def count(path: str) -> int:
        return len(auditor.get(path).json()["items"])

    when = quote((first + timedelta(minutes=1)).isoformat())
    mine = app.account("planner").principal.id
    assert count("/v1/audit/readings?participant=DK-82") == 1
    assert count("/v1/audit/readings?participant=DK") == 0
    assert count("/v1/audit/readings?participant=%25") == 0
    assert count(f"/v1/audit/readings?since={when}") == 0
    assert count(f"/v1/audit/readings?until={when}&principal={mine}&operation=needs.list") == 1
    assert count(f"/v1/audit?since={when}&principal={mine}&operation=keys.create") == 1
    assert count(f"/v1/audit?until={when}&operation=keys.create&principal={mine}") == 0
    assert auditor.get("/v1/audit?since=2026-01-01T00:00:00").status_code in (400, 422)


def test_the_audit_has_pages_in_the_order_of_what_was_done(app: Api) -> None:
    for label in "abc":
        app.account("coordinator", participants=[{"a": "SE-M", "b": "DK-82", "c": "NO-HV"}[label]])
        app.client("planner").post("/v1/keys", json={"label": label})
    auditor = app.client("auditor")
    whole = [entry["position"] for entry in auditor.get("/v1/audit").json()["items"]]
    seen, path = [], "/v1/audit?limit=1"
    while path:
        answer = auditor.get(path)
        seen += [entry["position"] for entry in answer.json()["items"]]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert seen == whole == sorted(whole)
    assert len(whole) > 2


def test_an_administrator_sees_entries_without_details(app: Api) -> None:
    app.client("planner").post("/v1/keys", json={"label": "x"})
    kept = {client: app.client(client).get("/v1/audit").json()["items"][-1] for client in ("administrator", "auditor")}
    assert "details" not in kept["administrator"]
    assert "details" in kept["auditor"]


def test_verification_finds_a_changed_entry_and_none_in_a_sound_chain(app: Api) -> None:
    planner, auditor = app.client("planner"), app.client("auditor")
    planner.post("/v1/keys", json={"label": "x"})
    planner.get("/v1/needs")
    with transaction(app.engine) as session:
        assert audit_chain.seal(session, now=app.clock.now) == 1
    sound = auditor.get("/v1/audit/verification").json()
    assert (sound["holds"], sound["readings"], sound["faults"]) == (True, 1, [])
    assert sound["entries"] >= 2
    with transaction(app.engine) as session:
        session.connection().execute(text("UPDATE audit_entry SET operation = 'keys.revoke' WHERE position = 1"))
    broken = auditor.get("/v1/audit/verification").json()
    assert (broken["holds"], "entry 1 was changed" in broken["faults"][0]) == (False, True)


def test_verification_finds_a_reading_that_was_taken_away(app: Api) -> None:
    app.client("planner").get("/v1/needs")
    with transaction(app.engine) as session:
        audit_chain.seal(session, now=app.clock.now)
        session.connection().execute(text("DELETE FROM read_entry"))
    assert app.client("auditor").get("/v1/audit/verification").json()["holds"] is False
