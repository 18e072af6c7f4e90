"""Doubts that others' demand raises after a file was stored, listed over HTTP."""

from typing import Any

from tests.pooling.api_client import Api, RoleClient
from tests.pooling.demand.api_world import app, forecast

__all__ = ["app"]
PEERS = ("SE-C", "SE-D", "SE-E", "SE-F", "SE-H", "SE-T")
"""Of like size."""


def send(client: RoleClient, code: str, *quantities: int) -> None:
    """Its forecasts of one category, under ids by number."""
    lines = [
        forecast(participant=code, external_id=f"{code}-{number}", quantity=quantity)
        for number, quantity in enumerate(quantities)
    ]
    done = client.post("/v1/forecasts", json={"source": "erp", "lines": lines})
    assert done.status_code == 200, done.text


def doubtful(client: RoleClient, **more: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    answer = client.get("/v1/lines", params={"doubtful": "true", **more})
    assert answer.status_code == 200, answer.text
    return [(each["external_id"], each["doubts"]) for each in answer.json()["items"]]


def test_a_doubt_that_comes_later_is_listed_for_whose_it_is_and_for_planners(app: Api) -> None:
    mine, planner = app.client("coordinator", participants=["SE-M"]), app.client("planner")
    send(mine, "SE-M", 30_000_000)
    assert doubtful(mine) == doubtful(planner) == [], "nobody to compare it with"
    for code in PEERS:
        send(planner, code, 30_000)
    found = doubtful(mine)
    assert [key for key, _ in found] == ["SE-M-0"]
    (doubt,) = found[0][1]
    assert (doubt["kind"], doubt["direction"]) == ("volume", "high")
    assert doubtful(planner) == doubtful(app.client("auditor")) == found
    assert doubtful(app.client("coordinator", participants=["SE-H"])) == []
    assert doubtful(planner, participant="SE-H") == []
    assert doubtful(planner, participant="SE-M") == found
    (line,) = mine.get("/v1/lines").json()["items"]
    assert "doubts" not in line
    assert mine.get(f"/v1/lines/{line['id']}").json()["doubts"] == found[0][1]
    send(mine, "SE-M", 120_000)
    assert doubtful(mine) == doubtful(planner) == [], "it was corrected"


def test_the_list_goes_on_page_by_page(app: Api) -> None:
    planner = app.client("planner")
    send(planner, "SE-M", *[10_000_000] * 3)
    for code in PEERS:
        send(planner, code, 30_000)
    path, keys = "/v1/lines?doubtful=true&limit=2", []
    while path:
        page = planner.get(path).json()
        keys += [each["external_id"] for each in page["items"]]
        path = f"/v1/lines?doubtful=true&limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert keys == ["SE-M-0", "SE-M-1", "SE-M-2"]
