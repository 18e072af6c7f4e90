"""Offers and dialogue records over HTTP: set whole under a version, through the intake of offer files."""

from collections.abc import Iterator
from typing import Any

import pytest

from pooling.database import reading
from pooling.market import service
from tests.pooling.access.samples.market import SAID, offer_body
from tests.pooling.api_client import Api, api

PATH = "/v1/offers/syringes-green"
SECRET = {"tiers", "max_quantity", "total_max_quantity", "term_months", "dialogues", "came_in"}


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as running:
        yield running


def changed(*path: Any, value: Any) -> dict[str, Any]:
    """The body with one place changed."""
    body = offer_body()
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return body


def test_an_offer_is_set_read_replaced_and_withdrawn(app: Api) -> None:
    client = app.client("planner")
    assert client.get(PATH).status_code == 404
    made = client.put(PATH, json=offer_body())
    assert (made.status_code, made.headers["Location"], made.json()["version"]) == (201, PATH, 1), made.text
    body = made.json()
    assert body["tiers"][0]["price"]["value"] == "1.250000"
    assert body["co2_saved_kg_per_unit"]["low"] == "-0.010000"
    assert client.get(PATH).json() == body
    with reading(app.engine) as session:
        (record,) = service.all_offers(session)
    assert (record.tipping_quantity, record.tiers[0].price.value, record.criteria) == (1000, 1_250_000, ("uhm-basic",))
    assert client.put(PATH, json=offer_body(name="Other")).status_code == 428
    done = client.put(PATH, json=offer_body(name="Other"), headers={"If-Match": made.headers["ETag"]})
    assert (done.status_code, done.json()["version"], done.json()["name"]) == (200, 2, "Other")
    assert client.put(PATH, json=offer_body(), headers={"If-Match": made.headers["ETag"]}).status_code == 412
    same = client.put(PATH, json=offer_body(name="Other"), headers={"If-Match": done.headers["ETag"]})
    assert same.json()["version"] == 2
    etag = {"If-Match": done.headers["ETag"]}
    assert client.post(f"{PATH}/withdraw").status_code == 428
    gone = client.post(f"{PATH}/withdraw", headers=etag)
    assert (gone.status_code, gone.json()["withdrawn_at"] is not None) == (200, True)
    with reading(app.engine) as session:
        assert service.all_offers(session) == []
    assert client.get("/v1/offers").json()["items"] == []
    assert [each["id"] for each in client.get("/v1/offers?withdrawn=true").json()["items"]] == ["syringes-green"]
    again = client.post(f"{PATH}/withdraw", headers={"If-Match": gone.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    back = client.put(PATH, json=offer_body(), headers={"If-Match": gone.headers["ETag"]})
    assert (back.status_code, back.json()["withdrawn_at"], back.json()["version"]) == (200, None, 4)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed("category", value="none-such"), "#/category"),
        (changed("criteria", value=["none-such"]), "#/criteria"),
        (changed("currency", value=None), "#/currency"),
        (changed("currency", value="XXX"), "#/currency"),
        (changed("valid_to", value="2020-01-01") | {"valid_from": "2021-01-01"}, "#"),
        (changed("tiers", 0, "price", "source_date", value="2035-01-01") | {"currency": "SEK"}, "#/tiers"),
        (changed("tiers", 0, "price", "low", value="1.26"), "#/tiers/0"),
        (changed("tiers", 0, "from_quantity", "low", value=1001), "#/tiers/0"),
        (changed("co2_saved_kg_per_unit", "high", value="0"), "#"),
        (changed("dialogues", value=["00000000-0000-4000-8000-000000000000"]), "#/dialogues/0"),
    ],
)
def test_what_an_offer_file_would_be_refused_for_is_refused_here_with_its_place(
    app: Api, body: dict[str, Any], pointer: str
) -> None:
    client = app.client("planner")
    refused = client.put(PATH, json=body)
    assert refused.status_code == 422, refused.text
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        changed("tiers", value=[]),
        changed("tiers", 0, "price", "value", value="1,25"),
        changed("tiers", 0, "price", "value", value="1.1234567"),
        changed("tiers", 0, "price", "value", value=1.25),
        changed("tiers", 0, "from_quantity", "value", value=-1),
        changed("tiers", 0, "from_quantity", "source", value=""),
        changed("term_months", value=0),
        changed("max_quantity", value=10**15 + 1),
        changed("colour", value="green"),
        changed("price_basis", value="free"),
    ],
)
def test_what_is_out_of_bounds_is_refused(app: Api, body: dict[str, Any]) -> None:
    assert app.client("planner").put(PATH, json=body).status_code == 400


def test_prices_and_volumes_are_absent_for_all_but_planners_and_auditors(app: Api) -> None:
    limits = {"max_quantity": 77_777, "total_max_quantity": 88_888, "term_months": 36}
    app.client("planner").put(PATH, json=offer_body(**limits))
    for role in ("planner", "auditor"):
        assert set(app.client(role).get(PATH).json()) >= SECRET
    for role in ("coordinator", "partner"):
        client = app.client(role, participants=["SE-M"])
        for shown in (client.get(PATH).json(), client.get("/v1/offers").json()["items"][0]):
            assert not SECRET & set(shown)
            assert shown["co2_saved_kg_per_unit"]["value"] == "0.010000"
        assert client.put(PATH, json=offer_body()).status_code == 403
        assert client.get("/v1/dialogues").status_code == 404
    assert app.client("administrator").get(PATH).status_code == 403


def test_a_dialogue_is_recorded_changed_and_pointed_to_by_offers(app: Api) -> None:
    client = app.client("planner")
    said = {**SAID, "categories": ["insulin-syringes"], "open_questions": ["from which volume on?"]}
    made = client.post("/v1/dialogues", json=said)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    offer = client.put(PATH, json=offer_body(dialogues=[made.json()["id"]]))
    assert offer.json()["dialogues"] == [made.json()["id"]]
    read = client.get(path)
    assert (read.json()["offers"], read.json()["categories"]) == (["syringes-green"], ["insulin-syringes"])
    assert client.put(path, json=SAID).status_code == 428
    done = client.put(path, json={**SAID, "learnt": "more"}, headers={"If-Match": read.headers["ETag"]})
    assert (done.status_code, done.json()["version"], done.json()["categories"]) == (200, 2, [])
    assert client.put(path, json=SAID, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    wrong = client.post("/v1/dialogues", json={**SAID, "categories": ["insulin-syringes", "none-such"]})
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["#/categories/1"]
    assert client.post("/v1/dialogues", json={**SAID, "participants": ""}).status_code == 400
    without = client.put(PATH, json=offer_body(), headers={"If-Match": offer.headers["ETag"]})
    assert (without.json()["dialogues"], without.json()["version"]) == ([], 2)
    assert len(client.get("/v1/dialogues?limit=1").json()["items"]) == 1


def test_offers_come_in_pages_and_by_category(app: Api) -> None:
    client = app.client("planner")
    for key in ("c", "a", "b"):
        assert client.put(f"/v1/offers/{key}", json=offer_body()).status_code == 201
    first = client.get("/v1/offers?limit=2")
    assert [each["id"] for each in first.json()["items"]] == ["a", "b"]
    assert [each["id"] for each in client.get(first.links["next"]["url"]).json()["items"]] == ["c"]
    assert client.get("/v1/offers?category=none").json()["items"] == []
