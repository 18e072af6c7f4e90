"""At the door: keys and tokens over HTTP, what is refused, what is limited, what works on the next request."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from pooling.access import attempts, keys, people, principals
from pooling.access.people import Identification, Rights
from pooling.access.rules import Role
from pooling.access.service import Credentials, visit
from pooling.access.tables import ApiKey, FailedAttempt
from pooling.access.tokens import Issuers
from pooling.audit import AuditEntry
from pooling.database import reading, transaction
from pooling.errors import NotAuthenticated, TooManyAttempts
from pooling.reference import service as reference
from pooling.settings import Settings
from pooling.transactions import written
from tests.pooling.access.issuing import AUDIENCE, ISSUER, OTHER_RSA_KEY, Published, claims, publishing, token
from tests.pooling.access.test_tokens import ATTACKS, NOW
from tests.pooling.api_client import Api, Clock, api

SKANE_ID = "0007:2321000255"
VEST_ID = "0192:923609016"


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as opened:
        yield opened


def with_key(app: Api, secret: str, path: str = "/v1/me", **more: Any) -> httpx.Response:
    return app.nobody().get(path, headers={"Authorization": f"Bearer {secret}"}, **more)


def test_me_says_who_the_service_takes_one_for(app: Api) -> None:
    account = app.account("coordinator", participants=["SE-M"])
    me = app.client("coordinator", participants=["SE-M"]).get("/v1/me").json()
    assert (me["id"], me["kind"], me["name"]) == (str(account.principal.id), "person", "Test coordinator")
    assert (me["roles"], me["participants"], me["scopes"]) == (["coordinator"], ["SE-M"], [])
    assert (me["sees_all"], me["once"], me["delegate"]) == (False, False, None)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "npk_abc",
        "Bearer npk_abc",
        "Bearer " + "x" * 20_000,
        "Bearer a.b.c",
    ],
)
def test_without_right_credentials_nobody_comes_in(app: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = app.nobody().get("/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not-authenticated"
    assert header is None or len(header) < 20 or header[10:] not in answer.text


def test_a_key_is_never_taken_from_the_address(app: Api) -> None:
    key = app.account("planner").key
    for name in ("access_token", "api_key", "key"):
        answer = app.nobody().get(f"/v1/me?{name}={key}")
        assert answer.status_code in (400, 401)
        assert key not in answer.text


def test_only_a_hash_of_a_key_is_kept(app: Api) -> None:
    key = app.account("planner").key
    assert key.startswith("npk_")
    assert len(key) == 4 + 43  # 256 bits in base64
    with reading(app.engine) as session:
        row = session.exec(select(ApiKey)).one().model_dump()
    assert key not in str(row)
    assert (row["sha256"], row["prefix"]) == (hashlib.sha256(key.encode()).hexdigest(), key[:12])


def test_a_revoked_key_is_refused_on_the_next_request(app: Api) -> None:
    account = app.account("planner")
    assert with_key(app, account.key).status_code == 200
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        keys.revoke(opened.session, keys.of(opened.session, account.principal.id)[0].id, now=opened.now)
    assert with_key(app, account.key).status_code == 401


def test_a_revoked_person_is_refused_on_the_next_request_with_every_key(app: Api) -> None:
    account = app.account("planner")
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        second = keys.add(opened.session, account.principal.id, label="second", now=opened.now).secret
    assert with_key(app, second).status_code == 200
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        people.revoke(opened.session, account.principal.id, now=opened.now)
    assert (with_key(app, account.key).status_code, with_key(app, second).status_code) == (401, 401)


def test_other_roles_and_participants_hold_from_the_next_request_on(app: Api) -> None:
    account = app.account("coordinator", participants=["SE-M"])
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        rights = Rights(roles=frozenset({Role.AUDITOR, Role.COORDINATOR}), participants=frozenset({"NO-HV"}))
        people.change(opened.session, account.principal.id, rights)
    me = with_key(app, account.key).json()
    assert (me["roles"], me["participants"], me["sees_all"]) == (["auditor", "coordinator"], ["NO-HV"], True)


def test_a_key_ends_when_it_expires(app: Api) -> None:
    account = app.account("auditor")
    with reading(app.engine) as session:
        ends = keys.of(session, account.principal.id)[0].expires_at
    app.clock.now = ends - timedelta(seconds=1)
    assert with_key(app, account.key).status_code == 200
    app.clock.now = ends
    assert with_key(app, account.key).status_code == 401


def test_last_use_is_noted_to_five_minutes(app: Api) -> None:
    account = app.account("auditor")
    start = app.clock.now

    def last_used() -> Any:
        with reading(app.engine) as session:
            return keys.of(session, account.principal.id)[0].last_used_at

    assert last_used() is None
    for seconds, noted in ((0, start), (299, start), (300, start + timedelta(seconds=300))):
        app.clock.now = start + timedelta(seconds=seconds)
        assert with_key(app, account.key).status_code == 200
        assert last_used() == noted


def test_a_long_write_of_another_holds_nobody_at_the_door(app: Api) -> None:
    account = app.account("auditor")
    assert app.client("planner").get("/v1/me").status_code == 200  # the first request of all makes the service's secret
    with transaction(app.engine) as session:
        session.connection().execute(update(ApiKey).values(label="held"))
        started = time.monotonic()
        statuses = [with_key(app, account.key).status_code, with_key(app, "npk_wrong").status_code]
        assert statuses == [200, 401]
        assert time.monotonic() - started < 10  # a writer waits 30 seconds
    assert with_key(app, account.key).status_code == 200
    with reading(app.engine) as session:
        assert keys.of(session, account.principal.id)[0].last_used_at == app.clock.now


def test_wrong_credentials_from_one_address_are_limited_and_right_ones_still_open(app: Api) -> None:
    account = app.account("planner")
    statuses = [with_key(app, f"npk_wrong{number}").status_code for number in range(attempts.MOST["address"] + 5)]
    assert statuses == [401] * attempts.MOST["address"] + [429] * 5
    refused = with_key(app, "npk_wrong")
    assert refused.json()["code"] == "too-many-attempts"
    assert 1 <= int(refused.headers["retry-after"]) <= attempts.WINDOW_S
    assert with_key(app, account.key).status_code == 200
    app.clock.now += timedelta(seconds=int(refused.headers["retry-after"]))
    assert with_key(app, "npk_wrong").status_code == 401


def test_requests_without_credentials_are_no_attempts(app: Api) -> None:
    for _ in range(attempts.MOST["address"] + 5):
        assert app.nobody().get("/v1/me").status_code == 401
    with reading(app.engine) as session:
        assert session.exec(select(FailedAttempt)).all() == []


def test_attempts_are_counted_for_all_processes_together(app: Api, database_url: str) -> None:
    with api(database_url, clock=app.clock) as second:
        for number in range(attempts.MOST["address"]):
            assert with_key((app, second)[number % 2], "npk_wrong").status_code == 401
        assert [with_key(each, "npk_wrong").status_code for each in (app, second)] == [429, 429]


def test_guesses_at_one_key_are_limited_wherever_they_come_from(app: Api) -> None:
    key = app.account("planner").key

    def attempt(address: str, secret: str) -> None:
        credentials = Credentials(f"Bearer {secret}", address)
        with (
            visit(app.engine, credentials, now=app.clock.now, issuers=Issuers()) as come,
            reading(app.engine) as session,
        ):
            come.identify(session)

    for number in range(attempts.MOST["prefix"]):
        with pytest.raises(NotAuthenticated):
            attempt(f"10.0.0.{number}", key[:20] + f"{number:027}")
    with pytest.raises(TooManyAttempts):
        attempt("10.0.1.1", key[:20] + "x" * 27)
    with pytest.raises(NotAuthenticated):
        attempt("10.0.1.1", "npk_another")
    attempt("10.0.1.1", key)


def test_one_host_is_one_address_in_ipv6(app: Api) -> None:
    found = {attempts.sources_of(app.engine, f"2001:db8:1:2::{each:x}", "x")[0] for each in range(9)}
    assert found == {"address:2001:db8:1:2::/64"}
    assert attempts.sources_of(app.engine, "::ffff:10.1.2.3", "x") == ["address:10.1.2.3"]


def test_old_attempts_are_dropped(app: Api) -> None:
    with_key(app, "npk_wrong")
    app.clock.now += timedelta(seconds=attempts.WINDOW_S * (attempts.KEPT_WINDOWS + 1))
    with_key(app, "npk_wrong")
    with reading(app.engine) as session:
        assert len(session.exec(select(FailedAttempt)).all()) == 1


# ---- tokens over HTTP


@pytest.fixture
def published() -> Iterator[Published]:
    with publishing() as found:
        yield found


@pytest.fixture
def with_issuer(database_url: str, published: Published, tmp_path: Path) -> Iterator[Api]:
    """The application with an issuer in the shape of Maskinporten, and Helse Vest's organisation id."""
    file = tmp_path / "issuers.toml"
    file.write_text(
        f"""
[[issuer]]
issuer = "{ISSUER}"
jwks_uri = "{published.address}"
audiences = ["{AUDIENCE}"]
algorithms = ["RS256"]
org_claim = "consumer.ID"
delegate_claim = "supplier.ID"
scope_map = {{ "nordic:forecasts" = ["forecasts:read", "forecasts:write"] }}
""",
        encoding="utf-8",
    )
    settings = replace(Settings(), issuers_file=file)
    with api(database_url, settings=settings, clock=Clock(NOW), with_reference=True) as opened:
        with written(opened.engine, actor=None, now=NOW) as transaction:
            reference.set_organisation(transaction.session, "NO-HV", VEST_ID)
        yield opened


def test_a_system_comes_with_a_token_for_its_organisation(with_issuer: Api) -> None:
    me = with_key(with_issuer, token(claims(NOW))).json()
    assert (me["kind"], me["roles"], me["participants"]) == ("machine", ["partner"], ["NO-HV"])
    assert me["scopes"] == ["forecasts:read", "forecasts:write"]
    again = with_key(with_issuer, token(claims(NOW, jti="2"))).json()
    assert again["id"] == me["id"]
    with reading(with_issuer.engine) as session:
        record = principals.record(session, UUID(me["id"]))
        entered = select(AuditEntry.resource_id).where(col(AuditEntry.operation) == "principals.enter")
        assert session.exec(entered).all() == [me["id"]]
    assert (record.kind, record.name) == ("machine", f"erp-7 for {VEST_ID}")


def test_a_delegated_supplier_is_another_principal_with_the_rights_of_the_consumer(with_issuer: Api) -> None:
    own = with_key(with_issuer, token(claims(NOW))).json()
    delegated = with_key(with_issuer, token(claims(NOW, supplier={"ID": "0192:991825827"}))).json()
    assert delegated["participants"] == own["participants"] == ["NO-HV"]
    assert (own["delegate"], delegated["delegate"]) == (None, "0192:991825827")
    assert own["id"] != delegated["id"]
    listed = with_issuer.client("administrator").get("/v1/principals").json()["items"]
    machines = {each["id"]: each["identities"][0] for each in listed if each["kind"] == "machine"}
    assert machines[delegated["id"]]["delegate"] == "0192:991825827"


def test_a_system_that_was_revoked_is_refused_on_the_next_request(with_issuer: Api) -> None:
    me = with_key(with_issuer, token(claims(NOW))).json()
    gone = with_issuer.client("administrator").delete(f"/v1/principals/{me['id']}", headers={"If-Match": "*"})
    assert gone.status_code == 204
    assert with_key(with_issuer, token(claims(NOW))).status_code == 401


def test_an_organisation_that_takes_no_part_is_refused(with_issuer: Api) -> None:
    answer = with_key(with_issuer, token(claims(NOW, consumer={"ID": SKANE_ID})))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert SKANE_ID in answer.json()["detail"]


def test_a_token_without_organisation_is_a_person_who_must_be_known(with_issuer: Api) -> None:
    said = claims(NOW, consumer=None, sub="kari")
    assert with_key(with_issuer, token(said)).status_code == 401
    with written(with_issuer.engine, actor=None, now=NOW) as opened:
        people.add_person(
            opened.session,
            "Kari Nordmann",
            Rights(roles=frozenset({Role.PLANNER}), employer="NO-HV"),
            now=NOW,
            identities=[Identification(ISSUER, "kari")],
        )
    me = with_key(with_issuer, token(said)).json()
    assert (me["kind"], me["name"], me["roles"], me["sees_all"]) == ("person", "Kari Nordmann", ["planner"], True)


def test_a_token_gives_no_more_than_its_scopes(with_issuer: Api) -> None:
    assert with_key(with_issuer, token(claims(NOW, scope="nordic:other"))).json()["scopes"] == []
    assert with_key(with_issuer, token(claims(NOW)), "/v1/principals").status_code == 403


def test_every_attack_is_answered_401_and_the_issuer_asked_once(with_issuer: Api, published: Published) -> None:
    for attack, made in sorted(ATTACKS.items()):
        with written(with_issuer.engine, actor=None, now=NOW) as opened:
            for row in opened.session.exec(select(FailedAttempt)):
                opened.session.delete(row)
        answer = with_key(with_issuer, made())
        assert (attack, answer.status_code, answer.json()["code"]) == (attack, 401, "not-authenticated")
    assert published.fetched == 1


def test_a_flood_of_unknown_key_ids_is_limited_and_asks_the_issuer_once_a_minute(
    with_issuer: Api, published: Published
) -> None:
    statuses = set()
    for second in range(120):
        with_issuer.clock.now = NOW + timedelta(seconds=second)
        made = token(claims(with_issuer.clock.now), key=OTHER_RSA_KEY, kid=f"unknown-{second}")
        statuses.add(with_key(with_issuer, made).status_code)
    assert statuses == {401, 429}
    assert published.fetched == 2
