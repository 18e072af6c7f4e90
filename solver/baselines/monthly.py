"""The lots that one category's lines could make by themselves, for every month at once.

A lot takes everybody who fits and is not worse off at the tier that all of them reach. No search: who leaves because of
the price may take the volume below a tier, then the rest are asked again. Arrays are (lines, months) with lines as on
the category's `Shelf` and months from the start of the horizon. Money is EUR over the term.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.lots import SURE_TOLERANCE, Market
from solver.months import offset
from solver.shelves import Shelf

Place = tuple[int, int]
"""(offer on the shelf, month)."""


@dataclass(frozen=True)
class MonthlyLots:
    """A lot in every month: ``offer`` on the shelf (-1 for no lot), who is in it, and what it brings.

    ``benefit`` is each member's, 0 for the others; ``value`` their sum less the lot's cost, 0 where there is no lot.
    """

    offer: Ints
    members: Flags
    benefit: Floats
    value: Floats


class Stand:
    """A category's shelf with its free lines; ``only`` is its one place where it has no choice."""

    def __init__(self, market: Market, shelf: Shelf, only: Place | None = None) -> None:
        self.shelf, self.policy, self.deviates = shelf, market.instance.policy, market.terms.deviates
        self.free: Flags = np.ones(len(shelf.lines), dtype=bool)
        self.months = np.arange(self.policy.horizon_months)
        self.open = np.full((len(shelf.offers), len(self.months)), only is None)
        if only is not None:
            self.open[only] = True
        self.sums = np.stack([shelf.quantity, shelf.deviation**2, shelf.deviation])
        self.gains = [np.stack(tiers) for tiers in shelf.gains]
        self.kept = self._kept(market)
        self.order = np.argsort(shelf.participant, kind="stable")
        self.seats = np.flatnonzero(np.diff(shelf.participant[self.order], prepend=-1))

    def _kept(self, market: Market) -> dict[int, Floats]:
        """By offer, what each line earns by standing where it stood."""
        kept: dict[int, Floats] = {}
        numbers = {offer.id: o for o, offer in enumerate(self.shelf.offers)}
        for entry in market.instance.previous if market.kept else ():
            month = offset(entry.start, self.policy.horizon_start)
            if entry.line in self.shelf.index and entry.offer in numbers and 0 <= month < len(self.months):
                bonus = kept.setdefault(numbers[entry.offer], np.zeros((len(self.free), len(self.months))))
                bonus[self.shelf.index[entry.line], month] = self.policy.stability_eur
        return kept

    def lots(self, may: Flags, room: Sequence[float]) -> Iterator[MonthlyLots]:
        """Lots that pay of the lines that may: the best in every month, then the best of the others' lines.

        ``room``: the largest quantity of a lot on each offer. In one month each offer has at most one lot.
        """
        unused = self.open.copy()
        while unused.any():
            found = [self._lot(o, may & unused[o], room[o]) for o in range(len(self.gains))]
            values = np.stack([value for _, _, value in found])
            best = values.argmax(axis=0)
            value = values[best, self.months]
            pays = value > 0
            if not pays.any():
                return
            members = np.stack([inside for inside, _, _ in found])[best, :, self.months].T & pays
            benefit = np.stack([benefit for _, benefit, _ in found])[best, :, self.months].T
            offer = np.where(pays, best, -1)
            yield MonthlyLots(offer, members, np.where(members, benefit, 0.0), np.where(pays, value, 0.0))
            may = may & ~members
            unused[best[pays], self.months[pays]] = False

    def _lot(self, o: int, may: Flags, room: float) -> tuple[Flags, Floats, Floats]:
        """Members, their benefits, and value (-inf where no lot is lawful) of the lot on the offer."""
        found = self._of(o, self.shelf.fits[o] & may, room, leaving=True)
        if self.policy.no_one_worse_off:
            return found
        whole = self._of(o, self.shelf.fits[o] & may, room, leaving=False)
        better = whole[2] > found[2]
        inside, benefits, value = (np.where(better, b, a) for a, b in zip(found, whole, strict=True))
        return inside, benefits, value

    def _of(self, o: int, inside: Flags, room: float, *, leaving: bool) -> tuple[Flags, Floats, Floats]:
        inside, tier, benefit = self._settled(o, inside, leaving=leaving)
        over = np.flatnonzero(self.shelf.quantity @ inside > room)
        if len(over):
            inside = inside.copy()
            for month in over:
                inside[:, month] = self._within(inside[:, month], benefit[:, month], room)
            inside, tier, benefit = self._settled(o, inside, leaving=leaving)
        lawful = (tier >= 0) & (self._authorities(inside) >= self.policy.min_participants)
        if o in self.kept:
            benefit = benefit + self.kept[o]
        value = np.where(inside, benefit, 0.0).sum(axis=0) - self.policy.lot_cost_eur
        return inside, benefit, np.where(lawful, value, -np.inf)

    def _settled(self, o: int, inside: Flags, *, leaving: bool) -> tuple[Flags, Ints, Floats]:
        """Who is left, the tier they reach (-1 for none) and everybody's benefit at it."""
        volumes = np.array([tier.from_quantity for tier in self.shelf.offers[o].tiers]) * (1 - SURE_TOLERANCE)
        rho = self.policy.forecast_correlation
        while True:
            quantity, variance, deviation = self.sums @ inside
            sure = quantity - self.deviates * np.sqrt((1 - rho) * variance + rho * deviation**2)
            tier = np.searchsorted(volumes, sure, side="right") - 1
            benefit = self.gains[o][np.maximum(0, tier)].T - self.shelf.waiting
            stay = inside & (tier >= 0)
            if leaving:
                stay &= benefit >= 0
            if np.array_equal(stay, inside):
                return inside, tier, benefit
            inside = stay

    def _within(self, inside: Flags, benefit: Floats, room: float) -> Flags:
        """Those of one month's members, most benefit per unit first, that the room is enough for."""
        kept = np.zeros_like(inside)
        for line in sorted(np.flatnonzero(inside), key=lambda k: -benefit[k] / self.shelf.quantity[k]):
            if self.shelf.quantity[line] <= room:
                kept[line] = True
                room -= self.shelf.quantity[line]
        return kept

    def _authorities(self, inside: Flags) -> Ints:
        """Different contracting authorities in every month."""
        seated = (inside & self.shelf.authority[:, None])[self.order]
        count: Ints = np.logical_or.reduceat(seated, self.seats, axis=0).sum(axis=0)
        return count
