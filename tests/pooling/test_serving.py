"""The commands that run the service, as processes."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Timer

import httpx
from click.testing import CliRunner
from sqlalchemy import Engine, text

from pooling.database import connect, reading
from pooling.reference import service
from pooling.schema import schema_gap
from pooling.serving import database

LIMIT_S = 30.0
SERVE = """
import sys
from pooling.schema import opened
from pooling.serving import serve
with opened(sys.argv[1]) as engine:
    serve.main(["--port", sys.argv[2]], obj=engine, standalone_mode=False)
"""


NO_REQUESTS = (
    b"FOO /v1/lines HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /v1/lines HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
)
"""Bytes that the parser refuses before there is a request."""


def refused_as_a_problem(base: str, sent: bytes) -> None:
    address = httpx.URL(base)
    with socket.create_connection((address.host, address.port or 80), timeout=LIMIT_S) as wire:
        wire.sendall(sent)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    problem = json.loads(body)
    assert (status, headers["content-type"]) == ("HTTP/1.1 400 Bad Request", "application/problem+json")
    assert int(headers["content-length"]) == len(body)
    assert (problem["code"], problem["request_id"]) == ("bad-request", headers["x-request-id"])
    assert headers["x-content-type-options"] == "nosniff"


def test_migrate_brings_schema_and_reference_data_and_can_be_repeated(engine: Engine) -> None:
    def run() -> str:
        return CliRunner().invoke(database, ["migrate"], obj=engine, catch_exceptions=False).output

    assert run() == "database is up to date; reference data: 258 added, 0 updated\n"
    assert run() == "database is up to date; reference data: 0 added, 0 updated\n"
    with reading(engine) as session:
        assert len(service.participants(session)) == 58


def test_migrate_starts_from_nothing(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/new/pooling.db")
    try:
        assert schema_gap(engine) is not None
        CliRunner().invoke(database, ["migrate"], obj=engine, catch_exceptions=False)
        assert schema_gap(engine) is None
    finally:
        engine.dispose()


def test_the_schema_gap_is_told_in_words(engine: Engine) -> None:
    assert schema_gap(engine) is None
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert str(schema_gap(engine)).startswith("the schema is at nothing, this version needs ")


def test_serve_answers_on_loopback_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, f"sqlite:///{tmp_path}/pooling.db", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        alarm = Timer(LIMIT_S, server.kill)
        alarm.start()
        try:
            base = _address(server)
            with httpx.Client(base_url=base, trust_env=False) as client:
                assert client.get("/health/ready").json() == {"status": "ready"}
                assert client.get("/v1/participants").status_code == 401
            for bytes_ in NO_REQUESTS:
                refused_as_a_problem(base, bytes_)
            server.send_signal(signal.SIGTERM)
            said = server.communicate()[1]
            assert server.returncode == -signal.SIGTERM
            assert "Application shutdown complete" in said
        finally:
            alarm.cancel()
            server.kill()


def _address(server: "subprocess.Popen[str]") -> str:
    """Where the server says it listens."""
    assert server.stderr is not None
    said = []
    for line in server.stderr:
        said.append(line)
        if "running on " in line:
            return line.partition("running on ")[2].split()[0]
    raise AssertionError("".join(said))
