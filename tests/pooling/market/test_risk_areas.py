"""Risk areas: what is packaged is whole, and a planner's word stands in its place."""

from collections.abc import Iterator
from typing import Any

import pytest

from pooling.market.risk_areas import shipped
from tests.pooling.access.samples.market import SAID, risk_area_body
from tests.pooling.api_client import Api, api

PATH = "/v1/risk-areas/gloves"


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as running:
        yield running


def test_every_packaged_area_names_what_there_is_and_who_leads_and_says_so(app: Api) -> None:
    found = app.client("coordinator", participants=["SE-M"]).get("/v1/risk-areas").json()["items"]
    assert [each["id"] for each in found] == sorted(shipped())
    categories = {each["id"]: each for each in _all(app, "/v1/categories")}
    criteria = {each["code"] for each in _all(app, "/v1/criteria")}
    for each in found:
        assert each["covers"], each["id"]
        assert each["criteria"], each["id"]
        assert set(each["criteria"]) <= criteria
        assert set(each["families"]) <= {category["family"] for category in categories.values()}
        assert each["leads"]
        assert each["source"].startswith("verified: ")
        assert each["packaged"]


def _all(app: Api, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.client("planner").get(f"{path}?limit=500").json()["items"]
    return found


def test_a_category_leads_to_its_areas(app: Api) -> None:
    client = app.client("planner")
    found = client.get("/v1/risk-areas?category=examination-gloves-nitrile-non-sterile").json()["items"]
    assert [each["id"] for each in found] == ["gloves"]
    assert client.get("/v1/risk-areas?category=none-such").json()["items"] == []


def test_a_planner_sets_a_packaged_area_anew_and_adds_others(app: Api) -> None:
    client = app.client("planner")
    before = client.get(PATH)
    body = risk_area_body(families=[], categories=["insulin-syringes"], source_date="2026-11-01")
    assert client.put(PATH, json=body).status_code == 428
    done = client.put(PATH, json=body, headers={"If-Match": before.headers["ETag"]})
    assert (done.status_code, done.json()["version"], done.json()["packaged"]) == (200, 2, False), done.text
    assert done.json()["covers"] == ["insulin-syringes"]
    assert client.put(PATH, json=body, headers={"If-Match": before.headers["ETag"]}).status_code == 412
    again = client.put(PATH, json=risk_area_body(), headers={"If-Match": done.headers["ETag"]})
    assert (again.json()["version"], again.json()["leads"]) == (3, "Region Skåne")
    assert len(client.get("/v1/risk-areas").json()["items"]) == len(shipped())
    assert client.put("/v1/risk-areas/another", json=risk_area_body()).status_code == 201
    assert client.get("/v1/risk-areas/another").json()["packaged"] is False
    assert client.get("/v1/risk-areas/none-such").status_code == 404
    assert app.client("coordinator", participants=["SE-M"]).put(PATH, json=body).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"families": ["glove"]}, "#/families/0"),
        ({"categories": ["insulin-syringes", "none-such"]}, "#/categories/1"),
        ({"criteria": ["none-such"]}, "#/criteria/0"),
        ({"families": []}, "#/families"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(app: Api, change: dict[str, Any], pointer: str) -> None:
    refused = app.client("planner").put("/v1/risk-areas/new", json=risk_area_body(**change))
    assert refused.status_code == 422, refused.text
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


def test_dialogues_are_found_by_category(app: Api) -> None:
    client = app.client("planner")
    for categories in (["insulin-syringes"], ["insulin-syringes", "safety-lancets"], []):
        assert client.post("/v1/dialogues", json={**SAID, "categories": categories}).status_code == 201
    counts = [
        len(client.get(f"/v1/dialogues{query}").json()["items"])
        for query in ("", "?category=insulin-syringes", "?category=safety-lancets", "?category=none-such")
    ]
    assert counts == [3, 2, 1, 0]
