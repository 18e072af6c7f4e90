"""Two plans side by side: pools added, removed and changed, and what each participant has in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from solver.plan import PlanLot, PlanPool
from solver.worth import Worth


@dataclass(frozen=True, slots=True)
class LotChange:
    """A lot that is in both plans, with what is not the same; tiers count from 0."""

    offer: str
    lines_in: tuple[str, ...]
    lines_out: tuple[str, ...]
    tier_before: int
    tier_after: int
    quantity_before: int
    quantity_after: int


@dataclass(frozen=True, slots=True)
class PoolChange:
    """A pool (same family and start) that is in both plans, with what is not the same."""

    family: str
    start: str
    lead_before: str
    lead_after: str
    lots_added: tuple[PlanLot, ...]
    lots_removed: tuple[PlanLot, ...]
    lots_changed: tuple[LotChange, ...]


@dataclass(frozen=True, slots=True)
class PoolChanges:
    """What tells the pools of two plans apart, in the order of starts and families."""

    added: tuple[PlanPool, ...]
    removed: tuple[PlanPool, ...]
    changed: tuple[PoolChange, ...]

    def to_document(self) -> dict[str, object]:
        return {
            "added": [_listed(asdict(pool)) for pool in self.added],
            "removed": [_listed(asdict(pool)) for pool in self.removed],
            "changed": [_listed(asdict(pool)) for pool in self.changed],
        }


def _listed(value: object) -> object:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {name: _listed(entry) for name, entry in value.items()}
    return [_listed(entry) for entry in value] if isinstance(value, list | tuple) else value


def compare(before: Iterable[PlanPool], after: Iterable[PlanPool]) -> PoolChanges:
    """What became of the pools; lots are told apart by their lines, tier and quantity."""
    old = {(pool.start, pool.family): pool for pool in before}
    new = {(pool.start, pool.family): pool for pool in after}
    both = sorted(old.keys() & new.keys())
    pairs = ((old[key], new[key]) for key in both)
    changes = (_changed(first, second) for first, second in pairs)
    return PoolChanges(
        added=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        removed=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        changed=tuple(change for change in changes if change is not None),
    )


def _changed(before: PlanPool, after: PlanPool) -> PoolChange | None:
    old, new = {lot.offer: lot for lot in before.lots}, {lot.offer: lot for lot in after.lots}
    added = tuple(new[offer] for offer in sorted(new.keys() - old.keys()))
    removed = tuple(old[offer] for offer in sorted(old.keys() - new.keys()))
    moved = (_moved(old[offer], new[offer]) for offer in sorted(old.keys() & new.keys()))
    changed = tuple(lot for lot in moved if lot is not None)
    if not (added or removed or changed) and before.lead == after.lead:
        return None
    return PoolChange(before.family, before.start, before.lead, after.lead, added, removed, changed)


def _moved(before: PlanLot, after: PlanLot) -> LotChange | None:
    lines_in, lines_out = set(after.lines) - set(before.lines), set(before.lines) - set(after.lines)
    same = (before.tier, before.quantity) == (after.tier, after.quantity)
    if same and not lines_in and not lines_out:
        return None
    return LotChange(
        offer=before.offer,
        lines_in=tuple(sorted(lines_in)),
        lines_out=tuple(sorted(lines_out)),
        tier_before=before.tier,
        tier_after=after.tier,
        quantity_before=before.quantity,
        quantity_after=after.quantity,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What a participant has in a plan: money in EUR over the term, CO2e in tonnes a year.

    ``savings_eur`` is cash, the price paid less than today's; ``green_value_eur`` is what the policy holds CO2e and
    criteria to be worth. ``benefit_eur`` is both, less the costs of waiting and of taking part.
    """

    lines_pooled: int = 0
    spend_pooled_eur_per_year: float = 0.0
    savings_eur: float = 0.0
    green_value_eur: float = 0.0
    bridging_cost_eur: float = 0.0
    line_cost_eur: float = 0.0
    benefit_eur: float = 0.0
    co2_saved_tonnes_per_year: float = 0.0


def shares(worth: Worth, pools: Iterable[PlanPool]) -> dict[str, Share]:
    """Every participant's share, of those with a line in a pool."""
    sums: dict[str, list[float]] = {}
    for pool in pools:
        for lot in pool.lots:
            offer = worth.offers[lot.offer]
            for name in lot.lines:
                line = worth.lines[name]
                gain = worth.line(line, offer, lot.tier, pool.start)
                spend, co2 = line.quantity * line.unit_price_eur, offer.co2_saved_kg_per_unit * line.quantity / 1000
                parts = (gain.savings_eur, gain.green_value_eur, gain.bridging_cost_eur, gain.line_cost_eur)
                row = sums.setdefault(line.participant, [0.0] * len(fields(Share)))
                for k, value in enumerate((1.0, spend, *parts, gain.benefit_eur, co2)):
                    row[k] += value
    return {name: Share(int(row[0]), *row[1:]) for name, row in sums.items()}


def added(first: Mapping[str, Share], second: Mapping[str, Share]) -> dict[str, Share]:
    """Every participant's share in two sets of pools together."""
    found = dict(first)
    for name, share in second.items():
        had = found.get(name, Share())
        found[name] = Share(*(getattr(had, entry.name) + getattr(share, entry.name) for entry in fields(Share)))
    return found


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A participant's shares in two plans."""

    participant: str
    before: Share
    after: Share

    def to_document(self) -> dict[str, object]:
        before, after = asdict(self.before), asdict(self.after)
        change = {name: after[name] - before[name] for name in before}
        return {"participant": self.participant, "before": before, "after": after, "difference": change}


def compare_shares(before: dict[str, Share], after: dict[str, Share], order: Sequence[str]) -> tuple[ShareChange, ...]:
    """Of the participants in ``order``, those whose share is not the same, told with both."""
    pairs = ((name, before.get(name, Share()), after.get(name, Share())) for name in order)
    return tuple(ShareChange(name, old, new) for name, old, new in pairs if _differs(old, new))


def _differs(old: Share, new: Share) -> bool:
    pairs = ((getattr(old, entry.name), getattr(new, entry.name)) for entry in fields(Share))
    return any(abs(a - b) > 1e-6 * max(1.0, abs(a)) for a, b in pairs)
