"""What a request may cost: bytes, time, nesting, an address that is known. Over real HTTP where the wire matters."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, RawBody
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from pooling.bodies import refuse_repeated
from pooling.database import connect, reading
from pooling.limits import MAX_BODY_BYTES, MAX_DEPTH, TooDeep, refuse_deep
from pooling.settings import Settings
from tests.pooling import counters
from tests.pooling.api_client import Api, api
from tests.pooling.serving import served


@post("/size", sync_to_thread=False)
def size(body: RawBody) -> int:
    """How much came."""
    return len(body)


@post("/small", sync_to_thread=False, request_max_body_size=10)
def small(body: RawBody) -> int:
    """Takes little."""
    return len(body)


@post("/any", sync_to_thread=False)
def anything(data: JSONBody[dict[str, object]]) -> int:
    """Takes any object."""
    return len(data)


WRITTEN = [(",", ":"), (", ", ": "), (" , ", " : "), ("\n,", "\n:")]


def containers(inside: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Arrays and objects of values."""
    return st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3)


@pytest.fixture
def plain_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def app(plain_url: str) -> Iterator[Api]:
    with api(plain_url, counters.CounterController, anything) as running:
        counters.install(running.engine)
        yield running


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_beyond_the_limit_is_refused(plain_url: str) -> None:
    with served(plain_url, size, small) as client:
        assert client.post("/size", content=b"x" * MAX_BODY_BYTES).json() == MAX_BODY_BYTES
        chunks = (b"x" * 100_000 for _ in range(MAX_BODY_BYTES // 100_000 + 1))
        refused(client.post("/size", content=chunks), 413, "too-large")
        assert client.post("/small", content=b"x" * 10).json() == 10
        refused(client.post("/small", content=b"x" * 11), 413, "too-large")


def _raw(client: httpx.Client, request: bytes, *, wait_s: float = 5.0) -> bytes:
    """What the server answers to bytes on the wire: head and problem, which may come apart."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=wait_s) as wire:
        wire.sendall(request)
        wire.settimeout(wait_s)
        answer = b""
        while not answer.endswith(b"}") and (more := wire.recv(65536)):
            answer += more
        return answer


def test_a_body_announced_too_large_is_refused_before_any_of_it_is_read(plain_url: str) -> None:
    head = f"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n".encode()
    with served(plain_url, size) as client:
        began = time.monotonic()
        answer = _raw(client, head)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"too-large" in answer
        assert time.monotonic() - began < 3


def test_a_body_that_does_not_come_is_not_waited_for(plain_url: str) -> None:
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nxxx"
    with served(plain_url, size, settings=Settings(body_seconds=1)) as client:
        began = time.monotonic()
        answer = _raw(client, head)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"request-timeout" in answer
        assert 0.8 < time.monotonic() - began < 4
        assert client.post("/size", content=b"xxx").json() == 3


def test_others_are_served_while_bodies_dribble_in(plain_url: str) -> None:
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with served(plain_url, size, settings=Settings(threads=2)) as client:
        address = (client.base_url.host, client.base_url.port or 80)
        wires = [socket.create_connection(address, timeout=5) for _ in range(10)]
        for wire in wires:
            wire.sendall(head)
        assert client.get("/health/ready").status_code == 200
        for wire in wires:
            wire.close()


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_json_nested_too_deep_is_refused(app: Api) -> None:
    client = app.client("planner")
    kind = {"Content-Type": "application/json"}
    assert client.post("/any", content=nested(MAX_DEPTH), headers=kind).status_code == 201
    refused(client.post("/any", content=nested(MAX_DEPTH + 1), headers=kind), 400, "too-deep")
    refused(client.post("/any", content=b"[" * 1_000_000, headers=kind), 400, "too-deep")
    refused(client.post(counters.CounterController.path, content=nested(5000), headers=kind), 400, "too-deep")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + b"[" * 100 + b'"}',
        b'{"a": "\\"' + b"{" * 100 + b'\\\\"}',
        b"[" + b"[1]," * 100 + b"[1]]",
    ],
)
def test_brackets_in_text_and_side_by_side_are_not_depth(body: bytes) -> None:
    refuse_deep(body)
    with pytest.raises(TooDeep):
        refuse_deep(b"[" * (MAX_DEPTH - 1) + body + b"[[[")


@pytest.mark.parametrize(
    "query", ["limt=3", "limit=3&limit=4", "least=1&Least=2", "=1", "limit[]=3", "%00=1", "limit=3%00"]
)
def test_an_unknown_or_repeated_query_parameter_is_refused(app: Api, query: str) -> None:
    answer = app.client("planner").get(f"{counters.CounterController.path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] in ("unknown-parameter", "bad-text")


def test_every_route_of_the_service_refuses_what_it_does_not_know(app: Api) -> None:
    paths = [path for path in app.nobody().get("/").json()["links"].values() if path != "/schema"]
    assert len(paths) > 5
    for path in paths:
        refused(app.client("administrator").get(f"{path}?planted=1"), 400, "unknown-parameter")


@pytest.mark.parametrize("value", ["\0", "a\0b", "\\\0"])
def test_the_character_nul_is_refused_everywhere(app: Api, value: str) -> None:
    client = app.client("planner")
    refused(client.post("/any", json={"a": value}), 400, "bad-text")
    refused(client.post("/any", json={value: 1}), 400, "bad-text")
    refused(client.get(f"{counters.CounterController.path}/x%00"), 400, "bad-text")
    assert client.post("/any", json={"a": "\\u0000"}).status_code == 201  # the letters, not the character


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "#/value", "missing"),
        ({"value": "x"}, "#/value", "wrong-type"),
        ({"value": 1.5}, "#/value", "wrong-type"),
        ({"value": -1}, "#/value", "out-of-range"),
        ({"value": 10**30}, "#/value", "out-of-range"),
        ({"value": 1, "valeu": 1}, "#/valeu", "unknown-field"),
        ({"value": 1, "a/b.c": 1}, "#/a~1b.c", "unknown-field"),
        ({"value": 1, "marks": ["a", "toolong"]}, "#/marks/1", "wrong-length"),
        ({"value": 1, "marks": ["a"] * 4}, "#/marks", "wrong-length"),
        ([], "#", "wrong-type"),
    ],
)
def test_a_fault_in_a_body_is_pointed_at(app: Api, body: object, pointer: str, code: str) -> None:
    answer = app.client("planner").post(counters.CounterController.path, json=body)
    refused(answer, 400, "bad-request")
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (b'{"value": 1e400}', [("#/value", "out-of-range")]),
        (b'{"value": 1, "marks": ["a", -1e999]}', [("#/marks/1", "out-of-range")]),
        (b'{"value": 1, "value": 2}', [("#/value", "repeated-field")]),
        (b'{"value" : 1, "value": 2}', [("#/value", "repeated-field")]),
        (b'{"value"\n:1,"v\\u0061lue"\t:2}', [("#/value", "repeated-field")]),
        (b'{"value":1,"a":[{},{"b/c":[],"b/c":{}}]}', [("#/a/1/b~1c", "repeated-field")]),
        (b'{"a":"\\":","b":1,"b":1}', [("#/b", "repeated-field")]),
    ],
)
def test_what_a_decoder_would_pass_over_is_pointed_at(app: Api, body: bytes, faults: list[tuple[str, str]]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = app.client("planner").post(counters.CounterController.path, content=body, headers=headers)
    refused(answer, 400, "bad-request")
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == faults


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1, "b": 2}', b'{"a" : {"a" : 1}}', b'{"a": "\\":\\":", "b": "\\": :"}', b'{"a":[{"a":1},{"a":2}]}', b"{}"],
)
def test_a_key_may_come_again_in_another_object_or_in_text(app: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert app.client("planner").post("/any", content=body, headers=headers).status_code == 201


@given(
    st.recursive(st.none() | st.text(max_size=4) | st.integers(), containers, max_leaves=12), st.sampled_from(WRITTEN)
)
def test_no_key_is_taken_for_repeated_that_is_not(value: object, separators: tuple[str, str]) -> None:
    body = json.dumps(value, separators=separators).encode()
    refuse_repeated(body, json.loads(body))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"value": NaN}', b"\xef\xbb\xbf{}", b'{"value":1}x', b'"\\ud800"']
)
def test_what_is_no_json_is_refused(app: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = app.client("planner").post(counters.CounterController.path, content=body, headers=headers)
    refused(answer, 400, "bad-request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_content_type_is_refused(app: Api, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = app.client("planner").post(counters.CounterController.path, content=b'{"value":1}', headers=headers)
    refused(answer, 415, "unsupported-media-type")
    assert "application/json" in answer.json()["detail"]


def test_a_fault_in_a_parameter_is_named(app: Api) -> None:
    answer = app.client("planner").get(f"{counters.CounterController.path}?limit=501")
    refused(answer, 400, "bad-request")
    assert answer.json()["errors"][0]["parameter"] == "limit"
    assert answer.json()["errors"][0]["code"] == "out-of-range"


LONG = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000000)",
}


def test_the_database_is_not_kept_busy_for_long(database_url: str) -> None:
    engine = connect(database_url, statement_time_s=0.3)
    began = time.monotonic()
    with pytest.raises(OperationalError), reading(engine) as session:
        session.connection().execute(text(LONG[engine.dialect.name]))
    assert time.monotonic() - began < 5
    with reading(engine) as session:  # the connection is good for the next one
        assert session.connection().execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_request_that_keeps_the_database_busy_is_answered(database_url: str) -> None:
    @get("/long", sync_to_thread=True)
    def long(engine: NamedDependency[Engine]) -> int:
        with reading(engine) as session:
            return int(session.connection().execute(text(LONG[engine.dialect.name])).scalar_one())

    with api(database_url, long, settings=Settings(statement_seconds=1)) as app:
        refused(app.nobody().get("/long"), 503, "not-ready")
        assert app.nobody().get("/health/ready").status_code == 200
