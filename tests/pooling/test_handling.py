"""One request is one transaction; versions, conditions and errors as promised. On both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from litestar import Response, post
from litestar.di import NamedDependency
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from pooling import audit, feed, handling, idempotency
from pooling.access import projection
from pooling.calls import Asked, Call
from pooling.database import reading
from pooling.errors import BadFields
from pooling.handling import Handling
from pooling.settings import Settings
from tests.pooling import counters
from tests.pooling.api_client import Api, RoleClient, api

LEDGERS = ("counter", "audit_entry", "audit_head", "feed_entry", "feed_head", "stored_response", "read_entry")


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, counters.CounterController, counters.count_later, split, faulty) as running:
        counters.install(running.engine)
        running.account("planner")
        yield running


@pytest.fixture
def planner(app: Api) -> RoleClient:
    return app.client("planner")


def counts(engine: Engine) -> dict[str, Any]:
    """What each table of a write's effect holds."""
    with reading(engine) as session:
        return {name: _rows(session, name) for name in LEDGERS}


def _rows(session: Session, table: str) -> list[Any]:
    return sorted(map(str, session.connection().execute(text(f"SELECT * FROM {table}")).all()))


def test_a_write_leaves_effect_audit_feed_and_answer_together(app: Api, planner: RoleClient) -> None:
    before = counts(app.engine)
    answer = planner.post("/v1/counters", json={"value": 3})
    assert answer.status_code == 201
    after = counts(app.engine)
    grown = {name: len(after[name]) - len(before[name]) for name in LEDGERS}
    assert grown == {
        "counter": 1,
        "audit_entry": 1,
        "audit_head": 0,
        "feed_entry": 1,
        "feed_head": 1 - len(before["feed_head"]),
        "stored_response": 1,
        "read_entry": 0,
    }
    assert answer.headers["location"] == f"/v1/counters/{answer.json()['id']}"
    assert answer.headers["x-request-id"] in str(after["audit_entry"])


class Broken(RuntimeError):
    """Planted."""


def _breaking(real: Callable[..., Any]) -> Callable[..., Any]:
    """The step is done, and then the process fails."""

    def broken(*arguments: Any, **more: Any) -> Any:
        real(*arguments, **more)
        raise Broken

    return broken


STEPS = {
    "effect": (counters, "add"),
    "projection": (projection, "project"),
    "stored answer": (idempotency, "keep"),
    "audit": (audit, "append"),
    "feed": (feed, "_reserve"),
}


def _break(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    if step == "before the commit":
        monkeypatch.setattr(feed, "close", _breaking(feed.close))
    else:
        place, name = STEPS[step]
        monkeypatch.setattr(place, name, _breaking(getattr(place, name)))


@pytest.mark.parametrize("step", ["effect", "projection", "stored answer", "audit", "feed", "before the commit"])
def test_a_failure_after_any_step_leaves_nothing(
    app: Api, planner: RoleClient, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    planner.post("/v1/counters", json={"value": 1})
    before = counts(app.engine)
    with monkeypatch.context() as patch:
        _break(patch, step)
        answer = planner.post("/v1/counters", json={"value": 2})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert counts(app.engine) == before
    assert planner.post("/v1/counters", json={"value": 2}).status_code == 201


@post("/v1/split", operation_id=counters.CREATE, sync_to_thread=True)
def split(request: Asked, handling: NamedDependency[Handling]) -> Response[counters.Counter]:
    """Wrong on purpose: the effect is committed on its own, as no service may do."""

    def work(call: Call) -> counters.Counter:
        made = counters.add(call.session, 5)
        connection = call.session.connection()
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN")
        return made

    return handling.write(request, work)


def test_the_check_finds_a_split_commit(app: Api, planner: RoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counts(app.engine)
    _break(monkeypatch, "audit")
    assert planner.post("/v1/split").status_code == 500
    assert counts(app.engine) != before


def test_every_write_is_entered_even_if_its_service_enters_nothing(app: Api, planner: RoleClient) -> None:
    answer = planner.post("/v1/counts", json={"value": 1})
    assert answer.status_code == 202
    with reading(app.engine) as session:
        statement = text("SELECT operation, principal FROM audit_entry ORDER BY position")
        last = session.connection().execute(statement).all()
    assert last[-1] == ("dialogues.write", str(app.account("planner").principal.id))


def test_a_read_enters_nothing_of_open_figures_and_cannot_write(app: Api, planner: RoleClient) -> None:
    planner.post("/v1/counters", json={"value": 3})
    before = counts(app.engine)
    assert planner.get("/v1/counters").status_code == 200
    assert counts(app.engine) == before


def test_versions_make_etags_and_conditions(planner: RoleClient, app: Api) -> None:
    made = planner.post("/v1/counters", json={"value": 1})
    path, etag = made.headers["location"], made.headers["etag"]
    seen = planner.get(path)
    assert seen.headers["etag"] == etag
    assert planner.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert planner.get(path, headers={"If-None-Match": f'"x", W/{etag}'}).status_code == 304
    assert planner.get(path, headers={"If-None-Match": '"9.x"'}).status_code == 200
    missing = planner.put(path, json={"value": 2})
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-missing")
    changed = planner.put(path, json={"value": 2}, headers={"If-Match": etag})
    assert changed.status_code == 200
    stale = planner.put(path, json={"value": 3}, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert stale.headers["etag"] == changed.headers["etag"] != etag
    weak = planner.put(path, json={"value": 3}, headers={"If-Match": f"W/{changed.headers['etag']}"})
    assert weak.status_code == 412
    assert planner.delete(path, headers={"If-Match": changed.headers["etag"]}).status_code == 204
    assert planner.get(path).status_code == 404
    assert "transfer-encoding" not in planner.get("/v1/counters").headers


def test_an_etag_is_that_of_the_role_and_not_of_the_credential(app: Api, planner: RoleClient) -> None:
    made = planner.post("/v1/counters", json={"value": 1})
    path = made.headers["location"]
    other = app.client("planner", scopes=["feed:read"])  # another principal and key of the same role
    assert other.headers != planner.headers
    assert other.get(path).headers["etag"] == made.headers["etag"]
    auditor = app.client("auditor").get(path)
    assert auditor.headers["etag"] != made.headers["etag"]
    # the version is the same, so another reader's tag is good to change with
    assert planner.put(path, json={"value": 2}, headers={"If-Match": auditor.headers["etag"]}).status_code == 200


def test_a_list_has_an_etag_of_its_content(planner: RoleClient) -> None:
    planner.post("/v1/counters", json={"value": 1})
    etag = planner.get("/v1/counters").headers["etag"]
    again = planner.get("/v1/counters", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    planner.post("/v1/counters", json={"value": 1})
    assert planner.get("/v1/counters", headers={"If-None-Match": etag}).status_code == 200


def test_of_a_hundred_writers_each_success_is_a_version(app: Api, planner: RoleClient) -> None:
    path = planner.post("/v1/counters", json={"value": 0}).headers["location"]
    etag = planner.get(path).headers["etag"]

    def write(number: int) -> int:
        mine = etag if number % 2 else planner.get(path).headers["etag"]
        return planner.put(path, json={"value": number}, headers={"If-Match": mine}).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(write, range(100)))
    successes = statuses.count(200)
    assert set(statuses) <= {200, 412}
    assert successes >= 2
    final = planner.get(path).headers["etag"]
    assert final.startswith(f'"{1 + successes}.')
    with reading(app.engine) as session:
        entries = session.connection().execute(text("SELECT version FROM feed_entry ORDER BY position")).scalars()
        assert list(entries) == [str(number) for number in range(1, successes + 2)]
        assert feed.gaps(session) == []


def test_lists_go_on_by_signed_cursors(planner: RoleClient) -> None:
    for value in range(7):
        planner.post("/v1/counters", json={"value": value})
    seen: list[str] = []
    following: str | None = "/v1/counters?limit=3&least=1"
    while following:
        answer = planner.get(following)
        seen += [item["id"] for item in answer.json()["items"]]
        following = answer.links["next"]["url"] if "next" in answer.links else None
        assert (following is None) == (answer.json()["next_cursor"] is None)
    assert seen == sorted(seen)
    assert len(set(seen)) == 6
    cursor = planner.get("/v1/counters?limit=3&least=1").json()["next_cursor"]
    assert planner.get("/v1/counters", params={"limit": 2, "least": 1, "cursor": cursor}).status_code == 200
    changed = f"{'B' if cursor[0] == 'A' else 'A'}{cursor[1:]}"
    for wrong in ({"least": 2, "cursor": cursor}, {"cursor": cursor}, {"least": 1, "cursor": changed}):
        refused = planner.get("/v1/counters", params=wrong)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor"), wrong


def test_a_cursor_of_another_process_is_good_and_of_another_service_is_not(
    database_url: str, app: Api, planner: RoleClient
) -> None:
    for value in range(2):
        planner.post("/v1/counters", json={"value": value})
    path = planner.get("/v1/counters?limit=1").links["next"]["url"]
    account = app.account("planner")
    with api(database_url, counters.CounterController) as other:
        assert RoleClient(other.client("planner").sender, account.headers).get(path).status_code == 200
    secret = Settings(secret="x" * 32)
    with api(database_url, counters.CounterController, settings=secret) as other:
        assert RoleClient(other.client("planner").sender, account.headers).get(path).status_code == 400


def test_work_that_goes_on_is_accepted(planner: RoleClient) -> None:
    plain = planner.post("/v1/counts", json={"value": 1})
    assert (plain.status_code, plain.headers["location"]) == (202, "/v1/operations/job-1")
    assert int(plain.headers["retry-after"]) > 0
    assert "preference-applied" not in plain.headers
    asked = planner.post("/v1/counts", json={"value": 1}, headers={"Prefer": "wait=5, respond-async"})
    assert asked.headers["preference-applied"] == "respond-async"


@post("/v1/faulty", operation_id=counters.CREATE, sync_to_thread=True)
def faulty(request: Asked, handling: NamedDependency[Handling]) -> Response[counters.Counter]:
    """Refuses two places."""

    def work(_: Call) -> None:
        raise BadFields([("#/lines/3/quantity", "negative", "give 0 or more"), ("#/lines/4", "missing", "give it")])

    return handling.write(request, work)


def test_a_refusal_names_places(planner: RoleClient) -> None:
    answer = planner.post("/v1/faulty")
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "pointer": "#/lines/3/quantity",
        "code": "negative",
        "detail": "give 0 or more",
    }


def test_nobody_and_the_wrong_role_get_nowhere(app: Api, planner: RoleClient) -> None:
    before = counts(app.engine)
    nobody = app.nobody().get("/v1/counters")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not-authenticated")
    assert nobody.headers["www-authenticate"] == "Bearer"
    refused = app.client("auditor").post("/v1/counters", json={"value": 1})
    assert refused.status_code in (403, 404)
    # the refusals have left nothing; a new principal is no effect of theirs
    after = counts(app.engine)
    assert after["counter"] == before["counter"]
    assert after["stored_response"] == before["stored_response"]


def test_a_write_broken_off_by_another_is_done_again(
    planner: RoleClient, app: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    real, tries = counters.add, []

    def add(session: Session, value: int) -> counters.Counter:
        tries.append(value)
        made = real(session, value)
        if len(tries) < 3:
            raise OperationalError("", {}, Deadlock())
        return made

    monkeypatch.setattr(counters, "add", add)
    assert planner.post("/v1/counters", json={"value": 4}).status_code == 201
    assert tries == [4, 4, 4]
    assert len(counts(app.engine)["counter"]) == 1
    tries.clear()
    monkeypatch.setattr(handling, "TRIES", 2)
    assert planner.post("/v1/counters", json={"value": 4}).status_code == 503


def test_a_quota_is_told_and_kept(database_url: str) -> None:
    with api(database_url, counters.CounterController, settings=Settings(requests_per_minute=3)) as app:
        counters.install(app.engine)
        planner = app.client("planner")
        answers = [planner.get("/v1/counters") for _ in range(8)]
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) in (3, 6)  # six where a minute began between
        refused = answers[-1] if answers[-1].status_code == 429 else answers[3]
        body = refused.json()
        assert (refused.status_code, body["code"]) == (429, "quota-exceeded")
        assert body["type"].startswith("https://iana.org/")
        assert body["violated-policies"] == ["default"]
        assert int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"default";q=3;w=60'
        assert answers[0].headers["ratelimit"].startswith('"default";r=2;t=')
        assert app.client("auditor").get("/v1/counters").status_code == 200


def test_the_clock_is_the_tests(app: Api, planner: RoleClient) -> None:
    app.clock.now += timedelta(days=3)
    planner.post("/v1/counters", json={"value": 3})
    with reading(app.engine) as session:
        entry = session.get_one(audit.AuditEntry, session.get_one(audit.AuditHead, 1).position)
        assert entry.at == app.clock.now
