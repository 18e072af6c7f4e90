"""Reference data over HTTP: whole, in pages; set by administrators alone, row by row, under a version."""

from collections.abc import Iterator
from typing import Any

import pytest

from pooling.database import reading
from pooling.reference import service
from tests.pooling.api_client import Api, RoleClient, api

LISTS = (("participants", "code", 58), ("categories", "id", 120), ("criteria", "code", 25))
BODY = {
    "name": "Region Testland",
    "country": "SE",
    "currency": "SEK",
    "contracting_authority": True,
    "may_lead": True,
    "source": "made up for this test",
}
CATEGORY = {"family": "gloves", "name": "Test gloves", "unit": "H87", "source": "made up for this test"}
CRITERION = {
    "name": "Test criterion",
    "framework": "made up",
    "eforms_list": "gpp-criteria",
    "eforms_code": "other",
    "proof": "none",
    "source": "made up for this test",
}
SIGNING_BODY = {
    "name": "Test Joint Buying",
    "country": "SE",
    "law": "Swedish",
    "language": "sv",
    "complaint_board": "a court",
    "source": "made up for this test",
}
BODIES = {"participants": BODY, "categories": CATEGORY, "criteria": CRITERION, "signing-bodies": SIGNING_BODY}
NAMES = {
    "participants": "SE-TEST",
    "categories": "test-gloves",
    "criteria": "test-criterion",
    "signing-bodies": "SE-JB",
}


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as running:
        yield running


def walked(client: RoleClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.extend(body["items"])
        following = answer.links["next"]["url"] if "next" in answer.links else None
        assert (following is None) == (body["next_cursor"] is None)
        assert len(found) <= 500
    return found


def test_a_list_is_whole_whatever_the_size_of_its_pages(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    for path, key, count in LISTS:
        small = walked(client, f"/v1/{path}?limit=13")
        assert small == walked(client, f"/v1/{path}?limit=500")
        assert [item[key] for item in small] == sorted({item[key] for item in small})
        assert len(small) == count
        assert client.get(f"/v1/{path}/{small[3][key]}").json() == small[3]


def test_a_participant_says_who_signs_and_under_which_law(app: Api) -> None:
    client = app.client("auditor")
    known = {item["code"]: item for item in walked(client, "/v1/participants")}
    assert known["DK-84"]["successor"] == "DK-OST"
    assert (known["DK-84"]["valid_to"], known["DK-OST"]["valid_from"]) == ("2027-01-01", "2027-01-01")
    assert known["NO-HN"]["signing_body"]["name"] == "Sykehusinnkjøp HF"
    assert known["FI-18-IU"]["population_within"] == "FI-18-HUS"


def test_a_criterion_says_what_it_implies_directly_and_through_others(app: Api) -> None:
    known = {item["code"]: item for item in walked(app.client("planner"), "/v1/criteria")}
    assert known["uhm-spearhead"]["implies"] == ["uhm-advanced", "uhm-basic"]
    assert known["uhm-spearhead"]["implies_directly"] == ["uhm-advanced"]
    assert known["uhm-basic"]["implies"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=1.5", "limit=", "cursor=x", "limit=1&page=2"])
def test_bad_queries_are_refused(app: Api, query: str) -> None:
    client = app.client("planner")
    assert client.get(f"/v1/criteria?{query}").status_code == 400
    assert client.get("/v1/criteria?limit=500").status_code == 200


def test_a_cursor_of_one_list_is_refused_by_another(app: Api) -> None:
    client = app.client("planner")
    cursor = client.get("/v1/participants?limit=1").json()["next_cursor"]
    assert client.get("/v1/participants", params={"cursor": cursor}).status_code == 200
    refused = client.get("/v1/categories", params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize("kind", BODIES)
def test_a_row_is_added_read_and_replaced_under_its_version(app: Api, kind: str) -> None:
    client = app.client("administrator")
    path = f"/v1/{kind}/{NAMES[kind]}"
    assert client.get(path).status_code == 404
    assert client.put(path, json=BODIES[kind], headers={"If-Match": '"1"'}).status_code == 412
    made = client.put(path, json=BODIES[kind])
    assert (made.status_code, made.headers["Location"], made.json()["version"]) == (201, path, 1)
    assert client.get(path).json() == made.json()
    assert client.get(path, headers={"If-None-Match": made.headers["ETag"]}).status_code == 304
    changed = {**BODIES[kind], "name": "Another name"}
    assert client.put(path, json=changed).status_code == 428
    done = client.put(path, json=changed, headers={"If-Match": made.headers["ETag"]})
    assert (done.status_code, done.json()["name"], done.json()["version"]) == (200, "Another name", 2)
    stale = client.put(path, json=BODIES[kind], headers={"If-Match": made.headers["ETag"]})
    assert (stale.status_code, stale.headers["ETag"]) == (412, done.headers["ETag"])
    assert client.get(path).json()["name"] == "Another name"


@pytest.mark.parametrize("kind", BODIES)
def test_only_an_administrator_sets_reference_data(app: Api, kind: str) -> None:
    path = f"/v1/{kind}/{NAMES[kind]}"
    for role, participants in (("planner", []), ("auditor", []), ("coordinator", ["SE-M"]), ("partner", ["SE-M"])):
        assert app.client(role, participants=participants).put(path, json=BODIES[kind]).status_code == 403
    assert app.client("administrator").get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("participants/SE-TEST", BODY | {"successor": "SE-NONE", "valid_to": "2030-01-01"}, "#/successor"),
        ("participants/SE-TEST", BODY | {"signing_body": "SE-NONE"}, "#/signing_body"),
        (
            "participants/SE-TEST",
            BODY | {"population_within": "SE-NONE", "population_overlaps": True},
            "#/population_within",
        ),
        ("participants/SE-TEST", BODY | {"contracting_authority": False}, "#/may_lead"),
        ("participants/SE-TEST", BODY | {"organisation_id": "0192:923609017"}, "#/organisation_id"),
        ("categories/test-gloves", CATEGORY | {"unit": "ZZZ"}, "#/unit"),
        ("categories/test-gloves", CATEGORY | {"base_unit": "GRM"}, "#/base_unit"),
        ("categories/nitrile", CATEGORY | {"name": "tab\tin it"}, "#/name"),
        ("criteria/test-criterion", CRITERION | {"eforms_code": "none-such"}, "#/eforms_code"),
        ("criteria/test-criterion", CRITERION | {"implies_directly": ["none-such"]}, "#/implies_directly"),
        ("participants/SE-TEST", BODY | {"country": "XX"}, "#/country"),
        ("participants/SE-TEST", BODY | {"currency": "ZZZ"}, "#/currency"),
        ("signing-bodies/SE-JB", SIGNING_BODY | {"country": "XX"}, "#/country"),
        ("participants/SE-TEST", BODY | {"name": "region  SKÅNE."}, "#/name"),
        ("participants/SE-TEST", BODY | {"name": "se-m"}, "#/name"),
        ("categories/test-gloves", CATEGORY | {"name": "EXAMINATION-GLOVES-NITRILE-NON-STERILE"}, "#/name"),
        ("criteria/test-criterion", CRITERION | {"name": "UHM-basic"}, "#/name"),
    ],
)
def test_what_a_file_would_be_refused_for_is_refused_here_with_its_place(
    app: Api, path: str, body: dict[str, Any], pointer: str
) -> None:
    client = app.client("administrator")
    refused = client.put(f"/v1/{path}", json=body)
    assert refused.status_code == 422, refused.text
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    assert client.get(f"/v1/{path}").status_code == 404


def test_every_field_that_is_wrong_is_pointed_at(app: Api) -> None:
    body = BODY | {"valid_from": "2030-01-01", "valid_to": "2029-01-01", "successor": "SE-TEST"}
    refused = app.client("administrator").put("/v1/participants/SE-TEST", json=body)
    assert refused.status_code == 422, refused.text
    assert [each["pointer"] for each in refused.json()["errors"]] == ["#/valid_to", "#/successor"]
    missing = app.client("administrator").put("/v1/participants/SE-TEST", json={**BODY, "colour": "green"})
    assert [(each["pointer"], each["code"]) for each in missing.json()["errors"]] == [("#/colour", "unknown-field")]


@pytest.mark.parametrize("code", ["se-m", "Se-M", "SE-M."])
def test_a_code_that_means_another_participant_is_refused_at_the_address(app: Api, code: str) -> None:
    client = app.client("administrator")
    refused = client.put(f"/v1/participants/{code}", json=BODY)
    assert refused.status_code == 422, refused.text
    [fault] = refused.json()["errors"]
    assert (fault["parameter"], "pointer" in fault) == ("code", False)
    assert "means SE-M already" in fault["detail"]
    assert client.get(f"/v1/participants/{code}").status_code == 404


def test_a_name_can_be_taken_once_its_owner_has_another(app: Api) -> None:
    client = app.client("administrator")
    made = client.put("/v1/participants/SE-TEST", json=BODY)
    assert made.status_code == 201
    other = BODY | {"name": "REGION testland"}
    assert client.put("/v1/participants/SE-TEST-2", json=other).status_code == 422
    same = client.put("/v1/participants/SE-TEST", json=other, headers={"If-Match": made.headers["ETag"]})
    assert (same.status_code, same.json()["name"]) == (200, "REGION testland")
    etag = {"If-Match": same.headers["ETag"]}
    renamed = client.put("/v1/participants/SE-TEST", json=BODY | {"name": "Gone"}, headers=etag)
    assert renamed.status_code == 200
    assert client.put("/v1/participants/SE-TEST-2", json=other).status_code == 201


def test_unknown_fields_and_figures_out_of_bounds_are_refused(app: Api) -> None:
    client = app.client("administrator")
    for more in ({"colour": "green"}, {"population": 0}, {"name": "x" * 201}, {"country": "Sweden"}):
        refused = client.put("/v1/participants/SE-TEST", json=BODY | more)
        assert refused.status_code in (400, 422), more
    assert client.put("/v1/participants/bad%20code", json=BODY).status_code in (400, 404)


def test_a_category_keeps_its_base_unit(app: Api) -> None:
    client = app.client("administrator")
    made = client.put("/v1/categories/test-gloves", json=CATEGORY)
    etag = {"If-Match": made.headers["ETag"]}
    refused = client.put("/v1/categories/test-gloves", json=CATEGORY | {"unit": "KGM"}, headers=etag)
    assert [each["pointer"] for each in refused.json()["errors"]] == ["#/base_unit"]


def test_a_packaged_row_that_was_set_is_left_alone_by_an_upgrade(app: Api) -> None:
    client = app.client("administrator")
    before = client.get("/v1/participants/SE-M")
    body = {name: before.json()[name] for name in (*BODY, "population", "population_year", "organisation_id")}
    done = client.put(
        "/v1/participants/SE-M",
        json={**body, "name": "Skåne", "signing_body": before.json()["signing_body"]["code"]},
        headers={"If-Match": before.headers["ETag"]},
    )
    assert done.status_code == 200, done.text
    with reading(app.engine) as session:
        assert service.participants(session)["SE-M"].name == "Skåne"
    from pooling.database import transaction

    with transaction(app.engine) as session:
        assert service.install(session).kept == 1
    assert client.get("/v1/participants/SE-M").json()["name"] == "Skåne"
