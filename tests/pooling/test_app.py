"""The application over real HTTP: health, problems, headers and its description."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from litestar import get, post
from litestar.params import FromPath, RawBody
from sqlalchemy import Engine, text

from pooling import problems
from pooling.app import MAX_BODY_BYTES, THREADS
from pooling.database import transaction
from pooling.demand.mapping import BadMapping
from pooling.errors import BadInput, BadSetting, NotFound, PoolingError
from pooling.paging import InvalidCursor
from pooling.problems import CODES, STATUSES, NotReady, UnknownParameter
from tests.pooling.serving import served


@pytest.fixture
def plain_url(sqlite_template: Path, tmp_path: Path) -> str:
    """One kind of database, for what does not depend on it."""
    path = tmp_path / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
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
        problem(client.get("/v1/participants"), 503, "not-ready")


def test_the_root_leads_to_every_resource(plain_url: str) -> None:
    with served(plain_url) as client:
        answer = client.get("/")
        assert answer.status_code == 200
        assert client.get("/v1").json() == answer.json()
        links = answer.json()["links"]
        described = {path for path in client.get("/schema").json()["paths"] if path.startswith("/v1/")}
        assert described <= set(links.values())
        assert {path: client.get(path).status_code for path in links.values()} == dict.fromkeys(links.values(), 200)


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
        problem(client.get("/v1/criteria"), 503, "not-ready")


def test_every_refusal_is_a_problem(plain_url: str) -> None:
    with served(plain_url) as client:
        problem(client.get("/nowhere"), 404, "not-found")
        refused = client.post("/v1/participants", json={})
        problem(refused, 405, "method-not-allowed")
        assert "GET" in refused.headers["allow"]
        problem(client.get("/v1/participants?limt=3"), 400, "unknown-parameter")
        problem(client.get("/health/live?deep=1"), 400, "unknown-parameter")
        body = problem(client.get("/v1/participants?limit=many"), 400, "bad-request")
        assert [fault["pointer"] for fault in body["errors"]] == ["limit"]


def test_a_failure_tells_nothing_but_its_number(
    plain_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("the price of Region X is 12")

    monkeypatch.setattr("pooling.reference.service.categories", broken)
    with served(plain_url) as client:
        answer = client.get("/v1/categories")
        body = problem(answer, 500, "internal")
    assert "price" not in answer.text
    assert any(str(body["request_id"]) in record.getMessage() for record in caplog.records)


def test_answers_carry_an_id_and_are_not_sniffed_or_cached(plain_url: str) -> None:
    with served(plain_url) as client:
        answers = [client.get(path) for path in ("/health/live", "/v1/criteria", "/nowhere", "/schema")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "server" not in answer.headers or "litestar" not in answer.headers["server"].lower()


def test_more_requests_than_threads_are_all_answered(database_url: str) -> None:
    with served(database_url) as client, ThreadPoolExecutor(2 * THREADS) as pool:
        answers = list(pool.map(lambda _: client.get("/health/ready").status_code, range(4 * THREADS)))
    assert answers == [200] * (4 * THREADS)


def test_a_body_beyond_the_limit_is_refused(plain_url: str) -> None:
    @post("/size", sync_to_thread=False)
    def size(body: RawBody) -> int:
        return len(body)

    with served(plain_url, size) as client:
        assert client.post("/size", content=b"x" * MAX_BODY_BYTES).json() == MAX_BODY_BYTES
        problem(client.post("/size", content=b"x" * (MAX_BODY_BYTES + 1)), 413, "too-large")
        chunks = (b"x" * 1000 for _ in range(MAX_BODY_BYTES // 1000 + 1))
        problem(client.post("/size", content=chunks), 413, "too-large")


def test_the_description_is_openapi_31_and_names_every_resource(plain_url: str) -> None:
    with served(plain_url) as client:
        described = client.get("/schema").json()
        assert client.get("/schema/openapi.json").json() == described
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        *("/", "/v1", "/health/live", "/health/ready", "/v1/participants", "/v1/categories", "/v1/criteria")
    }
    for path, methods in described["paths"].items():
        assert set(methods) == {"get"}
        answers = methods["get"]["responses"]
        assert {"200", "400", "500", "503"} <= set(answers), path
        assert set(answers["400"]["content"]) == {"application/problem+json"}


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
