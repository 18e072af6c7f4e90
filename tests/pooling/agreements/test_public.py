"""What everybody is told of the effect, attacked: small random worlds, all tables together, and by plain arithmetic."""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from itertools import combinations

import pytest
from ortools.math_opt.python import mathopt

from pooling.agreements import disclosure, telling
from pooling.agreements.effect import KEYS, Entry, LotFacts, by_year
from pooling.agreements.effect_views import PublicBy, PublicFigures
from pooling.agreements.inference import Told
from pooling.agreements.public import kept_judged, public_effect
from pooling.agreements.substances import avoided

LONG_AGO, NOW = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
SIDES: tuple[PublicBy, ...] = ("category", "country", "cycle", "year")
CODES = ("a1", "a2", "a3", "b1", "b2", "b3", "c1")
EUR = 1_000_000
Sum = Mapping[Entry, int]


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Each test judges for itself."""
    kept_judged.cache_clear()


def lot(category: str, *criteria: str, start: str = "2027-01", months: int = 24, cycle: str = "x") -> LotFacts:
    price = 1_000_000 + 13 * len(category)
    return LotFacts(cycle, category, "H87", start, months, price, 100, 50, 200, criteria)


def bought(made: LotFacts, **quantities: int) -> Iterator[Entry]:
    """Planned quantities by participant, whose country is its first letter; 1.5 EUR a unit today."""
    for code, quantity in quantities.items():
        for year, part in by_year(quantity, start=made.start, months=made.term_months):
            today, value = part * 3 * EUR // 2, part * made.unit_price_micro
            yield Entry(True, code, code[0], made, year, part, today, value, since=LONG_AGO)


def told(entries: Sequence[Entry]) -> dict[str, dict[str, PublicFigures]]:
    """All that is said of what is planned, by table and row."""
    pages = {side: public_effect(entries, side, now=NOW) for side in SIDES}
    return {
        side: {row.key: row.planned for row in [*page.rows, page.others, page.total] if row.planned is not None}
        for side, page in pages.items()
    }


def said(entries: Sequence[Entry]) -> list[tuple[str, frozenset[Entry]]]:
    """Every sum that is told, with the entries it is of: rows, and what a share or count within a row is of."""
    found = []
    for side, rows in told(entries).items():
        named = {key: [each for each in entries if KEYS[side](each) == key] for key in rows}
        named["total"] = list(entries)
        if "others" in rows:
            named["others"] = [each for each in entries if KEYS[side](each) not in rows]
        for key, figures in rows.items():
            mine = named[key]
            assert figures.spend_today_eur == pytest.approx(sum(each.today_micro for each in mine) / EUR)
            found.append((f"{side}/{key}", frozenset(mine)))
            parts = {code: [each for each in mine if code in each.lot.criteria] for code in figures.criteria}
            for free in figures.substances or []:
                parts[free.name] = [each for each in mine if free.substance in avoided(each.lot.criteria)]
            found += [(f"{side}/{key}/{name}", frozenset(of)) for name, of in parts.items()]
    return found


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    left, found = [list(row) for row in rows], 0
    for place in range(len(left[0]) if left else 0):
        pivot = next((row for row in left if row[place]), None)
        if pivot is None:
            continue
        found += 1
        left.remove(pivot)
        for row in left:
            share = row[place] / pivot[place]
            row[:] = [mine - share * its for mine, its in zip(row, pivot, strict=True)]
    return found


def vectors(sums: Collection[frozenset[Entry]], entries: Sequence[Entry]) -> tuple[list[str], list[list[Fraction]]]:
    """Each sum as figures a unit bought by a participant in a lot over the whole term, which are evenly spread."""
    whole: dict[tuple[str, LotFacts], int] = {}
    for each in entries:
        whole[each.participant, each.lot] = whole.get((each.participant, each.lot), 0) + each.quantity
    places = list(whole)
    rows = []
    for one in sums:
        row = dict.fromkeys(places, Fraction(0))
        for each in one:
            row[each.participant, each.lot] += Fraction(each.quantity, whole[each.participant, each.lot])
        rows.append(list(row.values()))
    return [participant for participant, _ in places], rows


def safe(sizes: Mapping[str, int]) -> bool:
    """The rule, written again: whoever takes its own part off does not know another's to within a quarter."""
    some = {code: size for code, size in sizes.items() if size}
    left = [[size for code, size in some.items() if code != reader] for reader in some]
    return len(some) >= 3 and all(10 * max(others) <= 8 * sum(others) for others in left)


@dataclass(slots=True)
class Reader:
    """A participant that knows its own figures and all that is told, and asks a linear program how much another can
    have of something at the most and at the least."""

    own: str
    whole: dict[tuple[str, LotFacts], int]
    program: mathopt.Model = field(default_factory=mathopt.Model)
    unknown: dict[tuple[str, LotFacts], mathopt.Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unknown = {key: self.program.add_variable(lb=0.0) for key in self.whole if key[0] != self.own}

    def hears(self, shares: Mapping[tuple[str, LotFacts], float]) -> None:
        theirs = {key: share for key, share in shares.items() if key in self.unknown}
        self.program.add_linear_constraint(self._sum(theirs) == sum(self.whole[key] * theirs[key] for key in theirs))

    def bounds(self, shares: Mapping[tuple[str, LotFacts], float]) -> list[float]:
        """At the least and at the most, as shares of what it is."""
        found = []
        for is_maximize in (False, True):
            self.program.set_linear_objective(self._sum(shares), is_maximize=is_maximize)
            done = mathopt.solve(self.program, mathopt.SolverType.GLOP)
            assert done.termination.reason == mathopt.TerminationReason.OPTIMAL
            found.append(done.objective_value() / sum(self.whole[key] * share for key, share in shares.items()))
        return found

    def _sum(self, shares: Mapping[tuple[str, LotFacts], float]) -> mathopt.LinearSum:
        return mathopt.LinearSum([share * self.unknown[key] for key, share in shares.items()])


def near(entries: Sequence[Entry]) -> list[str]:
    """Where some participant knows what another has, of all or of a sum that is told, to within a quarter above it or
    a fifth below."""
    whole: dict[tuple[str, LotFacts], int] = {}
    for each in entries:
        whole[each.participant, each.lot] = whole.get((each.participant, each.lot), 0) + each.today_micro
    sums = [(name, _shares(one, whole)) for name, one in said(entries)]
    everything = [("all", dict.fromkeys(whole, 1.0)), *sums] if sums else []
    codes, found = sorted({code for code, _ in whole}), []
    for own in codes:
        reader = Reader(own, whole)
        for _, shares in sums:
            reader.hears(shares)
        asked = {}
        for name, shares in everything:
            for code in codes:
                theirs = {key: share for key, share in shares.items() if key[0] == code}
                if code != own and theirs:
                    asked[frozenset(theirs.items())] = name, code
        for part, (name, code) in asked.items():
            least, most = reader.bounds(dict(part))
            if least > 0.8 + 1e-6 or most < 1.25 - 1e-6:
                found.append(f"{own} knows {code} in {name}: {least:.3f} to {most:.3f}")
    return found


def _shares(one: Collection[Entry], whole: Mapping[tuple[str, LotFacts], int]) -> dict[tuple[str, LotFacts], float]:
    """How much of what each has in each lot is in a sum."""
    found: dict[tuple[str, LotFacts], float] = {}
    for each in one:
        key = each.participant, each.lot
        found[key] = found.get(key, 0) + each.today_micro / whole[key]
    return found


def leaks(entries: Sequence[Entry]) -> list[str]:
    """What follows that should not: whatever differs between two sums of which one is in the other, and whatever
    combination of all sums is about two participants or one."""
    sums = said(entries)
    found = []
    for (name, one), (other_name, other) in [(a, b) for a in sums for b in [("nothing", frozenset[Entry]()), *sums]]:
        if other < one:
            sizes = dict.fromkeys((each.participant for each in one - other), 0)
            for each in one - other:
                sizes[each.participant] += each.today_micro
            if not safe(sizes):
                found.append(f"{name} less {other_name}: {sizes}")
    whose, rows = vectors({one for _, one in sums}, entries)
    whole = rank(rows)
    for pair in combinations(sorted(set(whose)), 2):
        others = [number for number, code in enumerate(whose) if code not in pair]
        if rank([[row[number] for number in others] for row in rows]) < whole:
            found.append(f"the sums solved for {pair}")
    return found


def test_a_share_does_not_tell_what_two_buyers_have() -> None:
    """Gloves are free of PVC, syringes are not and two alone buy them: a share of the total would tell how much."""
    gloves = bought(lot("gloves", "pvc-free", "basic"), a1=2400, a2=2400, b1=2400)
    entries = [*gloves, *bought(lot("syringes", "basic"), a1=2400, b1=1200)]
    found = told(entries)
    assert found["category"].keys() == {"total"}
    assert found["category"]["total"].criteria == {"basic": 1.0}
    assert leaks(entries) == []
    three = [*entries, *bought(lot("syringes", "basic"), b2=2400)]
    assert told(three)["category"]["total"].criteria.keys() == {"basic", "pvc-free"}
    assert leaks(three) == []


def test_tables_do_not_tell_together_what_each_keeps_back() -> None:
    """Gowns of two buyers are hidden among other categories; but cycle x is gloves and gowns, and gloves are told."""
    entries = [
        *bought(lot("gloves"), a1=2400, a2=2400, b1=2400),
        *bought(lot("gowns"), a1=2400, b1=2400),
        *bought(lot("masks", cycle="y"), a1=1200, a2=2400, b1=2400, c1=1200),
        *bought(lot("drapes", cycle="y"), a1=2400, a2=2400, b1=2400),
    ]
    found = told(entries)
    assert "gowns" not in found["category"]
    assert "others" in found["category"]
    assert leaks(entries) == []


def test_years_do_not_tell_a_lot_that_starts_later() -> None:
    """2027 is all gloves, 2028 gloves and the gowns of two: of gloves 2028 has as much as 2027."""
    entries = [
        *bought(lot("gloves"), a1=2400, a2=2400, b1=2400),
        *bought(lot("gowns", start="2028-01", months=12), a1=2400, b2=2400),
    ]
    assert leaks(entries) == []


@dataclass(frozen=True)
class World:
    """What random worlds are made of."""

    categories: tuple[str, ...] = ("gloves", "gowns", "masks")
    starts: tuple[tuple[str, int], ...] = (("2027-01", 24), ("2027-07", 12))

    def made(self, seed: int) -> list[Entry]:
        dice = random.Random(seed)
        entries: list[Entry] = []
        for number, category in enumerate(dice.choices(self.categories, k=dice.randint(1, 4))):
            criteria = [code for code in ("pvc-free", "latex-free", "basic") if dice.random() < 0.6]
            start, months = dice.choice(self.starts)
            made = lot(category, *criteria, start=start, months=months, cycle=dice.choice("xy") + str(number % 2))
            some = dice.sample(CODES, k=dice.randint(1, len(CODES)))
            entries += bought(made, **{code: 24 * dice.choice((1, 5, 6, 7, 40)) for code in some})
        return list({(each.participant, each.lot, each.year): each for each in entries}.values())


SEEDS = range(60)


def test_nothing_follows_in_small_random_worlds() -> None:
    worlds = [World().made(seed) for seed in SEEDS]
    assert {seed: leaks(world) for seed, world in zip(SEEDS, worlds, strict=True) if leaks(world)} == {}
    assert {seed: near(world) for seed, world in zip(SEEDS, worlds, strict=True) if near(world)} == {}
    pages = [told(world) for world in worlds]
    assert sum("total" in page["category"] for page in pages) > len(SEEDS) // 3
    assert sum(len(rows) > 2 for page in pages for rows in page.values()) > 5
    assert sum(bool(row.criteria) for page in pages for rows in page.values() for row in rows.values()) > 20


@pytest.mark.parametrize("weaker", ["shares", "together"])
def test_the_attack_finds_a_weaker_rule(weaker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if weaker == "shares":
        monkeypatch.setattr(telling, "_splits", lambda *_: True)
    else:
        monkeypatch.setattr(Told, "add", lambda *_: True)
    assert any(leaks(World().made(seed)) for seed in SEEDS)


def of_the_whole(sizes: Mapping[str, int]) -> bool:
    """A weaker rule: nobody has more than four fifths of the whole."""
    some = [size for size in sizes.values() if size]
    return len(some) >= 3 and 10 * max(some) <= 8 * sum(some)


def test_a_share_of_the_whole_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 19, 80 and 1 the first knows the second to within 1.3 %; of 20, 80 and 20 to within a quarter."""
    assert "total" not in told(list(bought(lot("gloves"), a1=1900 * 24, a2=8000 * 24, b1=100 * 24)))["category"]
    enough = list(bought(lot("gloves"), a1=2000 * 24, a2=8000 * 24, b1=2000 * 24))
    assert "total" in told(enough)["category"]
    assert near(enough) == []
    monkeypatch.setattr(disclosure, "many", of_the_whole)
    assert any("a1 knows a2" in each for each in near(list(bought(lot("masks"), a1=19 * 24, a2=80 * 24, b1=24))))
    assert any(leaks(World().made(seed)) for seed in SEEDS)


def test_the_attack_finds_differences_that_a_reader_makes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gloves less a country is others' alone to the one buyer of that country who buys something else as well."""
    monkeypatch.setattr(Told, "_near", lambda *_: False)
    assert any(near(World().made(seed)) for seed in range(130, 150))
    monkeypatch.undo()
    assert not any(near(World().made(seed)) for seed in range(130, 150))
