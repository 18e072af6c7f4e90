"""Reference data over real HTTP: whole, in pages, and nothing that is not public."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from pooling.database import opened, transaction
from pooling.reference import service
from tests.pooling.serving import served


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with transaction(engine) as session:
        service.install(session)
    return engine


@pytest.fixture(scope="module")
def client(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One server for all that reads alike on any database."""
    path = tmp_path_factory.mktemp("api") / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    with opened(f"sqlite:///{path}") as engine, transaction(engine) as session:
        service.install(session)
    with served(f"sqlite:///{path}") as running:
        yield running


def walked(client: httpx.Client, path: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
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


LISTS = (("participants", "code", 58), ("categories", "id", 120), ("criteria", "code", 25))


def test_a_list_is_whole_whatever_the_size_of_its_pages(filled: Engine, database_url: str) -> None:
    with served(database_url) as client:
        for path, key, count in LISTS:
            small = walked(client, f"/v1/{path}?limit=13")
            large = walked(client, f"/v1/{path}?limit=500")
            assert small == large
            assert [item[key] for item in small] == sorted({str(item[key]) for item in small})
            assert len(small) == count
            assert client.get(f"/v1/{path}").json()["items"] == large[:100]


def test_a_participant_says_who_signs_and_under_which_law(client: httpx.Client) -> None:
    known = {item["code"]: item for item in walked(client, "/v1/participants")}
    assert known["DK-84"]["successor"] == "DK-OST"
    assert (known["DK-84"]["valid_to"], known["DK-OST"]["valid_from"]) == ("2027-01-01", "2027-01-01")
    assert known["NO-HN"]["signing_body"]["name"] == "Sykehusinnkjøp HF"
    assert known["FO"]["may_lead"] is False
    assert known["FI-18-IU"]["population_within"] == "FI-18-HUS"


def test_a_criterion_says_all_it_implies(client: httpx.Client) -> None:
    known = {item["code"]: item for item in walked(client, "/v1/criteria")}
    assert known["uhm-spearhead"]["implies"] == ["uhm-advanced", "uhm-basic"]
    assert known["uhm-basic"]["implies"] == []


def test_only_named_fields_leave(client: httpx.Client) -> None:
    participant, category, criterion = (client.get(f"/v1/{path}?limit=1").json()["items"][0] for path, _, _ in LISTS)
    assert set(participant) == {
        *("code", "name", "country", "currency", "contracting_authority", "may_lead", "signing_body", "valid_from"),
        *("valid_to", "successor", "population", "population_year", "population_overlaps", "population_within"),
        *("organisation_id", "source"),
    }
    assert set(category) == {"id", "family", "name", "cpv", "cpv_name", "emdn", "unit", "base_unit", "source"}
    assert set(criterion) == {
        *("code", "name", "framework", "level", "eforms_list", "eforms_code", "proof", "implies", "source")
    }


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=1.5", "limit=", "cursor=x", "cursor=", "limit=1&page=2", "limit=1&limit=x"]
)
def test_bad_queries_are_refused(client: httpx.Client, query: str) -> None:
    assert client.get(f"/v1/criteria?{query}").status_code == 400
    assert client.get("/v1/criteria?limit=500").status_code == 200


def test_a_cursor_of_one_list_is_refused_by_another(client: httpx.Client) -> None:
    cursor = client.get("/v1/participants?limit=1").json()["next_cursor"]
    assert client.get("/v1/participants", params={"cursor": cursor}).status_code == 200
    refused = client.get("/v1/categories", params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor")


def test_what_is_stored_while_serving_is_served(filled: Engine, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_text("id,family,name,unit,source\naaa,f,First,H87,s\n", encoding="utf-8")
    with served(database_url) as client:
        before = client.get("/v1/categories?limit=1").json()["items"][0]["id"]
        with transaction(filled) as session:
            service.add_categories(session, path)
        assert (before, client.get("/v1/categories?limit=1").json()["items"][0]["id"]) == (
            "absorbable-haemostatics-haemostatic-dressings",
            "aaa",
        )
