"""Policies kept under a name over HTTP."""

from typing import Any

import pytest

from tests.pooling.api_client import Api, RoleClient
from tests.pooling.planning.given import POLICY


@pytest.fixture
def planner(opened: Api) -> RoleClient:
    return opened.client("planner")


def test_a_policy_is_kept_read_replaced_and_dropped(opened: Api, planner: RoleClient) -> None:
    made = planner.put("/v1/policies/cautious", json=POLICY)
    assert (made.status_code, made.headers["Location"]) == (201, "/v1/policies/cautious")
    read = planner.get("/v1/policies/cautious")
    assert (read.json()["document"], read.json()["version"]) == (POLICY, 1)
    changed = planner.put(
        "/v1/policies/cautious", json={"min_participants": 3}, headers={"If-Match": read.headers["ETag"]}
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json()["document"] == {"min_participants": 3}
    stale = planner.put("/v1/policies/cautious", json=POLICY, headers={"If-Match": read.headers["ETag"]})
    assert (stale.status_code, stale.headers["ETag"]) == (412, changed.headers["ETag"])
    assert planner.put("/v1/policies/cautious", json=POLICY).status_code == 428
    assert planner.delete("/v1/policies/cautious").status_code == 428
    gone = planner.delete("/v1/policies/cautious", headers={"If-Match": changed.headers["ETag"]})
    assert gone.status_code == 204
    assert planner.get("/v1/policies/cautious").status_code == 404
    assert planner.put("/v1/policies/cautious", json={}, headers={"If-Match": '"1.x"'}).status_code == 412


def test_policies_are_listed_by_name_in_pages(planner: RoleClient) -> None:
    for name in ("b", "c", "a"):
        planner.put(f"/v1/policies/{name}", json={"name": name})
    page = planner.get("/v1/policies?limit=2").json()
    rest = planner.get(f"/v1/policies?limit=2&cursor={page['next_cursor']}").json()
    assert [each["name"] for each in page["items"] + rest["items"]] == ["a", "b", "c"]


def test_a_run_uses_the_policy_of_that_name_as_it_was(planner: RoleClient) -> None:
    planner.put("/v1/policies/small", json=POLICY)
    run = planner.post("/v1/runs", json={"policy_name": "small"}).json()
    assert (run["policy_name"], run["policy"]["pool_cost_eur"]) == ("small", 100)
    etag = planner.get("/v1/policies/small").headers["ETag"]
    planner.put("/v1/policies/small", json={"pool_cost_eur": 7}, headers={"If-Match": etag})
    assert planner.get(f"/v1/runs/{run['id']}").json()["policy"]["pool_cost_eur"] == 100
    both = planner.post("/v1/runs", json={"policy_name": "small", "policy": {}})
    assert both.status_code == 422
    assert planner.post("/v1/runs", json={"policy_name": "smal"}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_participants": 0},
        {"confidence": 1},
        {"horizon_start": "2028-1"},
        {"max_pools_per_quarter": "many"},
        {"unknown": 1},
        {"green_floor": ["not-known"]},
        {"lead_time_months": 3},
        {"as_of": "2026-13-01"},
    ],
)
def test_a_policy_that_cannot_hold_is_refused(planner: RoleClient, wrong: dict[str, Any]) -> None:
    answer = planner.put("/v1/policies/wrong", json=POLICY | wrong)
    assert answer.status_code in (400, 422), answer.text
    assert planner.get("/v1/policies/wrong").status_code == 404


@pytest.mark.parametrize("name", ["Big", "a--b", "x" * 81, "a_b"])
def test_names_are_words_for_addresses(planner: RoleClient, name: str) -> None:
    assert planner.put(f"/v1/policies/{name}", json={}).status_code in (400, 404, 422)


def test_policies_are_the_planners(opened: Api) -> None:
    opened.client("planner").put("/v1/policies/small", json=POLICY)
    coordinator = opened.client("coordinator", participants=["SE-M"])
    assert coordinator.get("/v1/policies/small").status_code == 404
    assert coordinator.put("/v1/policies/mine", json={}).status_code in (403, 404)
    assert opened.client("auditor").get("/v1/policies/small").json()["document"] == POLICY
    assert opened.client("auditor").put("/v1/policies/mine", json={}).status_code in (403, 404)
    assert opened.client("administrator").get("/v1/policies").status_code in (403, 404)
