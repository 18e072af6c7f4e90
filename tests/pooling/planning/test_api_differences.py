"""Two plans compared over HTTP, and a scenario's plan stored."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from pooling.database import reading, transaction
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.planning import service
from pooling.planning.differences import Figures, Lot, Pool, identities, pair
from pooling.planning.jobs import HANDLERS
from tests.pooling.api_client import Api
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.conftest import OTHER, REGION, Planned
from tests.pooling.planning.demand import GOWNS, NOW, add_lines, figure, line, offer, policy, submission
from tests.pooling.planning.given import POLICY

GOWN_FAMILY = "protective-clothing"


def compared(planned: Planned, other: object, *, role: Any = None) -> Any:
    answer = (role or planned.planner).get(f"/v1/plan-differences?from={planned.plan}&to={other}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_and_itself_are_the_same(planned: Planned) -> None:
    found = compared(planned, planned.plan)
    assert [(each["status"], each["differs"]) for each in found["pools"]] == [("same", [])]
    assert set(found["difference"].values()) == {0}
    with reading(planned.api.engine) as session:
        view = service.view_plan(session, planned.plan)
    (pool,) = view.pools
    shown = found["after"]
    assert shown["value_over_term_eur"] == pytest.approx(pool.value_over_term_eur)
    gain = view.totals.gain
    assert shown["cash_saving_eur"] == pytest.approx(gain.savings_eur - gain.bridging_cost_eur - gain.set_up_cost_eur)
    assert shown["co2_saved_tonnes_per_year"] == pytest.approx(view.totals.co2_saved_tonnes_per_year)
    assert sum(each["after"]["lines_pooled"] for each in found["participants"]) == shown["lines_pooled"] == 5
    spend = sum(each["after"]["spend_eur_per_year"] for each in found["participants"])
    assert spend == pytest.approx(shown["spend_eur_per_year"])


def test_what_moved_what_is_new_and_what_is_gone(planned: Planned) -> None:
    """A line of the gloves can only start later, and gowns get an offer; the other way round the gowns are gone."""
    with transaction(planned.api.engine) as session:
        gowns = offer("gowns-green", GOWNS, tiers=(TierRecord(figure(400_000), figure(40_000)),))
        market.store_offers(session, [gowns], file=("more.csv", "a" * 64), loaded_at=NOW)
        add_lines(session, submission(session, "more"), [line("NO-HV", 500_000, GOWNS)])
        session.connection().execute(text("UPDATE line SET earliest_start = '2028-05' WHERE participant = 'NO-HSO'"))
    other = service.make_plan(planned.api.engine, policy(), now=planned.api.clock.now).plan
    found = compared(planned, other)
    by_family = {each["family"]: each for each in found["pools"]}
    assert {family: each["status"] for family, each in by_family.items()} == {"gloves": "moved", GOWN_FAMILY: "new"}
    assert {"start"} <= set(by_family["gloves"]["differs"])
    assert by_family[GOWN_FAMILY]["before"] is None
    assert found["difference"]["lines_pooled"] == found["after"]["lines_pooled"] - found["before"]["lines_pooled"]
    back = {
        each["family"]: each["status"]
        for each in planned.planner.get(f"/v1/plan-differences?from={other}&to={planned.plan}").json()["pools"]
    }
    assert back == {"gloves": "moved", GOWN_FAMILY: "gone"}


def test_a_coordinator_is_shown_own_rows_and_no_sum(planned: Planned) -> None:
    found = compared(planned, planned.plan, role=planned.coordinator)
    assert [each["participant"] for each in found["participants"]] == [REGION]
    assert OTHER not in str(found)
    assert set(found) == {"plan_before", "plan_after", "participants"}
    assert "value_over_term_eur" not in found["participants"][0]["after"]
    assert planned.planner.get(f"/v1/plan-differences?from={planned.plan}&to={uuid4()}").status_code == 404
    assert planned.planner.get(f"/v1/plan-differences?from={planned.plan}").status_code == 400


def test_a_scenarios_plan_becomes_a_plan_like_any_other(opened: Api, here: None) -> None:
    planner = opened.client("planner")
    grid = {"carbon_price_eur_per_tonne": [0, 500], "min_participants": [2, 9]}
    asked = planner.post("/v1/scenarios", json={"name": "grid", "policy": POLICY, "grid": grid, "time_limit_s": 60})
    address = f"/v1/scenarios/{asked.json()['id']}/plans"
    early = planner.post(address, json={"number": 0})
    assert (early.status_code, early.json()["code"]) == (409, "wrong-state")
    work_all(opened.engine, HANDLERS, now=opened.clock.now)
    result = planner.get(f"/v1/scenarios/{asked.json()['id']}").json()["result"]
    assert "plan" not in result["points"][0]

    stored = {number: planner.post(address, json={"number": number}) for number in (-1, 0, 1, 2)}
    for number, answer in stored.items():
        assert answer.status_code == 201, answer.text
        point = result["base"] if number == -1 else result["points"][number]
        plan = planner.get(answer.headers["Location"]).json()
        assert plan["objective_eur"] == pytest.approx(point["objective_eur"]), number
        assert plan["totals"]["lines_pooled"] == point["totals"]["lines_pooled"]
        assert plan["policy"]["min_participants"] == (9 if number in (1, 3) else 2)
        assert plan["policy_name"].endswith("of grid")
    assert len({answer.json()["plan"] for answer in stored.values()}) == 4
    again = planner.post(address, json={"number": 2})
    assert (again.json()["plan"], again.json()["again"]) == (stored[2].json()["plan"], True)
    one, two = (stored[number].json()["plan"] for number in (0, 1))
    found = planner.get(f"/v1/plan-differences?from={one}&to={two}").json()
    assert [each["status"] for each in found["pools"]] == ["gone"]
    assert planner.post(address, json={"number": 4}).status_code == 404
    assert planner.post(address, json={"number": -2}).status_code == 400
    assert opened.client("coordinator", participants=[REGION]).post(address, json={"number": 0}).status_code == 404


def pool(start: str, *lines: str, family: str = "gloves", tier: int = 0, lead: str = "SE-M") -> Pool:
    """A pool of one lot; every line is worth EUR 1 a year."""
    lot = Lot("green", tier, len(lines), frozenset(lines))
    return Pool(family, start, lead, ("SE-M",), (lot,), Figures(), dict.fromkeys(lines, 1.0))


def test_pools_are_taken_for_each_other_by_the_spend_they_share() -> None:
    """The first has two of the three lines of the later pool, the second one: the first moved there."""
    before = [pool("2028-01", "a", "b"), pool("2028-02", "c", "d"), pool("2028-01", "x", family="gauze")]
    after = [pool("2028-02", "a", "b", "c"), pool("2028-03", "d", lead="FO"), pool("2028-01", "y", family="gauze")]
    found = [(each.status, each.differs) for each in pair(before, after)]
    assert found == [
        ("new", ()),
        ("gone", ()),
        ("moved", ("start", "lines", "quantities")),
        ("moved", ("start", "lead", "lines", "quantities")),
    ]
    assert [each.differs for each in pair(before[:1], [pool("2028-01", "a", "b", tier=1)])] == [("tiers",)]


def test_a_line_that_was_sent_anew_is_known_again_unless_two_could_be_meant() -> None:
    described = {1: ("SE-M", "gloves", "A"), 2: ("SE-M", "gloves", "B"), 3: ("SE-M", "gloves", "B"), 4: ("FO", "x", "")}
    described |= {key + 10: value for key, value in described.items()}
    first, second = identities([1, 2, 3, 4], [11, 12, 13, 4], described)
    assert first[1] == second[11]
    assert first[4] == second[4] == 4
    assert {first[2], first[3]}.isdisjoint({second[12], second[13]})
