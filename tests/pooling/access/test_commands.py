"""The commands on people and keys, as whoever runs the service gives them."""

import re
from datetime import datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlmodel import col, select

from pooling.access.accounts import NotFirst
from pooling.access.commands import admin
from pooling.access.keys import TooManyKeys
from pooling.access.tables import ApiKey, Person
from pooling.audit import AuditEntry
from pooling.database import reading
from pooling.errors import BadInput, NotFound
from tests import copies
from tests.pooling.api_client import api

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SECRET = r"npk_[A-Za-z0-9_-]{43}"


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    copies.install_reference(engine)


def run(engine: Engine, *words: str) -> Result:
    return CliRunner().invoke(admin, words, obj=engine, catch_exceptions=False)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[0]


def test_the_first_administrator_gets_in_with_the_one_time_secret(engine: Engine, database_url: str) -> None:
    made = run(engine, "create", "--name", "Ada").output
    assert "good for 24 hours, shown once" in made
    secret = found(SECRET, made)
    from_start = {"Authorization": f"Bearer {secret}"}
    with api(database_url) as app:
        app.clock.now = _made_at(engine)
        key = app.nobody().post("/v1/keys", json={"label": "laptop"}, headers=from_start)
        assert key.status_code == 201
        me = app.nobody().get("/v1/me", headers={"Authorization": f"Bearer {key.json()['secret']}"}).json()
        assert (me["name"], me["roles"]) == ("Ada", ["administrator"])
        assert app.nobody().get("/v1/me", headers=from_start).status_code == 401


def _made_at(engine: Engine) -> datetime | None:
    with reading(engine) as session:
        return session.exec(select(ApiKey.created_at)).first()


def test_there_is_one_first_administrator(engine: Engine) -> None:
    run(engine, "create", "--name", "Ada")
    with pytest.raises(NotFirst, match="made already"):
        run(engine, "create", "--name", "Eve")
    with reading(engine) as session:
        assert session.exec(select(Person.name)).all() == ["Ada"]


def test_nor_one_where_only_others_are_in(engine: Engine) -> None:
    run(engine, "system", "ERP", "--participant", "SE-M")
    with pytest.raises(NotFirst):
        run(engine, "create", "--name", "Eve")


def test_every_command_is_in_the_audit_without_names(engine: Engine) -> None:
    run(engine, "create", "--name", "Ada Unikt")
    principal = found(UUID, run(engine, "person", "Bo Unikt", "--role", "planner", "--employer", "NO-HV").output)
    run(engine, "rights", principal, "--role", "coordinator", "--participant", "NO-HV")
    run(engine, "erase", principal)
    with reading(engine) as session:
        by_us = select(AuditEntry).where(col(AuditEntry.principal) == "service").order_by(col(AuditEntry.position))
        entries = session.exec(by_us).all()
        told = [entry.operation for entry in entries]
        assert "Unikt" not in str([entry.model_dump() for entry in entries])
    assert told == [
        "principals.create",
        "keys.create",
        "principals.create",
        "keys.create",
        "principals.update",
        "principals.erase",
    ]


def test_a_system_gets_a_key_a_successor_and_an_end(engine: Engine) -> None:
    principal = found(UUID, run(engine, "system", "ERP", "--participant", "SE-M").output)
    with pytest.raises(BadInput, match="at least one"):
        run(engine, "key", principal, "--label", "ERP")
    made = run(engine, "key", principal, "--label", "ERP", "--scope", "forecasts:write", "--days", "30").output
    key = found(UUID, made)
    successor = run(engine, "rotate-key", key, "--overlap-hours", "1").output
    assert found(SECRET, successor) != found(SECRET, made)
    with pytest.raises(TooManyKeys):
        run(engine, "key", principal, "--label", "third", "--scope", "forecasts:write")
    assert "is revoked" in run(engine, "revoke-key", key).output
    listed = run(engine, "keys", principal).output
    assert (listed.count("ERP"), "revoked or used" in listed, "live" in listed) == (2, True, True)
    assert found(SECRET, made) not in listed


def test_people_are_listed_and_shut_out(engine: Engine) -> None:
    run(engine, "create", "--name", "Ada")
    principal = found(UUID, run(engine, "person", "Bo", "--role", "auditor").output)
    assert found(SECRET, run(engine, "invite", principal).output)
    run(engine, "revoke", principal)
    listed = run(engine, "list").output
    assert "2 principals" in listed
    assert [line for line in listed.splitlines() if "Bo" in line and "auditor" in line and "revoked" in line]
    with pytest.raises(BadInput, match="was revoked"):
        run(engine, "revoke", principal)
    with pytest.raises(NotFound):
        run(engine, "revoke", "00000000-0000-0000-0000-000000000000")


def test_help_opens_no_database() -> None:
    helped = CliRunner().invoke(admin, ["create", "--help"], obj=None)
    assert (helped.exit_code, "empty install" in helped.output) == (0, True)
