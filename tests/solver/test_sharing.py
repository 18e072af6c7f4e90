"""Sharing a pool's gain: values of coalitions against the contract's words, rules worked out by hand, stability."""

import json
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, InvalidPlan
from solver.plan import PlanLot, PlanPool
from solver.sharing.coalitions import Game, everyone_of
from solver.sharing.excesses import Known, Question, all_known
from solver.sharing.least_core import LeastCores
from solver.sharing.leaving import Leavers
from solver.sharing.rules import Division, share
from solver.terms import terms_of
from solver.worth import Worth
from tests.solver.brute_case import Case
from tests.solver.instances import category, instance, line, offer, participant

Document = dict[str, Any]
START = "2027-01"


def pool_of(document: Document, *lots: tuple[str, list[str]], lead: str | None = None) -> PlanPool:
    """A pool in family ``f`` at the start of the horizon; without lots given, all lines on offer ``o``."""
    lots = lots or (("o", [row["id"] for row in document["lines"]]),)
    of_line = {row["id"]: row["participant"] for row in document["lines"]}
    worth = Worth(Instance.from_document(document))
    planned = tuple(worth.lot(name, lines, START) for name, lines in lots)
    return PlanPool("f", START, lead or of_line[planned[0].lines[0]], planned)


def divided(document: Document, *lots: tuple[str, list[str]], **settings: Any) -> Division:
    pool = pool_of(document, *lots)
    return share(Instance.from_document(document), [pool], **settings).pools[0].valued


def game_of(document: Document, pool: PlanPool) -> Game:
    whole = Instance.from_document(document)
    return Game(Worth(whole), terms_of(whole), pool)


def amounts(division: Division, rule: str) -> list[float]:
    return list(division.shares[rule].amounts_eur.values())


# Values of coalitions ------------------------------------------------------------------------------------------------


def value(case: Case, pool: PlanPool, members: set[str], *, green: bool = True) -> float:
    """A coalition's value from the raw instance, by the contract's words."""
    number = {row["id"]: i for i, row in enumerate(case.lines)}
    start, worth, everyone = case.offset(pool.start), 0.0, 0
    for lot in pool.lots:
        sold = case.offers[lot.offer]
        mask = sum(1 << number[name] for name in lot.lines if case.lines[number[name]]["participant"] in members)
        tier = case.tier(mask, sold)
        if not mask or tier is None or case.authorities(mask) < case.policy["min_participants"]:
            continue
        benefits = [case.benefit(i, start, sold, tier) for i in case.members(mask)]
        spends = [case.spend(i) for i in case.members(mask)]
        if case.policy["no_one_worse_off"] and any(b < -1e-6 * max(1, s) for b, s in zip(benefits, spends)):
            continue
        counted = sold if green else sold | {"criteria": [], "co2_saved_kg_per_unit": 0}
        worth += sum(case.benefit(i, start, counted, tier) for i in case.members(mask)) - case.policy["lot_cost_eur"]
        everyone |= mask
    people = [case.people[name] for name in case.people_of(everyone)]
    if not any(person["may_lead"] and person["contracting_authority"] for person in people):
        return 0.0
    return max(0.0, worth - case.pool_cost(everyone))


def random_document(seed: int, most: int = 7) -> Document:
    """A pool's worth of lines: up to ``most`` participants on up to three lots, every rule of lots at work."""
    choose = Random(seed).choice
    people = [
        participant(
            f"{choose(('SE', 'DK', 'FI'))}-{k}",
            contracting_authority=choose((True, True, True, False)),
            may_lead=choose((True, True, False)),
        )
        for k in range(choose(range(2, most + 1)))
    ]
    people[0] |= {"contracting_authority": True, "may_lead": True}
    rows, offers, kinds = [], [], []
    for k in range(choose((1, 2, 3))):
        kinds.append(category(f"c{k}", family="f"))
        inside = [person for person in people if choose((True, True, False))] or people[:1]
        for n, person in enumerate(inside + inside[:1] * choose((0, 1))):
            size = choose((100, 200, 400, 700))
            spread = choose((0, 0.1, 0.4))
            rows.append(
                line(
                    f"l{k}-{n}",
                    person["id"],
                    category=f"c{k}",
                    quantity=size,
                    quantity_low=round(size * (1 - spread)),
                    quantity_high=round(size * (1 + spread)),
                    unit_price_eur=choose((92.0, 96.0, 100.0, 106.0)),
                    earliest_start=choose(("2026-06", "2027-01")),
                )
            )
        tip = choose((150, 300, 600))
        tiers = [(tip, 97.0), (2 * tip, 94.0), (4 * tip, 90.0)][: choose((1, 2, 3))]
        green = choose((0.0, 30.0))
        offers.append(offer(f"o{k}", *tiers, category=f"c{k}", criteria=["x"], co2_saved_kg_per_unit=green))
    return instance(
        rows,
        offers,
        participants=people,
        categories=kinds,
        confidence=choose((0.5, 0.9, 0.99)),
        forecast_correlation=choose((0.0, 0.5)),
        no_one_worse_off=choose((True, False)),
        min_participants=choose((1, 2, 2, 3)),
        pool_cost_eur=choose((0, 800)),
        lot_cost_eur=choose((0, 300, 1500)),
        line_cost_eur=choose((0, 50)),
        country_cost_eur=choose((0, 400, 2500)),
        carbon_price_eur_per_tonne=choose((0, 120)),
        criterion_value={"x": choose((0, 0.01))},
    )


def random_pool(document: Document) -> PlanPool:
    lots = [
        (row["id"], [entry["id"] for entry in document["lines"] if entry["category"] == row["category"]])
        for row in document["offers"]
    ]
    return pool_of(document, *lots)


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_values_of_coalitions_are_those_of_the_contract(seed: int) -> None:
    document = random_document(seed)
    pool, case = random_pool(document), Case(document)
    game = game_of(document, pool)
    coalitions = everyone_of(game.size)[:-1]
    found = game.values(coalitions)
    for row, valued, cash in zip(coalitions, found.valued, found.cash):
        members = {name for name, inside in zip(game.members, row) if inside}
        assert valued == pytest.approx(value(case, pool, members), abs=1e-6)
        assert cash == pytest.approx(value(case, pool, members, green=False), abs=1e-6)


def test_values_tell_rules_apart() -> None:
    """The control of the test above: what it compares with does change with each rule."""
    counts = {"dropped": 0, "worse": 0, "unled": 0, "positive": 0}
    for seed in range(200):
        document = random_document(seed)
        pool, case = random_pool(document), Case(document)
        everyone = {person["id"] for person in document["participants"]}
        whole = value(case, pool, everyone)
        counts["positive"] += whole > 0
        counts["worse"] += whole != value(
            Case(document | {"policy": document["policy"] | {"no_one_worse_off": False}}), pool, everyone
        )
        leaders = [person | {"may_lead": True} for person in document["participants"]]
        led = Case(document | {"participants": leaders})
        counts["unled"] += any(value(case, pool, {p}) != value(led, pool, {p}) for p in everyone)
        counts["dropped"] += any(value(case, pool, everyone - {p}) == 0 for p in everyone if whole > 0)
    assert all(count >= 5 for count in counts.values()), counts


def test_a_decided_pool_is_worth_what_it_is_worth_as_it_stands() -> None:
    """Two lines of 500 on an offer from 2000 on: below its tipping volume, kept at the first tier: 2 * 500 * 10 EUR."""
    document = instance([line("a", "DK-1"), line("b", "SE-1")], [offer("o", (2000, 90.0))])
    division = divided(document)
    assert division.gain_eur == pytest.approx(10_000)
    assert amounts(division, "own_benefit") == pytest.approx([5000, 5000])
    assert game_of(document, pool_of(document)).values(everyone_of(2)).valued.tolist() == [0, 0, 0, 10_000]


# The rules, by hand --------------------------------------------------------------------------------------------------


def three(**policy: Any) -> Document:
    """A, B and C with 500 each, tipping at 1000: a saving of 10 EUR a unit for a year, if two are in."""
    return instance([line(k, f"SE-{k}") for k in "abc"], [offer("o")], **policy)


def test_equal_participants_get_the_same_by_every_rule() -> None:
    """v = 0 alone, 10,000 - 3,000 for two, 15,000 - 3,000 for all: 4,000 each; two would lose 1,000 by leaving."""
    division = divided(three(lot_cost_eur=3000))
    assert division.gain_eur == pytest.approx(12_000)
    for rule in division.shares:
        assert amounts(division, rule) == pytest.approx([4000] * 3)
        assert division.shares[rule].in_core is True
        assert division.shares[rule].individually_rational
    assert division.least_excess_eur == pytest.approx(-1000)
    leaving = division.shares["least_core"].leaving
    assert leaving is not None
    assert (len(leaving.participants), leaving.proven) == (2, True)
    assert leaving.gains_eur == pytest.approx(-1000)


def test_an_empty_core_shows_what_the_worst_coalition_gains() -> None:
    """Three countries at 6,000 each further one: two earn 10,000 - 6,000, all 15,000 - 12,000, so 1,000 each; any two
    would have 4,000 instead of 2,000."""
    document = instance([line("a", "DK-1"), line("b", "SE-1"), line("c", "FI-1")], [offer("o")], country_cost_eur=6000)
    division = divided(document)
    assert division.gain_eur == pytest.approx(3000)
    assert amounts(division, "shapley") == pytest.approx([1000] * 3)
    assert amounts(division, "least_core") == pytest.approx([1000] * 3)
    assert division.least_excess_eur == pytest.approx(2000)
    assert division.least_core_proven
    assert division.shares["least_core"].in_core is False


def big_and_small() -> Document:
    """A with 1000, B and C with 500, tipping at 1500: v(AB) = v(AC) = 15,000, v(BC) = 0, v(ABC) = 20,000."""
    lines = [line("a", "SE-a", quantity=1000), line("b", "SE-b"), line("c", "SE-c")]
    return instance(lines, [offer("o", (1500, 90.0))])


def test_shapley_and_least_core_by_hand() -> None:
    """A adds 0 as first, 15,000 as second, 20,000 as third: 35,000 / 3; B and C get half the rest. With B = C = b the
    excesses of AB and of B are b - 5,000 and -b: least at b = 2,500."""
    division = divided(big_and_small())
    assert amounts(division, "shapley") == pytest.approx([35_000 / 3, 12_500 / 3, 12_500 / 3])
    assert amounts(division, "least_core") == pytest.approx([15_000, 2500, 2500])
    assert division.least_excess_eur == pytest.approx(-2500)
    assert amounts(division, "own_benefit") == pytest.approx([10_000, 5000, 5000])
    assert division.shares["own_benefit"].in_core is True


def two_lots(**policy: Any) -> Document:
    """A and B save 10 EUR on 500 units each, C and D 1 EUR on as many: different categories of one family."""
    lines = [line(k, f"SE-{k}", category="c" if k in "ab" else "e") for k in "abcd"]
    offers = [offer("o"), offer("p", (1000, 99.0), category="e")]
    kinds = [category("c", family="f"), category("e", family="f")]
    return instance(lines, offers, categories=kinds, **policy)


LOTS = (("o", ["a", "b"]), ("p", ["c", "d"]))


def test_an_unstable_share_is_found() -> None:
    """By volume all four get 2,750 of 11,000, though A and B alone have 10,000: they gain 4,500 by leaving."""
    division = divided(two_lots(), *LOTS)
    assert amounts(division, "proportional") == pytest.approx([2750] * 4)
    leaving = division.shares["proportional"].leaving
    assert leaving is not None
    assert leaving.participants == ("SE-a", "SE-b")
    assert leaving.gains_eur == pytest.approx(4500)
    assert leaving.proven
    assert division.shares["proportional"].in_core is False
    assert division.shares["own_benefit"].in_core is True


def test_set_up_costs_are_borne_by_volume_and_may_leave_someone_worse_than_alone() -> None:
    """Pool 2,400 and two lots of 400: 600 + 200 each. C and D save 500 each, so they end at -300: worse than alone."""
    division = divided(two_lots(pool_cost_eur=2400, lot_cost_eur=400), *LOTS)
    assert amounts(division, "own_benefit") == pytest.approx([4200, 4200, -300, -300])
    assert division.shares["own_benefit"].worse_than_alone == ("SE-c", "SE-d")
    assert not division.shares["own_benefit"].individually_rational
    assert division.gain_eur == pytest.approx(7800)


def test_volume_is_quantity_within_a_category_and_spend_across() -> None:
    """Category c: 1000 of 1500 units and 500, spend 120,000; e: 10 units for 30,000. A has 2/3 * 0.8, B 1/3 * 0.8, and
    C 0.2, though A pays less a unit than B."""
    lines = [
        line("a", "SE-a", quantity=1000, unit_price_eur=70.0),
        line("b", "SE-b", unit_price_eur=100.0),
        line("c", "SE-c", category="e", quantity=10, unit_price_eur=3000.0),
    ]
    offers = [offer("o", (1000, 60.0)), offer("p", (1, 2000.0), category="e")]
    document = instance(lines, offers, categories=[category("c"), category("e")], min_participants=1)
    shares = share(Instance.from_document(document), [pool_of(document, ("o", ["a", "b"]), ("p", ["c"]))]).pools[0]
    assert list(shares.volume_share.values()) == pytest.approx([0.8 * 2 / 3, 0.8 / 3, 0.2])
    assert sum(shares.valued.shares["proportional"].amounts_eur.values()) == pytest.approx(shares.valued.gain_eur)


def test_cash_leaves_green_value_out() -> None:
    """CO2e worth 0.12 EUR/kg * 10 kg * 500 units * 1 year = 600 EUR a line, apart from 5,000 EUR of savings."""
    document = three(carbon_price_eur_per_tonne=120)
    document["offers"][0]["co2_saved_kg_per_unit"] = 10.0
    shares = share(Instance.from_document(document), [pool_of(document)]).pools[0]
    assert list(shares.benefit_eur.values()) == pytest.approx([5600] * 3)
    for rule in shares.valued.shares:
        assert amounts(shares.valued, rule) == pytest.approx([5600] * 3)
        assert amounts(shares.cash, rule) == pytest.approx([5000] * 3)


def test_one_participant_has_no_one_to_leave() -> None:
    document = instance([line("a", "SE-1"), line("b", "SE-1")], [offer("o")], min_participants=1)
    shares = share(Instance.from_document(document), [pool_of(document)])
    division = shares.pools[0].valued
    assert [amounts(division, rule) for rule in division.shares] == [[pytest.approx(10_000)]] * 4
    assert all(entry.in_core is True and entry.leaving is None for entry in division.shares.values())
    assert division.least_excess_eur is None
    json.dumps(shares.to_document(), allow_nan=False)


# Properties ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_shares_add_up_and_stability_is_exact(seed: int) -> None:
    """Every rule shares the whole gain; the worst coalition is the worst of all; the least core beats every rule."""
    document = random_document(seed)
    pool = random_pool(document)
    shares = share(Instance.from_document(document), [pool]).pools[0]
    game = game_of(document, pool)
    values = game.values(everyone_of(game.size)[1:-1])
    for division, of in ((shares.valued, values.valued), (shares.cash, values.cash)):
        for entry in division.shares.values():
            got = np.array(list(entry.amounts_eur.values()))
            assert got.sum() == pytest.approx(division.gain_eur, abs=1e-6)
            if entry.leaving is None:
                continue
            excess = float((of - everyone_of(game.size)[1:-1] @ got).max())
            assert entry.leaving.gains_eur == pytest.approx(excess, abs=1e-6)
            assert entry.in_core is (excess <= entry.tolerance_eur)
            assert division.least_excess_eur is not None
            assert division.least_excess_eur <= excess + 0.05
        assert division.least_core_proven


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
@example(2250)  # members without any forecast error in a lot
def test_the_search_finds_what_trying_all_finds(seed: int) -> None:
    """Branch and bound, from nothing, against every coalition, for shares near and far from fair."""
    document = random_document(seed)
    game = game_of(document, random_pool(document))
    if game.size < 2:
        return
    random = np.random.default_rng(seed)
    known, nothing = all_known(game), Known(np.empty((0, game.size), dtype=bool), np.empty(0), np.empty(0))
    questions = []
    for cash in (False, True):
        gain = game.whole(cash)
        for spread in (0.0, 0.3, 2.0):
            part = np.full(game.size, 1 / game.size) + spread * random.normal(size=game.size) / game.size
            questions.append(Question(cash, gain * part / part.sum()))
    leavers = Leavers(game)
    for exact, found in zip(leavers.worst(questions, known), leavers.worst(questions, nothing)):
        assert found.proven
        assert found.excess_eur == pytest.approx(exact.excess_eur, abs=found.tolerance_eur)
        assert found.bound_eur >= exact.excess_eur - 1e-6


def many(count: int, seed: int = 1) -> Document:
    """``count`` participants on three lots, sizes, prices and countries drawn."""
    random = Random(seed)
    people = [participant(f"{random.choice(('SE', 'DK', 'FI', 'NO'))}-{k}") for k in range(count)]
    rows = []
    for k in range(3):
        for person in people:
            if random.random() < 0.6:
                size = round(200 * random.lognormvariate(0, 0.8)) + 10
                spread = random.choice((0.05, 0.2, 0.35))
                rows.append(
                    line(
                        f"l{k}-{person['id']}",
                        person["id"],
                        category=f"c{k}",
                        quantity=size,
                        quantity_low=round(size * (1 - spread)),
                        quantity_high=round(size * (1 + spread)),
                        unit_price_eur=100 + random.gauss(0, 4),
                    )
                )
    offers = [offer(f"o{k}", (700, 93.0), (1300, 91.0), (2100, 88.0), category=f"c{k}") for k in range(3)]
    return instance(
        rows,
        offers,
        participants=people,
        categories=[category(f"c{k}") for k in range(3)],
        confidence=0.9,
        no_one_worse_off=True,
        pool_cost_eur=2000,
        lot_cost_eur=600,
        country_cost_eur=700,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fifteen_participants_by_search_as_by_trying_all(seed: int) -> None:
    document = many(15, seed)
    game = game_of(document, random_pool(document))
    known, sampled = all_known(game), Known(np.empty((0, game.size), dtype=bool), np.empty(0), np.empty(0))
    gain = game.whole(False)
    questions = [
        Question(False, gain * part / part.sum()) for part in (np.ones(game.size), np.arange(1.0, game.size + 1))
    ]
    leavers = Leavers(game)
    for exact, found in zip(leavers.worst(questions, known), leavers.worst(questions, sampled)):
        assert found.proven
        assert found.excess_eur == pytest.approx(exact.excess_eur, abs=found.tolerance_eur)
    own = questions[0].amounts
    least = [LeastCores(game, leavers, some).find(own, cash=False) for some in (known, sampled)]
    assert least[0].proven
    assert least[1].proven
    assert least[0].least_excess_eur == pytest.approx(least[1].least_excess_eur, abs=0.1)


def test_a_search_cut_short_still_bounds() -> None:
    document = many(15)
    game = game_of(document, random_pool(document))
    nothing = Known(np.empty((0, game.size), dtype=bool), np.empty(0), np.empty(0))
    question = Question(False, np.full(game.size, game.whole(False) / game.size))
    exact = Leavers(game).worst([question], all_known(game))[0]
    short = Leavers(game, nodes=1).worst([question], nothing)[0]
    assert short.excess_eur <= exact.excess_eur + 1e-6 <= short.bound_eur + 2e-6
    assert not short.proven


def test_sampled_shapley_is_near_the_exact_and_repeats() -> None:
    """Above 12 participants: within five standard errors of the exact share, the same for the same seed."""
    document = many(14)
    whole, pool = Instance.from_document(document), random_pool(document)
    game = game_of(document, pool)
    values = all_known(game).valued
    exact = []
    for member in range(game.size):
        rest = [k for k in range(game.size) if k != member]
        total = 0.0
        for size in range(game.size):
            sets = [sum(1 << k for k in chosen) for chosen in combinations(rest, size)]
            total += float(np.mean([values[s | 1 << member] - values[s] for s in sets]))
        exact.append(total / game.size)
    first, again, other = (share(whole, [pool], seed=seed) for seed in (1, 1, 2))
    shapley = first.pools[0].valued.shares["shapley"]
    assert shapley.standard_error_eur is not None
    for got, error, truth in zip(shapley.amounts_eur.values(), shapley.standard_error_eur.values(), exact):
        assert error > 0
        assert abs(got - truth) <= 5 * error
    assert first.to_document() == again.to_document()
    assert first.to_document() != other.to_document()
    assert sum(shapley.amounts_eur.values()) == pytest.approx(first.pools[0].valued.gain_eur)


def test_standard_errors_are_as_large_as_shares_differ_from_seed_to_seed() -> None:
    document = many(14)
    whole, pool = Instance.from_document(document), random_pool(document)
    runs = [share(whole, [pool], seed=seed, orders=20, nodes=1).pools[0].valued.shares["shapley"] for seed in range(30)]
    found = np.array([list(run.amounts_eur.values()) for run in runs])
    said = np.array([list((run.standard_error_eur or {}).values()) for run in runs])
    assert 0.8 < float(np.median(said.mean(axis=0) / found.std(axis=0, ddof=1))) < 1.25


def test_twins_get_the_same_in_a_larger_pool() -> None:
    document = instance([line(f"l{k}", f"SE-{k:02}") for k in range(14)], [offer("o", (3000, 90.0))], lot_cost_eur=1000)
    division = divided(document)
    for rule in ("own_benefit", "proportional", "least_core"):
        assert amounts(division, rule) == pytest.approx([division.gain_eur / 14] * 14)
    errors = division.shares["shapley"].standard_error_eur
    assert errors is not None
    for got, error in zip(amounts(division, "shapley"), errors.values()):
        assert abs(got - division.gain_eur / 14) <= 5 * error


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"orders": 3}, {"orders": 5}, {"seed": -1}, {"seed": 0.5}, {"nodes": 0}])
def test_settings_out_of_bounds_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInstance, match=next(iter(settings))):
        divided(three(), **settings)


def test_pools_of_another_instance_are_refused() -> None:
    whole = Instance.from_document(three())
    lot = PlanLot("elsewhere", ("nobody",), 0, 1, 1.0, 0.0)
    twice = PlanLot("o", ("a", "a", "nobody"), 0, 1, 1.0, 0.0)
    with pytest.raises(InvalidPlan) as refused:
        share(whole, [PlanPool("g", "2027-1", "SE-a", (lot, twice)), PlanPool("f", START, "SE-a", ())])
    places = {fault.path for fault in refused.value.faults}
    assert places >= {"pools[0].family", "pools[0].start", "pools[0].lots[0].offer", "pools[1].lots"}
    with pytest.raises(InvalidPlan, match="stands in the pools before"):
        share(whole, [PlanPool("f", START, "SE-a", (twice,))])
    lot = PlanLot("o", ("a",), 0, 500, 500.0, 0.0)
    other = PlanLot("o", ("b",), 0, 500, 500.0, 0.0)
    late = PlanPool("f", "2028-01", "nobody", (lot,))
    with pytest.raises(InvalidPlan) as refused:
        share(whole, [late, PlanPool("f", "2028-01", "SE-a", (other,))])
    faults = [(fault.path, fault.remedy) for fault in refused.value.faults]
    assert ("pools[0].lead", "name one of participants") in faults
    assert ("pools[0].start", "give a month of the horizon: 12 months from 2027-01") in faults
    assert ("pools[1].start", "family f has a pool in this month before") in faults
