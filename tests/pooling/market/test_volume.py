"""Volume to take to market against brute force over every subset, and what makes up its rows."""

from itertools import chain, combinations
from math import sqrt
from typing import Any

import numpy as np
import pytest

from pooling.errors import BadInput
from pooling.market import volume
from pooling.market.volume import DemandLine, VolumeSettings, criteria_sets, surest, volume_to_market

MONTHS = ("2027-11", "2027-12", "2028-01", "2028-02")
IMPLIED = {"spearhead": frozenset({"advanced", "basic"}), "advanced": frozenset({"basic"})}


def settings(**changes: object) -> VolumeSettings:
    fields: dict[str, Any] = {
        "months": MONTHS,
        "confidence": 0.9,
        "correlation": 0.0,
        "floor": frozenset(),
        "implications": IMPLIED,
        "authorities": frozenset({"A", "B", "C"}),
    }
    return VolumeSettings(**fields | changes)


def line(name: str, quantity: int = 100, **changes: object) -> DemandLine:
    fields: dict[str, Any] = {
        "id": name,
        "participant": name[0].upper(),
        "category": "c",
        "quantity": quantity,
        "sd": 0.0,
        "spend_eur": 2.0 * quantity,
        "first": 0,
        "last": 3,
        "required": frozenset(),
        "refused": frozenset(),
    }
    return DemandLine(**fields | changes)


def rows(*lines: DemandLine, offered: tuple[frozenset[str], ...] = (), **changes: object) -> list[volume.VolumeRow]:
    return volume_to_market(lines, units={"c": "H87", "d": "H87"}, offered={"c": offered}, settings=settings(**changes))


def brute_force(quantity: np.ndarray, sd: np.ndarray, *, z: float, correlation: float) -> float:
    def sure(part: tuple[int, ...]) -> float:
        chosen = list(part)
        spread = (1 - correlation) * sum(sd[chosen] ** 2) + correlation * sum(sd[chosen]) ** 2
        return float(sum(quantity[chosen]) - z * sqrt(spread))

    every = chain.from_iterable(combinations(range(len(sd)), size) for size in range(len(sd) + 1))
    return max(sure(part) for part in every)


def reached(quantity: np.ndarray, sd: np.ndarray, *, z: float, correlation: float) -> float:
    chosen = surest(np.ones((1, len(sd)), dtype=bool), quantity, sd, z=z, correlation=correlation)[0]
    spread = (1 - correlation) * (sd[chosen] ** 2).sum() + correlation * sd[chosen].sum() ** 2
    return float(quantity[chosen].sum() - z * sqrt(spread))


def wild(seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Lines whose spread is often larger than what they bring, so that the choice matters; some have none."""
    random = np.random.default_rng(seed)
    quantity = random.integers(1, 1000, size).astype(float)
    return quantity, quantity * random.uniform(0, 2.5, size) * (random.random(size) > 0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.15, 0.9])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_the_sure_volume_is_the_largest_of_all_subsets(correlation: float, confidence: float) -> None:
    z = settings(confidence=confidence).z
    all_in = 0
    for seed in range(60):
        quantity, sd = wild(seed, 1 + seed % 10)
        best = brute_force(quantity, sd, z=z, correlation=correlation)
        assert reached(quantity, sd, z=z, correlation=correlation) == pytest.approx(best, abs=1e-6)
        everything = quantity.sum() - z * sqrt((1 - correlation) * (sd**2).sum() + correlation * sd.sum() ** 2)
        all_in += best > everything + 1e-6
    assert (all_in > 0) == (confidence > 0.9 or (confidence == 0.9 and correlation < 1)), "choice must matter"


def test_many_doubtful_lines_with_correlation_come_close_to_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "MOST_TRIED", 0)
    z = settings().z
    short = []
    for seed in range(200):
        quantity, sd = wild(seed, 10)
        best = brute_force(quantity, sd, z=z, correlation=0.3)
        short.append(1 - reached(quantity, sd, z=z, correlation=0.3) / best)
    assert max(short) < 0.005
    assert sum(part > 1e-9 for part in short) <= 4


def test_a_row_says_who_makes_it_up() -> None:
    (row,) = rows(line("a1", 300), line("a2", 50), line("b1", 400), line("x1", 10), correlation=0.2)
    assert (row.category, row.unit, row.start, row.criteria, row.best) == ("c", "H87", "2027-11", (), True)
    assert row.participants == (("B", 400), ("A", 350), ("X", 10))
    assert row.quantity == 760 == sum(quantity for _, quantity in row.participants)
    assert row.sure_quantity == 760
    assert row.spend_eur_per_year == 1520
    assert row.lines == ("a1", "a2", "b1", "x1")
    assert row.authorities == 2  # X is an associate


def test_lines_count_only_in_their_window_and_equal_rows_stand_once() -> None:
    found = rows(line("a1", first=1, last=2), line("b1", first=2, last=3), line("c1", first=9, last=3))
    assert [(row.start, row.lines, row.best) for row in found] == [
        ("2027-12", ("a1",), False),
        ("2028-01", ("a1", "b1"), True),
        ("2028-02", ("b1",), False),
    ]


def test_requiring_basic_is_met_where_spearhead_is_asked() -> None:
    lines = (line("a1", required=frozenset({"basic"})), line("b1", required=frozenset({"spearhead"})))
    found = {row.criteria: row.lines for row in rows(*lines)}
    assert found == {("basic",): ("a1",), ("advanced", "basic", "spearhead"): ("a1", "b1")}


def test_who_refuses_what_is_implied_stays_out() -> None:
    lines = (line("a1", required=frozenset({"spearhead"})), line("b1", refused=frozenset({"basic"})))
    found = {row.criteria: row.lines for row in rows(*lines)}
    assert found == {(): ("b1",), ("advanced", "basic", "spearhead"): ("a1",)}


def test_the_green_floor_is_in_every_set_and_offers_below_it_are_not_asked_for() -> None:
    found = criteria_sets(
        [line("a1"), line("b1", required=frozenset({"fair"}))],
        offered=[frozenset({"green", "recycled"}), frozenset({"recycled"})],
        settings=settings(floor=frozenset({"green"})),
    )
    assert found == [frozenset({"green"}), frozenset({"fair", "green"}), frozenset({"green", "recycled"})]


def test_a_category_with_many_demands_keeps_to_the_bound() -> None:
    lines = [line(f"a{k}", required=frozenset({f"c{k}", f"d{k % 3}"})) for k in range(30)]
    found = criteria_sets(lines, offered=[frozenset({"other"})], settings=settings())
    assert len(found) == volume.MOST_SETS + 1
    assert frozenset().union(*(each.required for each in lines)) in found
    assert all(each.required in found for each in lines)


def test_categories_without_offers_are_there_too() -> None:
    assert {row.category for row in rows(line("a1"), line("b1", category="d"), offered=(frozenset(),))} == {"c", "d"}


@pytest.mark.parametrize(
    "change", [{"confidence": 1.0}, {"confidence": 0.4}, {"correlation": 1.0}, {"correlation": -0.1}, {"months": ()}]
)
def test_settings_out_of_bounds_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="give"):
        settings(**change)
