"""The application over real HTTP: health, problems, headers and its description."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import get
from litestar.params import FromPath
from sqlalchemy import Engine, text

from pooling import problems
from pooling.access.matrix import MATRIX
from pooling.app import utc_now
from pooling.database import connect, transaction
from pooling.demand.mapping import BadMapping
from pooling.errors import BadInput, BadSetting, NotFound, PoolingError
from pooling.limits import UnknownParameter
from pooling.paging import InvalidCursor
from pooling.problems import CODES, STATUSES, NotReady
from pooling.settings import Settings
from tests.pooling.api_client import api, make_account
from tests.pooling.serving import served

THREADS = Settings().threads
SOMEBODY = {"Authorization": "Bearer npk_of-nobody"}
"""A credential that is looked up: requests without one go no further."""


@pytest.fixture
def plain_url(sqlite_template: Path, tmp_path: Path) -> str:
    """One kind of database, for what does not depend on it."""
    path = tmp_path / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:pooling:problem:{code}"
    assert body["instance"] == answer.request.url.path
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["detail"]
    assert body["title"]
    return body


def test_a_migrated_service_is_live_and_ready(database_url: str) -> None:
    with served(database_url) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        assert client.get("/health/ready").json() == {"status": "ready"}


def test_a_database_at_another_schema_is_not_ready(database_url: str, engine: Engine) -> None:
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with served(database_url) as client:
        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")
        said = problem(answer, 503, "not-ready")
        assert re.search("schema is at 0000, this version needs .* database migrate", str(said["detail"]))
        assert answer.headers["retry-after"] == "5"


def test_an_empty_database_is_not_ready(tmp_path: Path) -> None:
    with served(f"sqlite:///{tmp_path}/empty.db") as client:
        said = problem(client.get("/health/ready"), 503, "not-ready")
        assert "schema is at nothing" in str(said["detail"])
        problem(client.get("/v1/participants", headers=SOMEBODY), 503, "not-ready")


def test_the_root_leads_to_every_resource(plain_url: str) -> None:
    with api(plain_url) as app:
        answer = app.nobody().get("/")
        assert answer.status_code == 200
        assert app.nobody().get("/v1").json() == answer.json()
        links = answer.json()["links"]
        described = app.nobody().get("/schema").json()["paths"]
        plain = {path: item["get"] for path, item in described.items() if "{" not in path and "get" in item}
        lists = {path for path in plain if path.startswith("/v1/")}
        assert lists <= set(links.values())
        assert len(lists) > 5
        assert app.nobody().get(links["description"]).status_code == 200
        assert app.nobody().get(links["ready"]).status_code == 200
        public = {path for path in lists if MATRIX[plain[path]["operationId"]].public}
        needy = {path for path in lists if any(each.get("required") for each in plain[path].get("parameters", ()))}
        assert {app.nobody().get(path).status_code for path in lists - public - needy} == {401}
        assert {app.nobody().get(path).status_code for path in public} == {200}


def test_a_mapping_or_policy_that_was_sent_is_the_senders_to_correct(plain_url: str) -> None:
    @get("/wrong/{kind:str}", sync_to_thread=False)
    def wrong(kind: FromPath[str]) -> None:
        raise (
            BadMapping("sent", [("price.basis", "missing")]) if kind == "mapping" else BadSetting("pool_cost_eur: 'x'")
        )

    with served(plain_url, wrong) as client:
        assert "price.basis: missing" in str(problem(client.get("/wrong/mapping"), 422, "bad-mapping")["detail"])
        assert "pool_cost_eur" in str(problem(client.get("/wrong/policy"), 422, "bad-setting")["detail"])


def test_an_unreachable_database_is_not_ready_and_its_address_is_not_told() -> None:
    with served("postgresql+psycopg://nobody:hush@127.0.0.1:1/none?connect_timeout=2") as client:
        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")
        problem(answer, 503, "not-ready")
        assert not [word for word in ("hush", "nobody", "127.0.0.1:1/") if word in answer.text]
        problem(client.get("/v1/criteria", headers=SOMEBODY), 503, "not-ready")


def test_every_refusal_is_a_problem(plain_url: str) -> None:
    with served(plain_url) as client:
        for path in ("/nowhere", "/v1/nowhere", "/schema/nowhere", "/v1/participants/a/b/c"):
            problem(client.get(path), 404, "not-found")
        refused = client.request("PATCH", "/v1/participants", json={})
        problem(refused, 405, "method-not-allowed")
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
        problem(client.get("/v1/participants?limt=3", headers=SOMEBODY), 400, "unknown-parameter")
        problem(client.get("/health/live?deep=1"), 400, "unknown-parameter")
        body = problem(client.get("/v1/participants?limit=many", headers=SOMEBODY), 400, "bad-request")
        [fault] = body["errors"]
        assert (fault["parameter"], fault["code"]) == ("limit", "wrong-type")
        problem(client.get("/v1/participants"), 401, "not-authenticated")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/participants", "GET, HEAD, OPTIONS"),
        ("/v1/forecasts", "GET, HEAD, OPTIONS, POST"),
        ("/v1/uploads", "GET, HEAD, OPTIONS, POST"),
        ("/v1/cycles/autumn", "GET, HEAD, OPTIONS, PUT"),
        (f"/v1/tenders/{UUID(int=1)}", "GET, HEAD, OPTIONS, PATCH"),
        ("/v1/cycles/autumn/open", "OPTIONS, POST"),
    ],
)
def test_options_names_every_method_of_a_path(plain_url: str, path: str, methods: str) -> None:
    with served(plain_url) as client:
        answer = client.options(path)
        assert (answer.status_code, answer.headers["allow"]) == (204, methods)


DIFFERENT = {"x-request-id", "traceparent", "date", "ratelimit"}
"""Headers that differ from request to request."""


@pytest.mark.parametrize(
    "path", ["/", "/health/live", "/health/ready", "/schema", "/metrics", "/v1/categories", "/v1/effect", "/nowhere"]
)
def test_a_head_is_answered_as_a_get_without_its_body(plain_url: str, path: str) -> None:
    engine = connect(plain_url)
    headers = make_account(engine, "planner", now=utc_now()).headers
    engine.dispose()
    with served(plain_url) as client:
        whole, head = (client.request(method, path, headers=headers) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert whole.content
    one, other = ({name: each.headers[name] for name in set(each.headers) - DIFFERENT} for each in (whole, head))
    assert one.pop("content-length") == other.pop("content-length") or path == "/metrics"
    assert one == other


def test_a_head_is_logged_as_one_of_its_operation(plain_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with api(plain_url) as app:
        planner = app.client("planner")
        etag = planner.get("/v1/categories").headers["etag"]
        with caplog.at_level("INFO", logger="pooling.requests"):
            assert planner.request("HEAD", "/v1/categories", headers={"If-None-Match": etag}).status_code == 304
            refused = planner.request("HEAD", "/v1/cycles/autumn/open")
        assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "OPTIONS, POST", b"")
    assert next(each.getMessage() for each in caplog.records) == "HEAD categories.list 304"


def test_a_failure_tells_nothing_but_its_number(
    plain_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the price of Region X is 12")

    monkeypatch.setattr("pooling.access.policy.permit", broken)
    with api(plain_url) as app:
        answer = app.client("planner").get("/v1/categories")
        body = problem(answer, 500, "internal")
    assert "price" not in answer.text
    assert any(str(body["request_id"]) in record.getMessage() for record in caplog.records)


def test_answers_carry_an_id_and_headers_that_keep_browsers_careful(plain_url: str) -> None:
    with served(plain_url) as client:
        answers = [client.get(path) for path in ("/health/live", "/v1/criteria", "/nowhere", "/schema")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization, Accept"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in answer.headers  # only where TLS is spoken
        assert "server" not in answer.headers or "litestar" not in answer.headers["server"].lower()


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_callers_trace_goes_on_and_a_new_one_begins_without(plain_url: str) -> None:
    with served(plain_url) as client:
        given = client.get("/health/live", headers={"traceparent": TRACE}).headers["traceparent"]
        assert given[:36] == TRACE[:36]
        assert given[36:52] != TRACE[36:52]
        assert given[52:] == TRACE[52:]
        for wrong in ("", "x", TRACE.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01", f"01{TRACE[2:]}", f"{TRACE}-x"):
            made = client.get("/health/live", headers={"traceparent": wrong}).headers["traceparent"]
            assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", made), wrong
            assert TRACE[3:35] not in made


def test_more_requests_than_threads_are_all_answered(database_url: str) -> None:
    with served(database_url) as client, ThreadPoolExecutor(2 * THREADS) as pool:
        answers = list(pool.map(lambda _: client.get("/health/ready").status_code, range(4 * THREADS)))
    assert answers == [200] * (4 * THREADS)


def test_every_refusal_has_a_status_and_every_status_a_title() -> None:
    for refusal, code in (
        (BadInput, "bad-input"),
        (NotFound, "not-found"),
        (BadSetting, "bad-setting"),
        (InvalidCursor, "invalid-cursor"),
        (UnknownParameter, "unknown-parameter"),
        (NotReady, "not-ready"),
    ):
        assert refusal.code == code
        assert STATUSES[refusal] in CODES
    assert issubclass(InvalidCursor, BadInput)
    assert PoolingError in STATUSES
    assert PoolingError in problems.HANDLERS
