"""Findings about plans over HTTP: made by jobs, kept, read; a region is shown its own share by volume and no more."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from pooling.database import reading, transaction
from pooling.planning import findings, service, work
from solver import Instance
from solver.near_misses.finding import near_misses
from solver.plan_reading import read_plan
from solver.risk.pools import risk
from solver.sharing.rules import share
from tests.pooling.planning.conftest import OTHER, REGION, Planned
from tests.pooling.planning.demand import GLOVES, policy


def question(planned: Planned) -> work.Question:
    with reading(planned.api.engine) as session:
        return findings.question(session, planned.plan)


def answer(planned: Planned, kind: str) -> dict[str, Any]:
    """What the solver says of the plan, asked here."""
    asked = question(planned)
    instance = Instance.from_document(asked.instance)
    pools = read_plan(asked.plan, instance)
    seed = asked.seed
    found = {
        "near-misses": lambda: near_misses(instance, pools),
        "shares": lambda: share(instance, pools, seed=seed),
        "risk": lambda: risk(instance, pools, seed=seed),
    }[kind]()
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found.to_document()))
    return document


def test_what_is_not_found_out_yet_says_how_to_ask(planned: Planned, here: None) -> None:
    base = f"/v1/plans/{planned.plan}"
    assert planned.planner.get(f"{base}/explanations").json() == {
        "kept": [],
        "missing": ["volume", "near-misses", "risk", "shares"],
    }
    missing = planned.planner.get(f"{base}/near-misses")
    assert missing.status_code == 404
    assert "/explanations" in missing.json()["detail"]
    started = planned.planner.post(f"{base}/explanations")
    assert started.status_code == 202
    assert planned.work() == 1
    assert planned.planner.get(started.json()["operation"]).json()["status"] == "succeeded"
    assert planned.planner.get(f"{base}/explanations").json()["missing"] == []
    assert planned.planner.get(f"{base}/near-misses").status_code == 200
    planned.planner.post(f"{base}/explanations")
    assert planned.work() == 1  # nothing is left to find; nothing is found twice


def test_a_second_try_finds_out_only_what_is_missing(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first try is broken off after two of the four kinds; these stay and are not looked for again."""
    found: list[str] = []

    def apart(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any, stop: Any = lambda: False) -> Any:
        def tell(told: Any) -> None:
            on_progress(told)
            if "document" in told:
                found.append(told["found"])
                if len(found) == 2:
                    raise ConnectionError("the worker lost its database")

        return function(*arguments, on_progress=tell, stop=stop)

    monkeypatch.setattr("pooling.planning.jobs.run_apart", apart)
    planned.planner.post(f"/v1/plans/{planned.plan}/explanations")
    planned.work()
    assert found == ["volume", "near-misses"]
    planned.api.clock.now += planned_wait()
    planned.work()
    assert found == ["volume", "near-misses", "risk", "shares"]
    assert planned.planner.get(f"/v1/plans/{planned.plan}/explanations").json()["missing"] == []


def planned_wait() -> Any:
    from datetime import timedelta

    return timedelta(minutes=5)


def test_near_misses_are_the_solver_s(planned: Planned) -> None:
    """With a third tier far above, the gloves' lot is near it."""
    planned.explain()
    items = planned.planner.get(f"/v1/plans/{planned.plan}/near-misses").json()["items"]
    known = answer(planned, "near-misses")["near_misses"]
    assert [(each["offer"], each["start"], each["needed_quantity"]) for each in items] == [
        (each["offer"], each["start"], each["needed_quantity"]) for each in known
    ]


def test_near_misses_are_read_in_pages(planned: Planned) -> None:
    miss = {
        "kind": "tipping",
        "category": GLOVES,
        "family": "gloves",
        "offer": "o",
        "start": "2028-01",
        "lines": ["1"],
        "participants": [REGION],
        "sure_quantity": 1.5,
        "needed_quantity": 2,
        "missing_quantity": 0.5,
        "share": 0.75,
        "worth_eur": None,
        "ways": [],
    }
    rows = [{**miss, "offer": f"o{k}"} for k in range(7)]
    with transaction(planned.api.engine) as session:
        findings.keep(session, planned.plan, "near-misses", {"near_misses": rows}, now=planned.api.clock.now)
    seen, cursor = [], ""
    while True:
        page = planned.planner.get(f"/v1/plans/{planned.plan}/near-misses?limit=3{cursor}").json()
        seen += [each["offer"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"o{k}" for k in range(7)]


def test_shares_are_the_solver_s_by_all_four_rules(planned: Planned) -> None:
    planned.explain()
    shown = planned.planner.get(f"/v1/pools/{planned.pool}/shares").json()
    (known,) = answer(planned, "shares")["pools"]
    assert [each["participant"] for each in shown["participants"]] == known["participants"]
    for each in shown["participants"]:
        for kind in ("valued", "cash"):
            for rule in ("own_benefit", "proportional", "shapley", "least_core"):
                amount = known[kind]["rules"][rule]["amounts_eur"][each["participant"]]
                assert each[kind][f"{rule}_eur"] == pytest.approx(amount, abs=0.01)
    assert shown["valued"]["gain_eur"] == pytest.approx(known["valued"]["gain_eur"])
    assert [rule["rule"] for rule in shown["cash"]["rules"]] == [
        "own_benefit",
        "proportional",
        "shapley",
        "least_core",
    ]
    total = sum(each["valued"]["proportional_eur"] for each in shown["participants"])
    assert total == pytest.approx(shown["valued"]["gain_eur"])


def test_a_region_is_shown_its_own_share_by_volume_and_nothing_else(planned: Planned) -> None:
    planned.explain()
    whole = planned.planner.get(f"/v1/pools/{planned.pool}/shares").json()
    own = planned.coordinator.get(f"/v1/pools/{planned.pool}/shares").json()
    assert set(own) == {"pool", "plan", "family", "start", "made_at", "participants"}
    (mine,) = own["participants"]
    assert set(mine) == {"participant", "senders", "valued", "cash"}
    assert set(mine["valued"]) == set(mine["cash"]) == {"alone_eur", "proportional_eur"}
    known = next(each for each in whole["participants"] if each["participant"] == REGION)
    assert mine["valued"]["proportional_eur"] == known["valued"]["proportional_eur"]
    assert (
        planned.api.client("coordinator", participants=["FI-11"]).get(f"/v1/pools/{planned.pool}/shares").status_code
        == 404
    )


def test_a_successor_is_not_shown_the_share_of_lines_that_others_sent(planned: Planned) -> None:
    """Danish demand of 2027 passes to DK-OST, its line was sent by DK-84: the share is shown to the sender."""
    planned.explain()
    path = f"/v1/pools/{planned.pool}/shares"
    successor = planned.api.client("coordinator", participants=["DK-OST"])
    sender = planned.api.client("coordinator", participants=["DK-84"])
    assert successor.get(path).status_code == 404
    (share_of_sender,) = sender.get(path).json()["participants"]
    assert (share_of_sender["participant"], share_of_sender["senders"]) == ("DK-OST", ["DK-84"])


def test_risk_is_the_solver_s(planned: Planned) -> None:
    planned.explain()
    known = answer(planned, "risk")
    plan = planned.planner.get(f"/v1/plans/{planned.plan}/risk").json()
    assert plan["draws"] == known["draws"]
    assert plan["drawn"]["policy"] == pytest.approx(known["drawn"]["policy"])
    pool = planned.planner.get(f"/v1/pools/{planned.pool}/risk").json()
    assert pool["fragility"]["fragile"] == known["pools"][0]["fragility"]["fragile"]
    chance = known["pools"][0]["lots"][0]["chances"]["policy"]
    assert pool["lots"][0]["chances"]["policy"] == pytest.approx(chance)
    assert pool["members"] == ["DK-OST", "FO", "NO-HSO", "SE-M"]
    assert OTHER in plan["participants"]


@pytest.mark.parametrize(
    "path", ["plans/{plan}/near-misses", "plans/{plan}/risk", "plans/{plan}/volume", "pools/{pool}/risk", "volume"]
)
def test_what_others_bring_is_the_planners(planned: Planned, path: str) -> None:
    planned.explain()
    address = "/v1/" + path.format(plan=planned.plan, pool=planned.pool)
    assert planned.planner.get(address).status_code == 200
    assert planned.api.client("auditor").get(address).status_code == 200
    assert planned.coordinator.get(address).status_code == 404
    assert planned.api.client("administrator").get(address).status_code in (403, 404)


def test_volume_to_market_is_that_of_the_command(planned: Planned) -> None:
    """By HTTP under a kept policy, from live demand and from the plan's own lines."""
    planned.explain()
    with reading(planned.api.engine) as session:
        rows = service.volume_to_market(session, policy())
    kept = {"as_of": "2026-11-01", "forecast_correlation": 0.0}
    assert planned.planner.put("/v1/policies/small", json=kept).status_code == 201
    live = planned.planner.get("/v1/volume?policy=small&best=false&limit=500").json()["items"]
    of_plan = planned.planner.get(f"/v1/plans/{planned.plan}/volume?best=false&limit=500").json()["items"]
    assert live == of_plan
    assert len(live) == len(rows)
    best = planned.planner.get("/v1/volume?policy=small").json()["items"]
    assert best == [each for each in live if each["best"]]
    assert {(each["category"], tuple(each["criteria"]), each["start"], each["quantity"]) for each in live} == {
        (row.category, row.criteria, row.start, row.quantity) for row in rows
    }
    paged, cursor = [], ""
    while True:
        page = planned.planner.get(f"/v1/volume?policy=small&limit=2{cursor}").json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == best
    assert planned.planner.get("/v1/volume?policy=unknown").status_code == 404


def test_what_lets_a_line_in_is_looked_for_by_a_job(planned: Planned, here: None) -> None:
    """The Finnish line refuses what the one offer meets: dropping the refusal lets it in."""
    path = f"/v1/plans/{planned.plan}/lines/{planned.lines[5]}/unlock"
    assert planned.planner.get(path).status_code == 404
    assert planned.planner.post(path, json={"time_limit_s": 30}).status_code == 202
    assert planned.work() == 1
    found = planned.planner.get(path).json()
    assert (found["line"], found["status"]) == (str(planned.lines[5]), "unlocked")
    (change,) = found["cheapest"]["changes"]
    assert change == {"kind": "criterion_accepted", "line": str(planned.lines[5]), "criterion": "uhm-advanced"}
    assert found["cheapest"]["with_eur"] > found["cheapest"]["without_bound_eur"]
    pooled = f"/v1/plans/{planned.plan}/lines/{planned.lines[0]}/unlock"
    assert planned.planner.post(pooled, json={}).status_code == 404
    assert planned.api.client("coordinator", participants=["FI-11"]).get(path).status_code == 404


def test_baselines_are_put_beside_a_plan_by_a_job(planned: Planned, here: None) -> None:
    path = f"/v1/plans/{planned.plan}/baselines"
    assert planned.planner.post(path, json={"time_limit_s": 20}).status_code == 202
    assert planned.work() == 1
    found = planned.planner.get(path).json()
    names = [each["name"] for each in found["baselines"]]
    assert {"countries_alone", "participants_alone", "standard_offer", "largest_first"} <= set(names)
    for each in found["baselines"]:
        assert each["plan_over_eur"] == pytest.approx(found["plan"]["objective_eur"] - each["total_eur"])
        single = each["name"].startswith("participants_alone")
        assert all(part["participants"] == ([part["name"]] if single else []) for part in each["parts"])
    assert planned.coordinator.get(path).status_code == 404


def test_findings_of_a_plan_that_is_not_there(planned: Planned) -> None:
    nobody = UUID(int=7)
    for path in ("explanations", "baselines", "lines/1/unlock"):
        assert planned.planner.post(f"/v1/plans/{nobody}/{path}", json={}).status_code == 404
    assert planned.planner.get(f"/v1/plans/{nobody}/explanations").status_code == 404


def test_a_finding_made_again_takes_the_place_of_the_one_before(planned: Planned) -> None:
    planned.explain()
    before = planned.planner.get(f"/v1/plans/{planned.plan}").json()["version"]
    planned.explain()
    after = planned.planner.get(f"/v1/plans/{planned.plan}").json()
    assert after["version"] == before + len(work.FIND)
    assert len(after["explained"]) == len(work.FIND)
    assert OTHER in after["participants"]
