"""Chances of reaching a tier, by formula, by drawing and by integration; pools that fail at the far end of ranges."""

import json
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, InvalidPlan
from solver.plan import PlanPool
from solver.risk.fragility import Failing, Fragility, Ranges, Turn, turned
from solver.risk.pools import LotRisk, Risk, risk
from solver.worth import Worth
from tests.solver.instances import category, instance, line, offer

Document = dict[str, Any]
START = "2027-01"
Z90 = NormalDist().inv_cdf(0.9)
NOTHING = Ranges(price_share=(0, 0), tipping_share=(0, 0), co2_share=(0, 0))


def pool_of(document: Document, *lots: tuple[str, list[str]], family: str = "f", start: str = START) -> PlanPool:
    lots = lots or (("o", [row["id"] for row in document["lines"]]),)
    worth = Worth(Instance.from_document(document))
    planned = tuple(worth.lot(name, lines, start) for name, lines in lots)
    return PlanPool(family, start, worth.lines[planned[0].lines[0]].participant, planned)


def risk_of(document: Document, *lots: tuple[str, list[str]], **settings: Any) -> Risk:
    found = risk(Instance.from_document(document), [pool_of(document, *lots)], **settings)
    json.dumps(found.to_document(), allow_nan=False)
    return found


def lot_of(document: Document, **settings: Any) -> LotRisk:
    return risk_of(document, **settings).pools[0].lots[0]


def pair(spread: int = 128, **policy: Any) -> Document:
    """Two lines of 500 with sd = spread / z(0.9) each, on an offer from 900 at 90 and from 1,100 at 80 EUR."""
    rows = [line(k, f"SE-{k}", quantity_low=500 - spread, quantity_high=500 + spread) for k in "ab"]
    return instance(rows, [offer("o", (900, 90.0), (1100, 80.0))], **policy)


# Chances -------------------------------------------------------------------------------------------------------------


def test_probability_by_the_formula() -> None:
    """V is normal with mean 1,000; sd is sd1 * sqrt(2) with independent errors, sd1 * sqrt(2 * 0.7 + 4 * 0.3) with a
    correlation of 0.3."""
    lot, sd = lot_of(pair()), 128 / Z90
    independent, shock = lot.chances["independent"], lot.chances["common_shock"]
    assert (independent.correlation, shock.correlation) == (0.0, 0.3)
    assert independent.tier_probability == pytest.approx(NormalDist().cdf(100 / (sd * 2**0.5)), abs=1e-12)
    assert shock.tier_probability == pytest.approx(NormalDist().cdf(100 / (sd * 2.6**0.5)), abs=1e-12)
    assert lot.chances["policy"] == independent
    assert lot.volume_headroom_share == pytest.approx(1000 / 900 - 1)


def test_the_policy_s_own_correlation_is_used() -> None:
    lot = lot_of(pair(forecast_correlation=0.5))
    assert [lot.chances[name].correlation for name in ("policy", "independent", "common_shock")] == [0.5, 0.0, 0.5]
    lot = lot_of(pair(forecast_correlation=0.5), shock=0.9)
    assert [lot.chances[name].correlation for name in ("policy", "independent", "common_shock")] == [0.5, 0.0, 0.9]


def test_a_higher_tier_and_the_tipping_volume_are_told_apart() -> None:
    """At confidence 0.5 a lot of 1,200 stands on the second tier, from 1,100 on."""
    rows = [line(k, f"SE-{k}", quantity=600, quantity_low=450, quantity_high=750) for k in "ab"]
    lot = lot_of(instance(rows, [offer("o", (900, 90.0), (1100, 80.0))]))
    sd = 2**0.5 * 150 / Z90
    chance = lot.chances["independent"]
    assert (lot.tier, lot.tier_from_quantity, lot.tipping_quantity) == (1, 1100, 900)
    assert chance.tier_probability == pytest.approx(NormalDist().cdf(100 / sd), abs=1e-12)
    assert chance.tipping_probability == pytest.approx(NormalDist().cdf(300 / sd), abs=1e-12)
    above = chance.tier_probability / chance.tipping_probability
    assert chance.expected_price_eur == pytest.approx(80 * above + 90 * (1 - above))


def test_certain_volumes_leave_no_doubt() -> None:
    certain = lot_of(pair(spread=0)).chances["common_shock"]
    assert (certain.tier_probability, certain.drawn_tier_probability, certain.drawn_tier_standard_error) == (1, 1, 0)
    assert certain.expected_savings_eur == certain.drawn_savings_eur == pytest.approx(10_000)
    short = instance([line("a", "SE-a", quantity=400)], [offer("o")])
    never = lot_of(short).chances["independent"]
    assert (never.tipping_probability, never.expected_price_eur, never.drawn_price_eur) == (0, None, None)
    assert never.expected_savings_eur == never.drawn_savings_eur == 0


def savings_by_integration(document: Document, correlation: float) -> float:
    """E[sum of X (p - price(V)); V], with E[X | V] linear in V as for any joint normals."""
    rows, tiers = document["lines"], document["offers"][0]["tiers"]
    quantity = np.array([row["quantity"] for row in rows], dtype=float)
    sd = np.array([(row["quantity_high"] - row["quantity_low"]) / (2 * Z90) for row in rows])
    price = np.array([row["unit_price_eur"] for row in rows])
    covariance = (1 - correlation) * np.diag(sd**2) + correlation * np.outer(sd, sd)
    of_total = covariance.sum(axis=1)
    spread = float(np.sqrt(of_total.sum()))
    z = np.linspace(-9, 9, 400_001)
    total = quantity.sum() + spread * z
    reached = np.searchsorted([step["from_quantity"] for step in tiers], total, side="right") - 1
    paid = np.array([step["unit_price_eur"] for step in tiers])[np.maximum(reached, 0)]
    spend = price @ quantity + (price @ of_total) / spread * z
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(np.where(reached >= 0, spend - paid * total, 0.0) * density) * (z[1] - z[0]))


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
def test_expected_savings_by_the_formula_as_by_integration(correlation: float) -> None:
    rows = [
        line("a", "SE-a", quantity=500, quantity_low=400, quantity_high=610, unit_price_eur=104.0),
        line("b", "SE-b", quantity=300, quantity_low=150, quantity_high=350, unit_price_eur=97.0),
        line("c", "SE-c", quantity=200, quantity_low=190, quantity_high=220, unit_price_eur=92.0),
    ]
    document = instance(rows, [offer("o", (900, 90.0), (1050, 85.0), (1100, 80.0))], confidence=0.6)
    found = lot_of(document, shock=correlation).chances["common_shock"].expected_savings_eur
    assert found == pytest.approx(savings_by_integration(document, correlation), rel=1e-4)


@given(
    st.lists(st.tuples(st.integers(100, 900), st.sampled_from([0, 0.05, 0.2, 0.3]), st.integers(85, 110)), min_size=1),
    st.sampled_from([0.1, 0.3, 0.7]),
    st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_drawing_agrees_with_the_formula(lines: list[tuple[int, float, int]], shock: float, seed: int) -> None:
    """Within six standard errors; at most one drawing in 1,000 of these lines falls below 0."""
    rows = [
        line(
            f"l{k}",
            f"SE-{k}",
            quantity=size,
            quantity_low=round(size * (1 - spread)),
            quantity_high=round(size * (1 + spread)),
            unit_price_eur=float(price),
        )
        for k, (size, spread, price) in enumerate(lines)
    ]
    total = sum(size for size, _, _ in lines)
    tiers = [(max(1, round(0.9 * total)), 90.0), (round(1.02 * total) + 1, 84.0)]
    lot = lot_of(instance(rows, [offer("o", *tiers)]), shock=shock, seed=seed, draws=4000)
    for chance in lot.chances.values():
        assert chance.drawn_below_zero_share <= 1e-3
        for exact, drawn, error in (
            (chance.tier_probability, chance.drawn_tier_probability, chance.drawn_tier_standard_error),
            (chance.tipping_probability, chance.drawn_tipping_probability, chance.drawn_tipping_standard_error),
        ):
            assert error == pytest.approx((drawn * (1 - drawn) / 4000) ** 0.5)
            assert abs(exact - drawn) <= 6 * max(error, 1 / 4000)
        off = abs(chance.expected_savings_eur - chance.drawn_savings_eur)
        assert off <= 6 * chance.drawn_savings_standard_error_eur + 1e-3 * total


def test_a_common_shock_widens_what_independent_errors_average_out() -> None:
    rows = [line(f"l{k}", f"SE-{k}", quantity=100, quantity_low=60, quantity_high=140) for k in range(20)]
    found = risk_of(instance(rows, [offer("o", (1800, 90.0))]), shock=0.5)
    chance = found.pools[0].lots[0].chances
    assert chance["independent"].tier_probability > 0.9 > chance["common_shock"].tier_probability + 0.1
    drawn = risk_of(instance(rows, [offer("o", (1000, 90.0))]), shock=0.5).drawn
    assert drawn["common_shock"].low_savings_eur < drawn["independent"].low_savings_eur
    assert drawn["common_shock"].high_savings_eur > drawn["independent"].high_savings_eur


def test_the_shock_is_common_to_all_lots() -> None:
    """Two lots whose lines move together: both reach their tiers half the time at a correlation near 1, a quarter of it
    without."""
    rows = [line(f"l{k}", "SE-1", category=f"c{k}", quantity_low=400, quantity_high=600) for k in range(2)]
    offers = [offer(f"o{k}", (500, 90.0), category=f"c{k}") for k in range(2)]
    document = instance(rows, offers, categories=[category("c0"), category("c1")])
    drawn = risk_of(document, ("o0", ["l0"]), ("o1", ["l1"]), shock=0.999).pools[0].drawn
    assert drawn["common_shock"].all_tiers_probability == pytest.approx(0.5, abs=0.03)
    assert drawn["independent"].all_tiers_probability == pytest.approx(0.25, abs=0.03)


def test_volumes_below_zero_are_cut_off_and_told() -> None:
    """0 is the 10th percentile of 0..200 around 100: one drawing in ten falls below."""
    rows = [line("a", "SE-a", quantity=100, quantity_low=0, quantity_high=200)]
    chance = lot_of(instance(rows, [offer("o", (50, 90.0))])).chances["independent"]
    assert chance.drawn_below_zero_share == pytest.approx(0.1, abs=0.015)


def test_what_is_cut_off_below_zero_raises_what_is_drawn() -> None:
    """Beside 1,000 for certain, max(0, X) has mean 100 * cdf + sd * pdf at 100 / sd; the formula has 100."""
    rows = [line("a", "SE-a", quantity=100, quantity_low=0, quantity_high=200), line("b", "SE-b", quantity=1000)]
    chance = lot_of(instance(rows, [offer("o", (1, 90.0))]), draws=40_000).chances["independent"]
    sd = 100 / Z90
    cut = 100 * NormalDist().cdf(100 / sd) + sd * NormalDist().pdf(100 / sd)
    assert chance.expected_savings_eur == pytest.approx(11_000)
    assert abs(chance.drawn_savings_eur - 10 * (1000 + cut)) < 4 * chance.drawn_savings_standard_error_eur
    assert 10 * (cut - 100) > 8 * chance.drawn_savings_standard_error_eur


def test_the_same_seed_the_same_figures_whatever_else_is_planned() -> None:
    document = pair()
    document["categories"].append(category("e", family="g"))
    document["lines"].append(line("e", "SE-a", category="e"))
    document["offers"].append(offer("p", (100, 90.0), category="e"))
    whole = Instance.from_document(document)
    first = pool_of(document, ("o", ["a", "b"]))
    other = pool_of(document, ("p", ["e"]), family="g")
    once, again, next_seed = (risk(whole, [first], seed=seed) for seed in (1, 1, 2))
    both = risk(whole, [other, first], seed=1)
    assert once.to_document() == again.to_document()
    assert once.to_document() != next_seed.to_document()
    assert both.pools[1].lots == once.pools[0].lots


# Fragility -----------------------------------------------------------------------------------------------------------


def fragility(document: Document, ranges: Ranges | None = None, **settings: Any) -> Fragility:
    return risk_of(document, ranges=ranges, draws=2, **settings).pools[0].fragility


def failures(found: Fragility, turn: Turn) -> dict[Failing, dict[str, object]]:
    return {failure.failing: dict(failure.figures) for failure in found.failures if failure.turn is turn}


def test_nothing_fails_where_nothing_moves() -> None:
    found = fragility(pair(spread=0), NOTHING)
    assert found.failures == ()
    assert not found.fragile
    assert list(found.worth_eur.values()) == pytest.approx([10_000] * len(Turn))


def test_price_at_its_high_end_leaves_a_member_worse_off() -> None:
    """A pays 100, B 92; at 90 * 1.05 = 94.50 B loses 2.50 EUR on 500 units, A still gains 5.50."""
    rows = [line("a", "SE-a"), line("b", "SE-b", unit_price_eur=92.0)]
    found = fragility(instance(rows, [offer("o")]), Ranges(price_share=(-0.05, 0.05)))
    failed = failures(found, Turn.PRICE)
    assert failed[Failing.WORSE_OFF] == {"participants": ["SE-b"], "benefit_eur": {"b": pytest.approx(-1250)}}
    assert found.fragile
    assert found.worth_eur[Turn.PRICE] == pytest.approx(500 * (5.5 - 2.5))
    assert found.price_headroom_share == pytest.approx(6000 / 90_000)


def test_volume_at_its_high_end_costs_the_tier() -> None:
    """1,100 units stand on the tier from 1,050; ten per cent more asks for 1,155, so all pay 90 instead of 80."""
    rows = [line(k, f"SE-{k}", quantity=550) for k in "ab"]
    document = instance(rows, [offer("o", (900, 90.0), (1050, 80.0))])
    found = fragility(document)
    failed = failures(found, Turn.TIPPING)
    assert failed == {
        Failing.TIER_NOT_REACHED: {"tier": 1, "reached_tier": 0, "needed_quantity": 1155, "sure_quantity": 1100.0}
    }
    assert found.worth_eur[Turn.TIPPING] == pytest.approx(11_000)
    assert failures(fragility(document, Ranges(tipping_share=(0, 0.04))), Turn.TIPPING) == {}


def test_below_the_tipping_volume_set_up_is_lost() -> None:
    """1,000 of 1,100 units: no supplier, and the pool's 700, the lot's 300 and two lines' 50 each are spent."""
    document = instance(
        [line(k, f"SE-{k}") for k in "ab"], [offer("o")], pool_cost_eur=700, lot_cost_eur=300, line_cost_eur=50
    )
    found = fragility(document)
    assert failures(found, Turn.TIPPING) == {
        Failing.TIPPING_NOT_REACHED: {"needed_quantity": 1100, "sure_quantity": 1000.0},
        Failing.POOL_NOT_WORTH_IT: {"worth_eur": pytest.approx(-1100)},
    }
    assert found.worth_eur[Turn.STATED] == pytest.approx(10_000 - 1100)


def test_co2e_at_its_low_end_takes_away_what_the_pool_is_worth() -> None:
    """CO2e is worth 0.1 EUR/kg * 10 kg * 1,000 units = 1,000; half of it is gone, and the lot costs 800."""
    rows = [line(k, f"SE-{k}", unit_price_eur=90.0) for k in "ab"]
    document = instance(
        rows, [offer("o", co2_saved_kg_per_unit=10.0)], carbon_price_eur_per_tonne=100, lot_cost_eur=800
    )
    found = fragility(document, Ranges(co2_share=(-0.5, 0.5), price_share=(0, 0), tipping_share=(0, 0)))
    assert failures(found, Turn.CO2) == {
        Failing.LOT_NOT_WORTH_IT: {"worth_eur": pytest.approx(-300)},
        Failing.POOL_NOT_WORTH_IT: {"worth_eur": pytest.approx(-300)},
    }
    assert found.co2_headroom_share == pytest.approx(0.2)


def test_co2e_that_is_worse_gets_worse() -> None:
    """-10 kg at a low end of 30 % is -13 kg: 1,300 EUR lost of the 10,000 saved instead of 1,000."""
    document = instance([line(k, f"SE-{k}") for k in "ab"], [offer("o", co2_saved_kg_per_unit=-10.0)])
    document["policy"]["carbon_price_eur_per_tonne"] = 100
    assert fragility(document).worth_eur[Turn.CO2] == pytest.approx(8700)


def test_figures_at_the_end_of_what_an_instance_holds_stay_there() -> None:
    """Tiers and CO2e next to 2^53 turn out no further than an offer can state them; the first tier is met."""
    tiers = ((500, 90.0), (9 * 10**15, 80.0), (2**53, 70.0))
    document = instance([line(k, f"SE-{k}") for k in "ab"], [offer("o", *tiers, co2_saved_kg_per_unit=-float(2**53))])
    found = fragility(document)
    assert found.worth_eur[Turn.STATED] == found.worth_eur[Turn.TIPPING] == pytest.approx(10_000)
    worst = turned(Instance.from_document(document).offers[0], Ranges(), Turn.TOGETHER)
    assert [tier.from_quantity for tier in worst.tiers] == [550, 2**53 - 1, 2**53]
    assert worst.co2_saved_kg_per_unit == -float(2**53)


def test_together_is_worse_than_each_alone() -> None:
    """Price alone leaves 10,000 - 4,500 and CO2e alone 10,000: only both at once do not carry the pool's 5,300."""
    document = instance(
        [line(k, f"SE-{k}") for k in "ab"],
        [offer("o", co2_saved_kg_per_unit=10.0)],
        carbon_price_eur_per_tonne=100,
        pool_cost_eur=6300,
    )
    found = fragility(document, Ranges(tipping_share=(0, 0)))
    assert {turn: round(value) for turn, value in found.worth_eur.items()} == {
        Turn.STATED: 4700,
        Turn.PRICE: 200,
        Turn.TIPPING: 4700,
        Turn.CO2: 4400,
        Turn.TOGETHER: -100,
    }
    assert [failure.turn for failure in found.failures] == [Turn.TOGETHER]


def test_ranges_of_an_offer_replace_the_common_ones_and_are_shown() -> None:
    document = instance([line(k, f"SE-{k}") for k in "ab"], [offer("o")])
    own = {"o": Ranges(price_share=(-0.2, 0.2))}
    found = risk_of(document, offer_ranges=own, ranges=NOTHING, draws=2)
    assert found.pools[0].fragility.worth_eur[Turn.PRICE] == pytest.approx(-8000)
    shown: Any = found.to_document()
    assert shown["ranges"]["default"]["price_share"] == [0, 0]
    assert shown["ranges"]["offers"]["o"]["price_share"] == [-0.2, 0.2]
    assert shown["fragile_pools"] == [{"family": "f", "start": START}]
    assert risk_of(document, ranges=NOTHING, draws=2).fragile == ()


def test_what_fails_as_stated_is_shown_but_is_not_fragile() -> None:
    """A decided pool below its tipping volume fails as it stands, at every turn alike."""
    document = instance([line("a", "SE-a")], [offer("o")], lot_cost_eur=100)
    found = fragility(document, NOTHING)
    assert {failure.turn for failure in found.failures} == set(Turn)
    assert not found.fragile
    assert found.price_headroom_share == 0


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"draws": 1},
        {"draws": 1.5},
        {"seed": -1},
        {"shock": 1.0},
        {"shock": -0.1},
        {"shock": float("nan")},
        {"offer_ranges": {"elsewhere": Ranges()}},
        {"offer_ranges": {"o": (0, 1)}},
    ],
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInstance, match=next(iter(settings))):
        risk_of(pair(), **settings)


@pytest.mark.parametrize("ends", [(0.1, 0.2), (-0.2, -0.1), (-2, 0), (0, 101), (0,), 0.1, (float("nan"), 0), ("a", 0)])
def test_ranges_out_of_bounds_are_refused(ends: Any) -> None:
    for name in ("price_share", "tipping_share", "co2_share"):
        with pytest.raises(InvalidInstance, match=name):
            Ranges(**{name: ends})


def test_pools_of_another_instance_are_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"pools\[0\]"):
        risk(Instance.from_document(pair()), [PlanPool("g", START, "SE-a", ())])
