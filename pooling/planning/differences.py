"""Two stored plans side by side: which pools are the same, moved, new or gone, and what each plan comes to. Pure.

Cash, spend and CO2e can be compared whatever the policies were; green value, and with it the net gain, is what each
plan's own policy holds CO2e and criteria to be worth.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from pooling.planning.rules import line_gain
from pooling.planning.snapshot import Frozen

Key = Hashable
"""What a line is told by in both plans: its id, or what its successor in a later submission has in common with it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over lines in pools; spend and CO2e are a year's, the rest is over the term. A participant's set-up cost is
    that of its lines alone."""

    lines_pooled: int = 0
    spend_eur_per_year: float = 0.0
    value_over_term_eur: float = 0.0
    savings_eur: float = 0.0
    green_value_eur: float = 0.0
    bridging_cost_eur: float = 0.0
    set_up_cost_eur: float = 0.0
    co2_saved_tonnes_per_year: float = 0.0

    @property
    def cash_saving_eur(self) -> float:
        """Savings less bridging and set-up: money alone."""
        return self.savings_eur - self.bridging_cost_eur - self.set_up_cost_eur

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Figures)))

    def __sub__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(Figures)))


@dataclass(frozen=True, slots=True)
class Lot:
    """What a pool takes of one offer; ``tier`` counts from 0, ``quantity`` is a year's."""

    offer: str
    tier: int
    quantity: int
    lines: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of one of the plans; ``spend`` is a year's by line."""

    family: str
    start: str
    lead: str
    members: tuple[str, ...]
    lots: tuple[Lot, ...]
    figures: Figures
    spend: Mapping[Key, float]

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from the other pools of its plan."""
        return self.start, self.family


@dataclass(frozen=True, slots=True)
class Measured:
    """A plan in figures: its pools by start and family, the whole, and each participant that sent a line in a pool."""

    pools: tuple[Pool, ...]
    whole: Figures
    participants: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Pair:
    """A pool of either plan or of both, and in what they differ: start, lead, offers, tiers, lines, quantities."""

    before: Pool | None
    after: Pool | None
    differs: tuple[str, ...] = ()

    @property
    def status(self) -> Literal["same", "moved", "new", "gone"]:
        """What has become of it from the first plan to the second."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        return "moved" if self.differs else "same"


def measure(
    frozen: Frozen, document: Mapping[str, Any], *, senders: Mapping[int, str], keys: Mapping[int, Key]
) -> Measured:
    """The figures of a plan document on its snapshot; ``senders`` says whose each line in a pool is, ``keys`` what it
    is told by in both plans."""
    reader = _Reader(frozen, senders, keys)
    pools = tuple(
        reader.pool(each) for each in sorted(document["pools"], key=lambda one: (one["start"], one["family"]))
    )
    whole = sum((pool.figures for pool in pools), Figures())
    return Measured(pools, whole, reader.participants)


class _Reader:
    """Looks up a plan's lines and offers, and sums up by participant as it goes."""

    def __init__(self, frozen: Frozen, senders: Mapping[int, str], keys: Mapping[int, Key]) -> None:
        instance = frozen.instance
        self.policy = instance["policy"]
        self.lines = {each["id"]: each for each in instance["lines"]}
        self.offers = {each["id"]: each for each in instance["offers"]}
        self.terms = {each["id"]: each["term_months"] or self.policy["term_months"] for each in instance["categories"]}
        self.countries = {each["id"]: each["country"] for each in instance["participants"]}
        self.senders, self.keys = senders, keys
        self.participants: dict[str, Figures] = {}

    def pool(self, pool: Mapping[str, Any]) -> Pool:
        figures, spend = Figures(), {}
        for lot in pool["lots"]:
            figures += Figures(set_up_cost_eur=self.policy["lot_cost_eur"])
            for name in lot["lines"]:
                own = self._line(self.lines[name], lot, pool["start"])
                sender = self.senders[int(name)]
                self.participants[sender] = self.participants.get(sender, Figures()) + own
                spend[self.keys[int(name)]] = own.spend_eur_per_year
                figures += own
        held = {self.lines[name]["participant"] for lot in pool["lots"] for name in lot["lines"]}
        countries = {self.countries[code] for code in held}
        cost = self.policy["pool_cost_eur"] + self.policy["country_cost_eur"] * (len(countries) - 1)
        return Pool(
            family=pool["family"],
            start=pool["start"],
            lead=pool["lead"],
            members=tuple(sorted(held)),
            lots=tuple(self._lot(lot) for lot in pool["lots"]),
            figures=figures + Figures(set_up_cost_eur=cost),
            spend=spend,
        )

    def _lot(self, lot: Mapping[str, Any]) -> Lot:
        return Lot(lot["offer"], lot["tier"], lot["quantity"], frozenset(self.keys[int(name)] for name in lot["lines"]))

    def _line(self, line: Mapping[str, Any], lot: Mapping[str, Any], start: str) -> Figures:
        offer, term = self.offers[lot["offer"]], self.terms[line["category"]]
        price = offer["tiers"][lot["tier"]]["unit_price_eur"]
        gain = line_gain(line, offer=offer, unit_price_eur=price, start=start, term_months=term, policy=self.policy)
        return Figures(
            lines_pooled=1,
            spend_eur_per_year=line["quantity"] * line["unit_price_eur"],
            value_over_term_eur=line["quantity"] * price * term / 12,
            savings_eur=gain.savings_eur,
            green_value_eur=gain.green_value_eur,
            bridging_cost_eur=gain.bridging_cost_eur,
            set_up_cost_eur=gain.set_up_cost_eur,
            co2_saved_tonnes_per_year=line["quantity"] * offer["co2_saved_kg_per_unit"] / 1000,
        )


def pair(before: Sequence[Pool], after: Sequence[Pool]) -> list[Pair]:
    """Every pool of both plans once. Pools of a family that share lines are taken for one another, those with most
    common spend first; a pool that shares no line with any that is left is new, or gone.
    """
    likeness = sorted(
        ((_likeness(old, new), i, k) for i, old in enumerate(before) for k, new in enumerate(after) if _akin(old, new)),
        key=lambda each: ([-part for part in each[0]], each[1:]),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, k in likeness:
        if i not in partner and k not in taken:
            partner[i] = k
            taken.add(k)
    found = [
        Pair(old, after[partner[i]], _differs(old, after[partner[i]])) if i in partner else Pair(old, None)
        for i, old in enumerate(before)
    ]
    found += [Pair(None, new) for k, new in enumerate(after) if k not in taken]
    return sorted(found, key=_place)


def _place(each: Pair) -> tuple[tuple[str, str], bool]:
    shown = each.after or each.before
    assert shown is not None  # noqa: S101 a pair has one at least
    return shown.place, each.after is None


def _akin(old: Pool, new: Pool) -> bool:
    return old.family == new.family and not old.spend.keys().isdisjoint(new.spend)


def _likeness(old: Pool, new: Pool) -> tuple[float, ...]:
    common = old.spend.keys() & new.spend.keys()
    spend = sum(old.spend[key] for key in sorted(common, key=repr))
    return spend, len(common), old.start == new.start, old.lead == new.lead


def _differs(old: Pool, new: Pool) -> tuple[str, ...]:
    both = [({lot.offer: lot for lot in pool.lots}) for pool in (old, new)]
    same_offers = both[0].keys() == both[1].keys()
    common = sorted(both[0].keys() & both[1].keys())
    pairs = [(both[0][offer], both[1][offer]) for offer in common]
    said = {
        "start": old.start != new.start,
        "lead": old.lead != new.lead,
        "offers": not same_offers,
        "tiers": any(a.tier != b.tier for a, b in pairs),
        "lines": old.spend.keys() != new.spend.keys(),
        "quantities": any(a.quantity != b.quantity for a, b in pairs),
    }
    return tuple(name for name, is_so in said.items() if is_so)


def identities(
    ids: Iterable[int], others: Iterable[int], described: Mapping[int, tuple[Any, ...]]
) -> tuple[dict[int, Key], dict[int, Key]]:
    """What each line of two plans is told by: its id where both have it; else ``described`` (participant, category and
    item code), so that a line is known again after its file was sent anew; the id where that names more than one.
    """
    first, second = set(ids), set(others)
    both = first & second
    return _named(first, both, described), _named(second, both, described)


def _named(ids: set[int], both: set[int], described: Mapping[int, tuple[Any, ...]]) -> dict[int, Key]:
    counts: dict[tuple[Any, ...], int] = {}
    for key in ids - both:
        counts[described[key]] = counts.get(described[key], 0) + 1
    return {key: key if key in both or counts[described[key]] > 1 else described[key] for key in ids}
