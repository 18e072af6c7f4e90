"""The same request twice has one effect, whoever else uses the same key. On both databases."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from pooling import idempotency
from pooling.database import connect, reading, transaction
from pooling.idempotency import BadKey, Running, Scope, StillRunning, key_of
from pooling.limits import BodyDigest
from tests.pooling import counters
from tests.pooling.api_client import NOW, Api, api, make_account

KEY = {"Idempotency-Key": "0123456789abcdef"}
PATH = "/v1/counters"


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, counters.CounterController) as running:
        counters.install(running.engine)
        yield running


def count(engine: Engine) -> int:
    with reading(engine) as session:
        return int(session.connection().execute(text("SELECT count(*) FROM counter")).scalar_one())


def test_the_same_request_gets_the_same_answer(app: Api) -> None:
    planner = app.client("planner")
    first = planner.post(PATH, json={"value": 1}, headers=KEY)
    again = planner.post(PATH, json={"value": 1}, headers={"Idempotency-Key": '"0123456789abcdef"'})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert count(app.engine) == 1


def test_another_request_with_the_key_is_refused(app: Api) -> None:
    planner = app.client("planner")
    planner.post(PATH, json={"value": 1}, headers=KEY)
    for body in (b'{"value":2}', b'{"value":1} ', b'{"value": 1}'):  # other bytes are another request
        refused = planner.post(PATH, content=body, headers={**KEY, "Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert count(app.engine) == 1


def test_a_form_sent_again_is_the_same_request_though_its_boundary_is_another(database_url: str) -> None:
    with api(database_url, with_reference=True) as app:
        client = app.client("coordinator", participants=["SE-M"])

        def send(content: bytes) -> httpx.Response:
            return client.post("/v1/uploads", files={"file": ("demand.csv", content, "text/csv")}, headers=KEY)

        first, again, other = send(b"a;b\n1;2\n"), send(b"a;b\n1;2\n"), send(b"a;b\n1;3\n")
        assert first.request.headers["content-type"] != again.request.headers["content-type"]
        assert (first.status_code, first.content) == (202, again.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_boundary_is_left_out_of_the_digest_however_the_body_comes(size: int) -> None:
    def digest(body: bytes, boundary: bytes) -> str:
        made = BodyDigest(boundary)
        for start in range(0, len(body), size):
            made.update(body[start : start + size])
        return made.hexdigest()

    one, other = (b"--%b\r\nab\r\n--%b--" % (name, name) for name in (b"aab", b"xyz"))
    assert digest(one, b"aab") == digest(other, b"xyz")
    assert digest(one, b"aab") != digest(one.replace(b"ab\r", b"ac\r"), b"aab")
    assert digest(one, b"") == hashlib.sha256(one).hexdigest()


@pytest.mark.parametrize(
    "key", [None, "", "short", "x" * 256, "with a blank in it", '"unpaired-quote-123', "ünïcödé-0123456789"]
)
def test_a_missing_or_malformed_key_is_refused(key: str | None) -> None:
    with pytest.raises(BadKey):
        key_of(key, needed=True)


def test_a_key_is_taken_bare_or_quoted() -> None:
    assert key_of("0123456789abcdef", needed=True) == key_of('"0123456789abcdef"', needed=True) == "0123456789abcdef"
    assert key_of(None, needed=False) is None


def test_a_post_without_a_key_changes_nothing(app: Api) -> None:
    planner = app.client("planner")
    refused = planner.sender.post(PATH, json={"value": 1}, headers=planner.headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-idempotency-key")
    assert count(app.engine) == 0


def test_the_keys_of_two_clients_never_meet(app: Api) -> None:
    first = app.client("planner").post(PATH, json={"value": 1}, headers=KEY)
    other = app.client("planner", scopes=[]).post(PATH, json={"value": 2}, headers=KEY)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json() != other.json()
    assert "idempotent-replayed" not in other.headers


def test_a_refused_request_may_be_sent_again_with_its_key(app: Api) -> None:
    planner = app.client("planner")
    path = planner.post(PATH, json={"value": 1}).headers["location"]
    headers = {**KEY, "If-Match": '"9.x"'}
    assert planner.put(path, json={"value": 2}, headers=headers).status_code == 412
    etag = planner.get(path).headers["etag"]
    assert planner.put(path, json={"value": 2}, headers={**KEY, "If-Match": etag}).status_code == 200
    again = planner.put(path, json={"value": 2}, headers={**KEY, "If-Match": etag})  # stale now, and answered as before
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")


def test_a_key_is_kept_for_seven_days(app: Api) -> None:
    planner = app.client("planner")
    planner.post(PATH, json={"value": 1}, headers=KEY)
    app.clock.now += timedelta(days=7) - timedelta(seconds=1)
    assert "idempotent-replayed" in planner.post(PATH, json={"value": 1}, headers=KEY).headers
    with transaction(app.engine) as session:
        assert idempotency.purge(session, now=app.clock()) == 0
    app.clock.now += timedelta(seconds=1)
    assert "idempotent-replayed" not in planner.post(PATH, json={"value": 1}, headers=KEY).headers
    assert count(app.engine) == 2
    app.clock.now += timedelta(days=7)
    with transaction(app.engine) as session:
        assert idempotency.purge(session, now=app.clock()) == 1


def test_a_second_request_is_told_that_the_first_is_running(app: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    planner = app.client("planner")
    began, go_on = Event(), Event()
    real = counters.add

    def slow(session: Session, value: int) -> counters.Counter:
        began.set()
        assert go_on.wait(10)
        return real(session, value)

    monkeypatch.setattr(counters, "add", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(planner.post, PATH, json={"value": 1}, headers=KEY)
        assert began.wait(10)
        second = planner.post(PATH, json={"value": 1}, headers=KEY)
        go_on.set()
        assert first.result().status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "still-running")
    assert int(second.headers["retry-after"]) > 0
    assert "idempotent-replayed" in planner.post(PATH, json={"value": 1}, headers=KEY).headers
    assert count(app.engine) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_another_process_is_told_too(engine: Engine) -> None:
    scope = Scope("client", "offers.write", "0123456789abcdef")
    other = connect(engine.url.render_as_string(hide_password=False))
    with transaction(engine) as session:
        assert idempotency.find(session, scope, fingerprint="f", mark="m", now=NOW) is None
        with transaction(other) as late, pytest.raises(StillRunning):
            idempotency.find(late, scope, fingerprint="f", mark="m", now=NOW)
    with transaction(other) as late:
        assert idempotency.find(late, scope, fingerprint="f", mark="m", now=NOW) is None
    other.dispose()


def test_of_forty_sends_of_ten_keys_ten_have_an_effect(app: Api) -> None:
    planner = app.client("planner")

    def send(number: int) -> int:
        key = f"key-number-{number % 10:06}"
        return planner.post(PATH, json={"value": number % 10}, headers={"Idempotency-Key": key}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(40)))
    assert set(statuses) <= {201, 409}
    assert count(app.engine) == 10


def test_what_may_no_longer_be_seen_is_not_shown_again(app: Api) -> None:
    account = app.account("planner")
    planner = app.client("planner")
    planner.post(PATH, json={"value": 1}, headers=KEY)
    with transaction(app.engine) as session:
        statement = text("UPDATE principal SET roles = 'auditor planner' WHERE roles = 'planner'")
        session.connection().execute(statement)
    refused = planner.post(PATH, json={"value": 1}, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-replayable")
    assert account.principal.roles == {"planner"}


def test_a_key_held_in_this_process_is_let_go_of_after_a_failure() -> None:
    running = Running()

    def fail() -> None:
        with running.hold("a", "b"):
            with pytest.raises(StillRunning), running.hold("a", "b"):
                raise AssertionError
            with running.hold("a", "c"):
                raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with running.hold("a", "b"), running.hold("a", "c"):
        pass


def test_make_account_makes_principals_apart(engine: Engine) -> None:
    assert make_account(engine, "planner").key != make_account(engine, "planner").key
