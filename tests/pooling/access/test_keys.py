"""Keys over HTTP: made, shown once, rotated with two live, revoked; and whose one may touch."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from pooling.access import keys, people
from pooling.access.people import Rights
from pooling.access.rules import Role
from pooling.access.tables import ApiKey
from pooling.database import reading
from pooling.idempotency import StoredResponse
from pooling.transactions import written
from tests.pooling.api_client import Api, api


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as opened:
        yield opened


def bearing(app: Api, secret: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request with this key."""
    headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
    return app.nobody().request(method, path, headers=headers, **more)


def test_a_key_is_shown_once(app: Api) -> None:
    planner = app.client("planner")
    header = {"Idempotency-Key": str(uuid4())}
    made = planner.post("/v1/keys", json={"label": "laptop"}, headers=header)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert made.headers["location"] == f"/v1/keys/{made.json()['id']}"
    again = planner.post("/v1/keys", json={"label": "laptop"}, headers=header)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == {name: value for name, value in made.json().items() if name != "secret"}
    shown = planner.get(made.headers["location"])
    listed = planner.get("/v1/keys")
    with reading(app.engine) as session:
        stored = [row.model_dump() for table in (StoredResponse, ApiKey) for row in session.exec(select(table))]
    assert secret not in f"{again.text}{shown.text}{listed.text}{stored}"
    assert bearing(app, secret, "GET", "/v1/me").json()["key"] == made.json()["id"]


def test_two_keys_are_live_for_rotation_and_no_third(app: Api) -> None:
    planner = app.client("planner")
    second = planner.post("/v1/keys", json={"label": "second"})
    third = planner.post("/v1/keys", json={"label": "third"})
    assert (second.status_code, third.status_code, third.json()["code"]) == (201, 422, "too-many-keys")
    assert planner.delete(second.headers["location"], headers={"If-Match": second.headers["etag"]}).status_code == 204
    assert planner.post("/v1/keys", json={"label": "third"}).status_code == 201


def test_a_system_rotates_its_key_without_a_gap(app: Api) -> None:
    account = app.account("partner", participants=["SE-M"], scopes=["pools:read"])
    old = bearing(app, account.key, "GET", "/v1/me").json()["key"]
    made = bearing(app, account.key, "POST", f"/v1/keys/{old}/rotation", json={"overlap_hours": 2})
    assert made.status_code == 201
    new = made.json()["secret"]
    assert made.json()["scopes"] == ["pools:read"]
    assert {bearing(app, key, "GET", "/v1/me").status_code for key in (account.key, new)} == {200}
    assert bearing(app, account.key, "POST", f"/v1/keys/{old}/rotation", json={}).json()["code"] == "too-many-keys"
    app.clock.now += timedelta(hours=2)
    assert bearing(app, account.key, "GET", "/v1/me").status_code == 401
    me = bearing(app, new, "GET", "/v1/me").json()
    assert (me["id"], me["scopes"]) == (str(account.principal.id), ["pools:read"])


def test_a_key_rotated_again_gives_the_length_of_life_it_was_made_with(app: Api) -> None:
    account = app.account("partner", participants=["SE-M"], scopes=["pools:read"])
    old = bearing(app, account.key, "GET", "/v1/me").json()["key"]

    def rotated() -> tuple[str, timedelta]:
        made = bearing(app, account.key, "POST", f"/v1/keys/{old}/rotation", json={"overlap_hours": 2}).json()
        begins, ends = (datetime.fromisoformat(made[name]) for name in ("created_at", "expires_at"))
        return made["id"], ends - begins

    first, life = rotated()
    assert life == timedelta(days=300)
    keeper = app.client("administrator")
    assert keeper.delete(f"/v1/keys/{first}", headers={"If-Match": "*"}).status_code == 204
    app.clock.now += timedelta(hours=1)
    assert rotated()[1] == life
    app.clock.now += timedelta(hours=1)  # the first overlap is over; a second rotation does not lengthen it
    assert bearing(app, account.key, "GET", "/v1/me").status_code == 401


def test_a_narrow_key_reaches_no_wider_one(app: Api) -> None:
    wide = app.account("partner", participants=["SE-M"], scopes=["pools:read", "forecasts:write"])
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        narrow = keys.add(
            opened.session, wide.principal.id, label="narrow", scopes=frozenset({"feed:read"}), now=opened.now
        )
        first = next(each for each in keys.of(opened.session, wide.principal.id) if each.id != narrow.key.id)
    asked = [
        bearing(app, narrow.secret, "POST", f"/v1/keys/{first.id}/rotation", json={}),
        bearing(app, narrow.secret, "DELETE", f"/v1/keys/{first.id}", headers={"If-Match": "*"}),
        bearing(app, narrow.secret, "POST", "/v1/keys", json={"label": "x", "scopes": ["forecasts:write"]}),
    ]
    assert [answer.status_code for answer in asked] == [422, 422, 403]


def test_nobody_makes_a_key_with_which_to_be_another_person(app: Api) -> None:
    planner = app.account("planner").principal.id
    key = bearing(app, app.account("planner").key, "GET", "/v1/me").json()["key"]
    keeper = app.client("administrator")
    assert keeper.post("/v1/keys", json={"label": "x", "principal": str(planner)}).status_code == 422
    assert keeper.post(f"/v1/keys/{key}/rotation", json={}).status_code == 422
    coordinator = app.client("coordinator", participants=["SE-M"])
    assert coordinator.post("/v1/keys", json={"label": "x", "principal": str(planner)}).status_code == 404
    assert coordinator.get(f"/v1/keys?principal={planner}").json()["items"] == []
    assert coordinator.get(f"/v1/keys/{key}").status_code == 404


def test_an_administrator_gives_a_system_its_key_and_sees_and_ends_all(app: Api) -> None:
    keeper = app.client("administrator")
    body = {"kind": "key", "name": "Skåne ERP", "roles": ["partner"], "participants": ["SE-M"]}
    system = keeper.post("/v1/principals", json=body)
    assert (system.status_code, "invitation" in system.json()) == (201, False)
    wanted = {"label": "ERP", "principal": system.json()["id"], "scopes": ["forecasts:write"], "days": 90}
    made = keeper.post("/v1/keys", json=wanted).json()
    me = bearing(app, made["secret"], "GET", "/v1/me").json()
    assert (me["kind"], me["name"], me["participants"], me["scopes"]) == (
        "key",
        "Skåne ERP",
        ["SE-M"],
        ["forecasts:write"],
    )
    listed = keeper.get(f"/v1/keys?principal={system.json()['id']}").json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert keeper.delete(f"/v1/keys/{made['id']}", headers={"If-Match": "*"}).status_code == 204
    assert bearing(app, made["secret"], "GET", "/v1/me").status_code == 401


def test_a_change_needs_the_version_that_was_seen(app: Api) -> None:
    planner = app.client("planner")
    made = planner.post("/v1/keys", json={"label": "second"})
    path = made.headers["location"]
    assert planner.delete(path).status_code == 428
    assert planner.delete(path, headers={"If-Match": '"9.x"'}).status_code == 412
    assert planner.delete(path, headers={"If-Match": planner.get(path).headers["etag"]}).status_code == 204
    ended = planner.delete(path, headers={"If-Match": "*"})
    assert (ended.status_code, "ended already" in ended.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "x" * 121},
        {"label": "x", "days": 0},
        {"label": "x", "days": 731},
        {"label": "x", "scopes": ["pools:read"]},
        {"label": "x", "more": 1},
        {"label": "x", "principal": "me"},
        {"label": 7},
    ],
)
def test_what_is_wrong_in_a_request_for_a_key_is_refused(app: Api, body: dict[str, Any]) -> None:
    assert app.client("planner").post("/v1/keys", json=body).status_code in (400, 422)


def test_a_systems_key_needs_a_known_scope(app: Api) -> None:
    keeper = app.client("administrator")
    body = {"kind": "key", "name": "ERP", "roles": ["partner"], "participants": ["SE-M"]}
    system = keeper.post("/v1/principals", json=body).json()["id"]
    for scopes in ([], ["everything"]):
        wanted = {"label": "x", "principal": system, "scopes": scopes}
        assert keeper.post("/v1/keys", json=wanted).status_code == 422


def test_a_list_of_keys_has_pages(app: Api) -> None:
    for number in range(3):
        app.account("coordinator", participants=[("SE-M", "DK-82", "NO-HV")[number]])
    keeper = app.client("administrator")
    seen, path = [], "/v1/keys?limit=1"
    while path:
        answer = keeper.get(path)
        seen += [each["id"] for each in answer.json()["items"]]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert len(seen) == len(set(seen)) == 4
    assert seen == sorted(seen)


def test_a_one_time_secret_makes_one_key_and_is_spent(app: Api) -> None:
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        rights = Rights(roles=frozenset({Role.ADMINISTRATOR}))
        principal = people.add_person(opened.session, "Ada", rights, now=opened.now)
        secret = keys.invite(opened.session, principal, now=opened.now).secret
    assert bearing(app, secret, "GET", "/v1/me").json()["once"] is True
    assert bearing(app, secret, "GET", "/v1/principals").status_code == 403
    made = bearing(app, secret, "POST", "/v1/keys", json={"label": "mine"})
    assert made.status_code == 201
    assert bearing(app, secret, "POST", "/v1/keys", json={"label": "mine"}).status_code == 401
    assert bearing(app, secret, "GET", "/v1/me").status_code == 401
    assert bearing(app, made.json()["secret"], "GET", "/v1/principals").status_code == 200


def test_a_refused_request_does_not_spend_the_one_time_secret(app: Api) -> None:
    secret = invited(app)
    assert bearing(app, secret, "POST", "/v1/keys", json={"label": "x", "scopes": ["pools:read"]}).status_code == 422
    assert bearing(app, secret, "POST", "/v1/keys", json={"label": "x"}).status_code == 201


def test_a_one_time_secret_ends_after_a_day_or_with_the_next_one(app: Api) -> None:
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        principal = people.add_person(opened.session, "Ada", Rights(roles=frozenset({Role.PLANNER})), now=opened.now)
        first = keys.invite(opened.session, principal, now=opened.now).secret
        second = keys.invite(opened.session, principal, now=opened.now).secret
    assert [bearing(app, each, "GET", "/v1/me").status_code for each in (first, second)] == [401, 200]
    app.clock.now += timedelta(hours=24)
    assert bearing(app, second, "GET", "/v1/me").status_code == 401


def test_many_at_once_with_one_secret_get_one_key(app: Api) -> None:
    secret = invited(app)
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(bearing(app, secret, "POST", "/v1/keys", json={"label": "mine"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [401] * 7


def test_many_at_once_get_no_third_key(app: Api) -> None:
    planner = app.client("planner")
    planner.get("/v1/me")
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(planner.post("/v1/keys", json={"label": "more"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [422] * 5


def invited(app: Api) -> str:
    """A new planner's one-time secret."""
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        principal = people.add_person(opened.session, "Ada", Rights(roles=frozenset({Role.PLANNER})), now=opened.now)
        return keys.invite(opened.session, principal, now=opened.now).secret
