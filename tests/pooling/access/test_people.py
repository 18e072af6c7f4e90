"""People and systems over HTTP: let in, given rights, shut out, their names erased; and what the audit keeps."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from pooling import audit_chain
from pooling.access.tables import ApiKey, Identity, Person, PrincipalRow
from pooling.audit import AuditEntry
from pooling.database import reading
from pooling.idempotency import StoredResponse
from tests.pooling.access.test_keys import bearing
from tests.pooling.api_client import Api, api

ASE = {
    "kind": "person",
    "name": "Åse Unikt Navnesen",
    "roles": ["coordinator"],
    "participants": ["SE-M"],
    "identities": [{"issuer": "https://issuer.example/", "subject": "ase.unikt"}],
}


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as opened:
        yield opened


def let_in(app: Api, **changes: Any) -> dict[str, Any]:
    """The answer to a request for a person."""
    answer = app.client("administrator").post("/v1/principals", json={**ASE, **changes})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def everything_kept(app: Api) -> str:
    """All rows of the tables that could hold a name, as text."""
    with reading(app.engine) as session:
        tables = (PrincipalRow, Person, Identity, ApiKey, StoredResponse, AuditEntry)
        return "\n".join(str(row.model_dump()) for table in tables for row in session.exec(select(table)))


def test_a_person_is_let_in_and_makes_a_key_with_the_invitation(app: Api) -> None:
    made = let_in(app)
    assert (made["name"], made["roles"], made["participants"]) == (ASE["name"], ["coordinator"], ["SE-M"])
    key = bearing(app, made["invitation"], "POST", "/v1/keys", json={"label": "laptop"}).json()
    me = bearing(app, key["secret"], "GET", "/v1/me").json()
    assert (me["id"], me["name"], me["participants"]) == (made["id"], ASE["name"], ["SE-M"])
    shown = app.client("administrator").get(f"/v1/principals/{made['id']}")
    assert shown.json() == {name: value for name, value in made.items() if name != "invitation"}


def test_a_planner_may_be_employed_by_a_participant_and_gains_nothing_by_it(app: Api) -> None:
    made = let_in(app, roles=["planner"], participants=[], employer="NO-HV", identities=[])
    assert (made["employer"], made["participants"]) == ("NO-HV", [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"participants": []}, "participants are missing"),
        ({"participants": ["SE-MM"]}, "did you mean SE-M"),
        ({"roles": ["planner"]}, "leave them out"),
        ({"roles": ["planner"], "participants": [], "employer": "XX"}, "'XX' is not known"),
        ({"roles": ["partner"]}, "it is for systems"),
        ({"kind": "key"}, "leave them out"),
        ({"kind": "key", "identities": []}, "partner alone"),
        ({"name": "\u200b"}, "printable"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(app: Api, changes: dict[str, Any], told: str) -> None:
    answer = app.client("administrator").post("/v1/principals", json={**ASE, **changes})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_one_subject_of_an_issuer_is_one_person(app: Api) -> None:
    let_in(app)
    again = app.client("administrator").post("/v1/principals", json=ASE)
    assert (again.status_code, "somebody else's" in again.json()["detail"]) == (422, True)


def test_rights_are_replaced_as_a_whole_by_who_has_seen_them(app: Api) -> None:
    made = let_in(app)
    keeper = app.client("administrator")
    path = f"/v1/principals/{made['id']}"
    seen = keeper.get(path).headers["etag"]
    changed = keeper.put(path, json={"roles": ["auditor", "planner"]}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["roles"], changed.json()["participants"]) == (
        200,
        ["auditor", "planner"],
        [],
    )
    assert keeper.put(path, json={"roles": ["planner"]}, headers={"If-Match": seen}).status_code == 412
    assert keeper.put(path, json={"roles": ["planner"]}).status_code == 428


def test_the_last_administrator_stays(app: Api) -> None:
    keeper = app.client("administrator")
    path = f"/v1/principals/{app.account('administrator').principal.id}"
    for answer in (
        keeper.delete(path, headers={"If-Match": "*"}),
        keeper.delete(f"{path}/name", headers={"If-Match": "*"}),
        keeper.put(path, json={"roles": ["planner"]}, headers={"If-Match": "*"}),
    ):
        assert (answer.status_code, "last administrator" in answer.json()["detail"]) == (422, True)
    second = let_in(app, roles=["administrator"], participants=[], identities=[])
    assert second["roles"] == ["administrator"]
    assert keeper.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert keeper.get("/v1/me").status_code == 401


def test_a_new_invitation_voids_the_earlier_one(app: Api) -> None:
    made = let_in(app)
    again = app.client("administrator").post(f"/v1/principals/{made['id']}/invitation")
    assert again.status_code == 201
    statuses = [
        bearing(app, each, "GET", "/v1/me").status_code for each in (made["invitation"], again.json()["secret"])
    ]
    assert statuses == [401, 200]


def test_whoever_is_revoked_stays_so(app: Api) -> None:
    made = let_in(app)
    keeper = app.client("administrator")
    path = f"/v1/principals/{made['id']}"
    assert keeper.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert bearing(app, made["invitation"], "GET", "/v1/me").status_code == 401
    for answer in (
        keeper.delete(path, headers={"If-Match": "*"}),
        keeper.post(f"{path}/invitation"),
        keeper.put(path, json={"roles": ["planner"]}, headers={"If-Match": "*"}),
    ):
        assert answer.status_code == 422
    assert keeper.get(path).json()["revoked_at"] is not None


def test_a_name_is_erased_everywhere_and_the_audit_still_holds(app: Api) -> None:
    made = let_in(app)
    key = bearing(app, made["invitation"], "POST", "/v1/keys", json={"label": "Navnesens laptop"}).json()
    keeper = app.client("administrator")
    path = f"/v1/principals/{made['id']}"
    keeper.put(path, json={"roles": ["planner"]}, headers={"If-Match": "*"})
    before = everything_kept(app)
    assert "Unikt Navnesen" in before
    assert "ase.unikt" in before
    assert "Navnesens laptop" in before
    assert keeper.delete(f"{path}/name", headers={"If-Match": "*"}).status_code == 204
    after = everything_kept(app)
    assert "Navnesen" not in after
    assert "ase.unikt" not in after
    assert made["id"] in after
    shown = keeper.get(path).json()
    assert (shown["name"], shown["identities"], shown["revoked_at"] is not None) == (None, [], True)
    assert shown["erased_at"] is not None
    assert bearing(app, key["secret"], "GET", "/v1/me").status_code == 401
    with reading(app.engine) as session:
        found = audit_chain.verify(session)
    assert (found.faults, found.entries > 4) == ((), True)


def test_the_audit_never_holds_a_name(app: Api) -> None:
    made = let_in(app)
    bearing(app, made["invitation"], "POST", "/v1/keys", json={"label": "Navnesens laptop"})
    with reading(app.engine) as session:
        kept = "\n".join(str(entry.model_dump()) for entry in session.exec(select(AuditEntry)))
    assert made["id"] in kept
    assert "Navnesen" not in kept
    assert "ase.unikt" not in kept


def test_a_system_has_no_name_to_erase(app: Api) -> None:
    body = {"kind": "key", "name": "ERP", "roles": ["partner"], "participants": ["SE-M"]}
    keeper = app.client("administrator")
    system = keeper.post("/v1/principals", json=body)
    erased = keeper.delete(f"{system.headers['location']}/name", headers={"If-Match": "*"})
    assert (erased.status_code, "no person" in erased.json()["detail"]) == (422, True)


def test_principals_are_listed_in_pages(app: Api) -> None:
    for number in range(3):
        let_in(app, name=f"Nr {number}", identities=[])
    keeper = app.client("administrator")
    first = keeper.get("/v1/principals?limit=3").json()
    second = keeper.get(f"/v1/principals?limit=3&cursor={first['next_cursor']}").json()
    ids = [each["id"] for each in first["items"] + second["items"]]
    assert (len(ids), second["next_cursor"], ids) == (4, None, sorted(ids))


def test_where_to_reach_oneself_is_changed_by_whoever_has_seen_it(app: Api) -> None:
    planner = app.client("planner")
    seen = planner.get("/v1/me").headers["etag"]
    body = {"email": "ada@region.example"}
    missing = planner.put("/v1/me/contact", json=body)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-missing")
    odd = planner.put("/v1/me/contact", json=body, headers={"If-Match": '"odd.x"'})
    assert (odd.status_code, odd.headers["etag"]) == (412, seen)
    done = planner.put("/v1/me/contact", json=body, headers={"If-Match": seen})
    assert (done.status_code, done.json()["email"]) == (200, "ada@region.example")
    assert done.headers["etag"] == planner.get("/v1/me").headers["etag"] != seen
    assert planner.put("/v1/me/contact", json={"email": None}, headers={"If-Match": seen}).status_code == 412
    assert planner.get("/v1/me").json()["email"] == "ada@region.example"
    assert planner.put("/v1/me/contact", json={"email": None}, headers={"If-Match": "*"}).json()["email"] is None
