"""Does a tender hold as it is answered: the borders of every rule, and agreement with the plan's own judge."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from pooling.database import reading
from pooling.tenders import service
from pooling.tenders.judged import Asked, AskedLot, AskedMember, Range, Short
from pooling.tenders.judging import judge
from pooling.tenders.rules import Answer
from pooling.tenders.standing import standing
from tests.pooling.tenders.conftest import Round

POLICY: dict[str, Any] = {
    "horizon_start": "2028-01",
    "confidence": 0.9,
    "forecast_correlation": 0.0,
    "min_participants": 2,
    "no_one_worse_off": True,
    "carbon_price_eur_per_tonne": 0,
    "criterion_value": {},
    "bridging_rate_per_year": 0.0,
    "pool_cost_eur": 0,
    "lot_cost_eur": 0,
    "line_cost_eur": 0,
    "country_cost_eur": 0,
}
OFFER: dict[str, Any] = {
    "criteria": [],
    "max_quantity": None,
    "co2_saved_kg_per_unit": 0.0,
    "tiers": [{"from_quantity": 1000, "unit_price_eur": 1.0}, {"from_quantity": 2000, "unit_price_eur": 0.5}],
}


def line(participant: str, quantity: int, *, price: float = 2.0, spread: int = 0) -> dict[str, Any]:
    return {
        "participant": participant,
        "quantity": quantity,
        "quantity_low": quantity - spread,
        "quantity_high": quantity + spread,
        "unit_price_eur": price,
        "earliest_start": "2028-01",
        "latest_start": "2028-12",
        "bridging_rate_per_year": None,
    }


def member(code: str, answer: Answer = Answer.NONE, **changes: Any) -> AskedMember:
    return replace(AskedMember(code, "SE", contracting_authority=True, may_lead=True, answer=answer), **changes)


def asked(*lines: dict[str, Any], members: list[AskedMember] | None = None, **changes: Any) -> Asked:
    said = changes.pop("said", {})
    offer = {**OFFER, **changes.pop("offer", {})}
    lot = AskedLot(1, "gloves", offer, changes.pop("tier", 0), 36, lines, changes.pop("depths", ()), said)
    people = members or [member(code) for code in sorted({each["participant"] for each in lines})]
    policy = {**POLICY, **changes.pop("policy", {})}
    return Asked("2028-06", changes.pop("lead", "A"), changes.pop("depth", "joint"), policy, (lot,), tuple(people))


def cash_of(gain: dict[str, float]) -> float:
    return gain["savings_eur"] - gain["bridging_cost_eur"] - gain["set_up_cost_eur"]


def codes(question: Asked, *, only_committed: bool = False) -> list[Short]:
    return [fault.code for fault in judge(question, only_committed=only_committed).faults]


def test_the_tipping_volume_is_its_own_border() -> None:
    assert codes(asked(line("A", 500), line("B", 500))) == []
    short = judge(asked(line("A", 500), line("B", 499)))
    assert [(fault.code, fault.missing) for fault in short.faults] == [(Short.BELOW_TIPPING, 1)]
    assert (short.lots[0].tier, short.members[0].cash_eur) == (None, 0.0)


def test_a_tier_further_is_cheaper_for_all() -> None:
    found = judge(asked(line("A", 1000), line("B", 1000)))
    assert (found.lots[0].tier, found.lots[0].unit_price_eur) == (1, 0.5)
    assert [each.cash_eur for each in found.members] == [4500.0, 4500.0]  # 3 years x 1000 x (2 - 0.5)


def test_what_is_sure_is_less_than_what_is_expected() -> None:
    """One spread of 256 at 10 % on either side is 200 a standard deviation: 1.2816 of it are taken off."""
    spread = asked(line("A", 700, spread=256), line("B", 500))
    found = judge(spread)
    assert found.lots[0].sure_quantity == pytest.approx(1200 - 256, abs=0.5)
    assert [fault.code for fault in found.faults] == [Short.BELOW_TIPPING]
    sure = replace(spread.lots[0], said={"A": Range(700, 700, 700)})
    committed = replace(spread, lots=(sure,), members=(member("A", Answer.COMMITTED), member("B")))
    assert codes(committed) == []


def test_authorities_are_counted_in_each_lot() -> None:
    associate = [member("A"), member("B", contracting_authority=False)]
    few = asked(line("A", 900), line("B", 900), members=associate)
    assert codes(few) == [Short.TOO_FEW]
    assert ": 1 contracting authority, 2 are needed" in judge(few).faults[0].words
    assert codes(asked(line("A", 900), line("B", 900))) == []


def test_nobody_may_be_worse_off_where_the_policy_says_so() -> None:
    """B pays 0.99 today and would pay 1.00: 3 years x 600 x 0.01 = EUR 18 worse."""
    dear = asked(line("A", 600), line("B", 600, price=0.99))
    found = judge(dear)
    assert [(fault.code, fault.participant) for fault in found.faults] == [(Short.WORSE_OFF, "B")]
    assert found.members[1].cash_eur == pytest.approx(-18)
    assert codes(asked(line("A", 600), line("B", 600, price=1.0))) == []
    assert codes(asked(line("A", 600), line("B", 600, price=0.99), policy={"no_one_worse_off": False})) == []
    green = asked(
        line("A", 600),
        line("B", 600, price=0.99),
        offer={"co2_saved_kg_per_unit": 1.0},
        policy={"carbon_price_eur_per_tonne": 10},
    )
    worth = judge(green)
    assert worth.holds, "green pays for it: EUR 18 in carbon"
    assert worth.members[1].cash_eur == pytest.approx(-18)
    assert worth.members[1].valued_eur == pytest.approx(0, abs=1e-9)


GREEN: dict[str, Any] = {"offer": {"co2_saved_kg_per_unit": 1.0}, "policy": {"carbon_price_eur_per_tonne": 300}}
"""Worth EUR 0.30 a unit."""


def test_whom_the_answers_make_pay_more_than_today_is_worse_off_in_cash() -> None:
    """B was told 0.50 and pays 0.80 today. Without C the price is 1.00: 3 years x 800 x 0.20 = EUR 480 more, and green
    is worth 3 x 800 x 0.30 = EUR 720."""
    lines = (line("A", 700), line("B", 800, price=0.8), line("C", 600))
    people = [member("A"), member("B"), member("C", Answer.DECLINED)]
    assert codes(asked(*lines, tier=1, **GREEN)) == []
    found = judge(asked(*lines, tier=1, members=people, **GREEN))
    assert [(fault.code, fault.participant) for fault in found.faults] == [(Short.WORSE_IN_CASH, "B")]
    assert "EUR 480.00 more than today" in found.faults[0].words
    told = {each.participant: (each.cash_eur, each.valued_eur, each.worse_off) for each in found.members}
    assert told["B"] == (pytest.approx(-480), pytest.approx(240), ("cash",))
    assert told["A"] == (pytest.approx(2100), pytest.approx(2730), ())
    loose = {**GREEN, "policy": {**GREEN["policy"], "no_one_worse_off": False}}
    assert codes(asked(*lines, tier=1, members=people, **loose)) == []


def test_a_premium_that_the_invitation_told_is_shown_and_holds() -> None:
    lines = (line("A", 700), line("B", 800, price=0.8))
    found = judge(asked(*lines, tier=0, **GREEN))
    assert found.holds
    assert [each.worse_off for each in found.members] == [(), ("cash",)]


def test_cash_is_less_bridging_and_the_set_up_of_ones_own_lines() -> None:
    """A: 3 years x 1000 x 1.00, less EUR 1 a line; from January to June it bridges: 2000 a year x 12 % x 5 / 12."""
    costs = {"line_cost_eur": 1, "bridging_rate_per_year": 0.12, "pool_cost_eur": 500, "lot_cost_eur": 50}
    found = judge(asked(line("A", 500), line("A", 500), line("B", 500), policy=costs))
    assert found.members[0].cash_eur == pytest.approx(3000 - 2 - 100)
    assert found.members[0].cash_eur == found.members[0].valued_eur, "green is worth nothing here"
    assert found.net_eur == pytest.approx(sum(each.valued_eur for each in found.members) - 550)


def test_worse_off_in_both_is_named_as_both() -> None:
    found = judge(asked(line("A", 600), line("B", 600, price=0.99), tier=1))
    assert [fault.code for fault in found.faults] == [Short.WORSE_OFF, Short.WORSE_IN_CASH]
    assert found.members[1].worse_off == ("cash", "value")


def test_a_change_counts_with_what_it_proposes() -> None:
    """1,000 are needed: 900 and 200 hold, 900 and 50 do not; the committed alone are one."""
    lines = (line("A", 900), line("B", 200))
    people = [member("A", Answer.COMMITTED), member("B", Answer.CHANGE)]
    assert codes(asked(*lines, members=people)) == []
    less = asked(*lines, members=people, said={"B": Range(50, 50, 50)})
    assert codes(less) == [Short.BELOW_TIPPING]
    assert [each.quantity for each in judge(less).members] == [900, 50]
    alone = judge(less, only_committed=True)
    assert [fault.code for fault in alone.faults] == [Short.BELOW_TIPPING, Short.TOO_FEW]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start": "2028-06"}, []),
        ({"start": "2028-07"}, [Short.CHANGE]),
        ({"criterion": "met"}, []),
        ({"criterion": "unmet"}, [Short.CHANGE]),
        ({"start": "2028-05", "criterion": "unmet"}, [Short.CHANGE, Short.CHANGE]),
    ],
)
def test_whoever_proposes_other_terms_is_not_in_as_it_is(change: dict[str, str], expected: list[Short]) -> None:
    people = [member("A"), member("B", Answer.CHANGE, **change)]
    question = asked(line("A", 900), line("B", 900), members=people, offer={"criteria": ["met"]})
    found = judge(question)
    assert [fault.code for fault in found.faults] == expected
    assert {fault.participant for fault in found.faults} <= {"B"}


def test_the_lead_must_be_in_and_able() -> None:
    lines = (line("A", 900), line("B", 900), line("C", 900))
    people = [member("A", Answer.DECLINED), member("B"), member("C")]
    assert codes(asked(*lines, members=people)) == [Short.LEAD_OUT]
    assert codes(asked(*lines, members=people, lead="B")) == []
    unable = [member("A", may_lead=False), member("B"), member("C")]
    assert codes(asked(*lines, members=unable)) == [Short.LEAD_MAY_NOT]


def test_supply_ends_somewhere() -> None:
    lines = (line("A", 600), line("B", 600))
    assert codes(asked(*lines, offer={"max_quantity": 1200})) == []
    assert codes(asked(*lines, offer={"max_quantity": 1199})) == [Short.ABOVE_SUPPLY]


def test_only_the_committed_count_in_the_end() -> None:
    lines = (line("A", 900), line("B", 900), line("C", 900))
    people = [member("A", Answer.COMMITTED), member("B"), member("C", Answer.DECLINED)]
    question = asked(*lines, members=people)
    assert codes(question) == []
    assert codes(question, only_committed=True) == [Short.BELOW_TIPPING, Short.TOO_FEW]
    nobody = [member(code, Answer.DECLINED) for code in "ABC"]
    assert codes(asked(*lines, members=nobody)) == [Short.NOTHING_LEFT, Short.LEAD_OUT]


def test_the_depth_is_that_of_the_shallowest_who_is_in() -> None:
    lines, depths = (line("A", 900), line("B", 900), line("C", 900)), (("B", "criteria"), ("C", "framework"))
    assert judge(asked(*lines, depths=depths)).depth == "criteria"
    people = [member("A"), member("B", Answer.DECLINED), member("C")]
    assert judge(asked(*lines, depths=depths, members=people)).depth == "framework"
    assert judge(asked(*lines, depths=depths, depth="dialogue")).depth == "dialogue"


def test_a_tender_as_proposed_is_what_the_plan_says(planned: Round) -> None:
    """Our figures against those of the plan, which the solver's own judge has passed."""
    key = UUID(planned.propose().json()["tenders"][0])
    pool = planned.planner.get(f"/v1/pools?plan={planned.plan}").json()["items"][0]
    whole = planned.planner.get(f"/v1/pools/{pool['id']}").json()
    with reading(planned.api.engine) as session:
        found = standing(session, key)
        lots = service.lots_of(session, key)
        members = service.members_of(session, key)
    assert found.holds
    assert found.net_eur == pytest.approx(whole["gain"]["net_eur"])
    assert [each.sure_quantity for each in found.lots] == [
        pytest.approx(each["sure_quantity"]) for each in whole["lots"]
    ]
    assert {each.participant: each.cash_eur for each in found.members} == {
        each["participant"]: pytest.approx(cash_of(each["gain"])) for each in whole["members"]
    }
    own = {each.participant: each for each in found.members}
    invited = planned.planner.get(f"/v1/tenders/{key}/invitation?participant=SE-M").json()
    assert invited["gain"]["cash_eur"] == pytest.approx(own["SE-M"].cash_eur)
    compared = planned.planner.get(f"/v1/plan-differences?from={planned.plan}&to={planned.plan}").json()
    plan_says = {each["participant"]: each["after"]["cash_saving_eur"] for each in compared["participants"]}
    for code in ("SE-M", "NO-HSO", "FO"):
        assert own[code].cash_eur == pytest.approx(plan_says[code]), "cash is one thing everywhere"
    for lot in lots:
        assert lot.quantity == sum(each.quantity for each in lot.lines)
        brought = {part.participant: part.quantity for each in members for part in each.lots if part.lot == lot.id}
        assert sum(brought.values()) == lot.quantity
