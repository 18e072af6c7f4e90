"""The places that a line in no pool could take, by its own terms and by others: months, offers, volumes, estimates."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Line, Offer
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE
from solver.months import offset
from solver.prohibitions import Prohibitions
from solver.terms import suits
from solver.unlocks.costs import FINEST_SHARE, HALVINGS, MOST_GROWTH, MOST_PLACEMENTS, MOST_VOLUMES
from solver.whatif.desk import Desk, same_within
from solver.whatif.kinds import Change
from solver.whatif.placing import Ground, Meeting, Placement


class Places:
    """A line in no pool of the desk's best plan, beside the ground of its category."""

    def __init__(self, desk: Desk, line: Line, *changes: Change) -> None:
        self.line, self.instance, self.policy = line, desk.instance, desk.instance.policy
        self.ground: Ground = desk.ground(line.category, *changes)
        self.shelf, self.position = self.ground.shelf, self.ground.shelf.index[line.id]
        self.months, self.floor = self.policy.horizon_months, self.policy.green_floor
        origin = self.policy.horizon_start
        self.earliest, self.latest = offset(line.earliest_start, origin), offset(line.latest_start, origin)
        self.meetings = tuple(self.ground.meetings(self.position))
        self.slack = WORSE_OFF_TOLERANCE * max(1.0, float(self.shelf.spend[self.position]))
        self.least = same_within(desk.best.objective_eur)

    def window(self, earlier: int = 0, later: int = 0) -> Flags:
        """Months within the window, its ends moved."""
        months = np.arange(self.months)
        inside: Flags = (months >= self.earliest - earlier) & (months <= self.latest + later)
        return inside

    def open(self, offer: Offer, prohibitions: Prohibitions | None = None) -> Flags:
        """Months not forbidden to the line on the offer."""
        prohibitions = prohibitions or self.ground.view.market.prohibitions
        free = np.zeros(self.months, dtype=bool)
        free[prohibitions.months(self.line.id, offer.id, 0, self.months - 1)] = True
        return free

    def allowed(self, line: Line, months: Flags) -> list[Flags]:
        """Per offer, the months at which the line as changed may take it, whatever its size."""
        none = np.zeros(self.months, dtype=bool)
        return [months & self.open(o) if suits(line, o, self.floor) else none for o in self.shelf.offers]

    def best(
        self, allowed: Sequence[Flags], *, fewer: int = 0, share: float = 1.0
    ) -> tuple[float, tuple[Placement, ...]]:
        """The best estimate among the allowed places, and the placements that promise most and no loss."""
        top: list[tuple[float, int, Meeting]] = []
        highest = -np.inf
        for meeting in self.meetings:
            gain = self.gain(meeting, share, fewer)
            gain = np.where(allowed[meeting.company.offer], gain, -np.inf)
            highest = max(highest, float(gain.max(initial=-np.inf)))
            top += ((float(gain[m]), int(m), meeting) for m in np.argsort(-gain)[:2] if gain[m] > -self.least)
        top.sort(key=lambda entry: -entry[0])
        return highest, tuple(self.ground.placement(meeting, m, share) for _, m, meeting in top[:MOST_PLACEMENTS])

    def possible(self, allowed: Sequence[Flags], *, share: float = 1.0, fewer: int = 0) -> bool:
        """Whether any choice of lines could carry a lot with the line at an allowed place: False is proof that none
        can, True is no proof. Uncertainty and waiting are left out, which only favours the line."""
        own = share * float(self.shelf.quantity[self.position])
        for offer, tier, brought, authorities in self._all_there:
            tipping = self.shelf.offers[offer].tiers[tier].from_quantity
            worth = share * (self.shelf.gains[offer][tier][self.position] + self.policy.line_cost_eur)
            worse = worth - self.policy.line_cost_eur < -self.slack * max(1.0, share)
            enough = authorities >= self.policy.min_participants - fewer
            there = enough & (brought + own >= tipping * (1 - SURE_TOLERANCE)) & allowed[offer] & self.ground.open
            if there.any() and not (worse and self.policy.no_one_worse_off):
                return True
        return False

    @cached_property
    def _all_there(self) -> list[tuple[int, int, Floats, Ints]]:
        """Per offer and tier, month by month: what all other lines that would go there bring, and how many authorities
        they are with the line."""
        shelf, found = self.shelf, []
        for offer in range(len(shelf.offers)):
            for tier in range(len(shelf.offers[offer].tiers)):
                there = shelf.fits[offer].copy()
                if self.policy.no_one_worse_off:
                    slack = WORSE_OFF_TOLERANCE * np.maximum(1.0, shelf.spend)
                    there &= self.ground.benefit(offer, tier) >= -slack[:, None]
                there[self.position] = True
                people = np.zeros((len(self.instance.participants), self.months), dtype=bool)
                np.logical_or.at(people, shelf.participant[shelf.authority], there[shelf.authority])
                own = shelf.quantity[self.position]
                found.append((offer, tier, shelf.quantity @ there - own, people.sum(axis=0)))
        return found

    def gain(self, meeting: Meeting, share: Floats | float, fewer: int = 0) -> Floats:
        """What meetings add month by month; minus infinity where they cannot be."""
        there = meeting.reaches(share, fewer)
        if self.policy.no_one_worse_off:
            there = there & (meeting.own_benefit(share) >= -self.slack)
        gain: Floats = np.where(there, meeting.gain(share), -np.inf)
        return gain

    def volumes(
        self, meetings: Iterable[Meeting], allowed: Sequence[Flags], quantity: int
    ) -> list[tuple[int, float, tuple[Placement, ...]]]:
        """The smallest larger volumes of the newcomer that would do at some place, and a little more of each."""
        found: dict[int, tuple[float, tuple[Placement, ...]]] = {}
        for meeting in meetings:
            share = self._least_share(meeting)
            share = np.where(allowed[meeting.company.offer], share, np.inf)
            for month in np.argsort(share)[:2]:
                if np.isfinite(share[month]):
                    needed = max(quantity + 1, int(np.ceil(share[month] * quantity - 1e-9)))
                    for tried in (needed, needed + max(1, round(FINEST_SHARE * quantity))):
                        placement = self.ground.placement(meeting, int(month), tried / quantity)
                        found.setdefault(tried, (placement.estimate_eur, (placement,)))
        return [(tried, *found[tried]) for tried in sorted(found)[:MOST_VOLUMES]]

    def _least_share(self, meeting: Meeting) -> Floats:
        """Month by month, the least multiple (above 1) of the newcomer's demand that would do; infinite for none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            least = (2 * self.least - meeting.fixed_gain) / meeting.share_gain
            if self.policy.no_one_worse_off:
                least = np.maximum(least, meeting.own_cost / meeting.share_gain)
        least = np.where(meeting.share_gain > 0, np.maximum(1.0, least), np.inf)
        possible = (least <= MOST_GROWTH) & meeting.reaches(MOST_GROWTH)
        low = np.where(possible, least, 1.0)
        at_once, high = meeting.reaches(low), np.full(self.months, MOST_GROWTH)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            there = meeting.reaches(middle)
            low, high = np.where(there, low, middle), np.where(there, middle, high)
        share: Floats = np.where(possible, np.where(at_once, least, high), np.inf)
        return share
