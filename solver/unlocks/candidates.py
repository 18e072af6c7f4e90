"""Single changes that could let a line into a pool, each with its cost and what it would add to the plan as it stands.

The kinds: an end of the window moved, a criterion accepted, its own volume, a limit raised by one, the sizes of an
offer, an entry of forbidden, the policy floor and minimum, and lines of others in no pool: their volume, their
window, a criterion of theirs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from solver.arrays import Flags
from solver.checks import LARGEST_WHOLE
from solver.instance import Forbidden, Line
from solver.months import month_at
from solver.prohibitions import Prohibitions
from solver.terms import suits, term_months
from solver.unlocks.costs import COSTS, GROWTHS, MOST_ENTRIES, MOST_OF_OTHERS, OTHERS, VOLUME, Candidate
from solver.unlocks.partners import Partner
from solver.unlocks.places import Places
from solver.unlocks.sizes import Sizes, smaller
from solver.whatif.desk import Desk
from solver.whatif.kinds import Change, ForbiddenDropped, OfferChanged, ParticipantChanged, PolicyChanged
from solver.whatif.lines import CriterionAccepted, VolumeChanged, WindowMoved
from solver.whatif.placing import Placement


class Candidates:
    """All changes considered for a line in no pool of the desk's best plan."""

    def __init__(self, desk: Desk, line: Line) -> None:
        self.desk, self.line, self.places = desk, line, Places(desk, line)
        self.instance, self.policy = desk.instance, desk.instance.policy
        self.offers, self.floor = self.places.shelf.offers, self.policy.green_floor

    def listed(self) -> list[Candidate]:
        """In order of cost; equal costs in the order of the kinds here.

        A line that may take no offer in any month, whatever its size, gets only what could open one to it.
        """
        kinds: list[Callable[[], Iterable[Candidate]]] = [self._windows, self._criteria]
        if any(months.any() for months in self._allowed()):
            kinds += [self._own_volumes, self._limits, self._supply, self._fewer, self._others]
        kinds += [self._forbidden, self._greener]
        found = [candidate for kind in kinds for candidate in kind()]
        return sorted(found, key=lambda candidate: candidate.cost)

    def _candidate(
        self, change: Change, kind: str, cost: float, allowed: Sequence[Flags], *, own: bool = True, by: str | None = ""
    ) -> Candidate:
        estimate, placements = self.places.best(allowed)
        possible = self.places.possible(allowed) or not own  # a change for others too may bring more of them
        by = self.line.participant if by == "" else by
        return Candidate(change, kind, cost, own, by, estimate, placements, possible=possible)

    # The line's own terms --------------------------------------------------------------------------------------------

    def _windows(self) -> Iterator[Candidate]:
        last = self.places.months - 1
        if self.places.latest >= 0:
            for k in range(max(1, self.places.earliest - last), self.places.earliest + 1):
                change = WindowMoved(line=self.line.id, earliest_months=-k)
                yield self._candidate(
                    change, "window", k, self.places.allowed(self.line, self.places.window(earlier=k))
                )
        if self.places.earliest <= last:
            for k in range(max(1, -self.places.latest), last - self.places.latest + 1):
                change = WindowMoved(line=self.line.id, latest_months=k)
                yield self._candidate(change, "window", k, self.places.allowed(self.line, self.places.window(later=k)))

    def _criteria(self) -> Iterator[Candidate]:
        for criterion in (*self.line.required, *self.line.refused):
            change = CriterionAccepted(line=self.line.id, criterion=criterion)
            eased = self.eased([criterion])
            newly = [o for o in self.offers if suits(eased, o, self.floor) > suits(self.line, o, self.floor)]
            if newly:
                allowed = self.places.allowed(eased, self.places.window())
                yield self._candidate(change, "criterion", COSTS["criterion"], allowed)

    def eased(self, criteria: Iterable[str]) -> Line:
        """The line without some of its criteria."""
        dropped = set(criteria)
        required, refused = (
            tuple(c for c in had if c not in dropped) for had in (self.line.required, self.line.refused)
        )
        return replace(self.line, required=required, refused=refused)

    def _own_volumes(self) -> Iterator[Candidate]:
        wanted = self.places.volumes(self.places.meetings, self._allowed(), self.line.quantity)
        for quantity, estimate, placements in wanted:
            if self._countable(quantity):
                yield self._volume(quantity, estimate, placements, rough=False)
        for quantity in self.sizes.listed:
            yield self.volume(quantity, rough=False)
        for growth in GROWTHS:
            quantity = max(self.line.quantity + 1, round(growth * self.line.quantity))
            if self._countable(quantity):
                yield self.volume(quantity, rough=True)

    def _countable(self, quantity: int) -> bool:
        """Whether the line can have the quantity: its upper figure grows along and must stay a whole number."""
        return quantity * self.line.quantity_high <= LARGEST_WHOLE * self.line.quantity

    def volume(self, quantity: int, *, rough: bool) -> Candidate:
        """The line with another quantity."""
        estimate, placements = self.places.best(self._allowed(), share=quantity / self.line.quantity)
        return self._volume(quantity, estimate, placements, rough=rough)

    def grows_with_volume(self) -> bool:
        """Whether more volume never costs the line a lawful place: it gains by each unit or not at all, and more of it
        is surely more."""
        shelf, mine = self.places.shelf, self.places.position
        sure = self.places.ground.view.market.terms.deviates * shelf.deviation[mine] <= shelf.quantity[mine]
        return bool(sure) and (self.policy.no_one_worse_off or self._least_gain() >= 0)

    def _least_gain(self) -> float:
        """What the whole line gains where it gains least, without waiting and its own cost."""
        shelf, mine = self.places.shelf, self.places.position
        least = min((float(gain[mine]) for gains in shelf.gains for gain in gains), default=0.0)
        return least + self.policy.line_cost_eur

    def _more_is_better(self) -> bool:
        """Whether more volume is never worse for the line at any place in its window, waiting counted."""
        waiting = self.places.shelf.waiting[self.places.position, self.places.window()]
        pays = self.policy.no_one_worse_off or self._least_gain() >= waiting.max(initial=0.0)
        return self.grows_with_volume() and pays

    def never_worse(self) -> Line:
        """The line where more volume is never worse for it; else worth more, surer and waiting for nothing, so that it
        is so."""
        if self._more_is_better():
            return self.line
        category = self.places.ground.view.market.category[self.line.category]
        lacking = max(0.0, -self._least_gain()) * 12 / term_months(category, self.instance)
        return replace(
            self.line,
            quantity_low=self.line.quantity,
            quantity_high=self.line.quantity,
            unit_price_eur=self.line.unit_price_eur + lacking / self.line.quantity,
            bridging_rate_per_year=0.0,
        )

    def _volume(self, quantity: int, estimate: float, placements: tuple[Placement, ...], *, rough: bool) -> Candidate:
        share = quantity / self.line.quantity
        change, cost = VolumeChanged(line=self.line.id, quantity=quantity), VOLUME * abs(share - 1)
        possible = self.places.possible(self._allowed(), share=share)
        by = self.line.participant
        return Candidate(change, "own_volume", cost, True, by, estimate, placements, rough, possible)

    @cached_property
    def sizes(self) -> Sizes:
        """The smaller volumes that the offers' limits have room for."""
        return smaller(self.places, monotone=self._more_is_better())

    # What others would have to change --------------------------------------------------------------------------------

    def _limits(self) -> Iterator[Candidate]:
        """Limits that somebody sets, raised by one."""
        allowed = self._allowed()
        estimate, placements = self.places.best(allowed)
        changes: list[tuple[Change, str | None]] = []
        for name in ("max_pools_per_quarter", "max_participants_per_pool", "max_countries_per_pool"):
            limit = getattr(self.policy, name)
            if limit is not None:
                changes.append((PolicyChanged(values={name: limit + 1}), None))
        for person in self.instance.participants:
            if person.id in self._hindered(placements):
                for name in ("max_pools_per_quarter", "max_leads"):
                    limit = getattr(person, name)
                    if limit is not None:
                        changed = ParticipantChanged(participant=person.id, values={name: limit + 1})
                        changes.append((changed, person.id))
                if not person.may_lead and person.contracting_authority:
                    changes.append((ParticipantChanged(participant=person.id, values={"may_lead": True}), person.id))
        possible = self.places.possible(allowed)
        for change, by in changes:
            cost = COSTS["limit"] + self._asked(by)
            yield Candidate(change, "limit", cost, False, by, estimate, placements, possible=possible)

    def _asked(self, by: str | None) -> float:
        """What it costs on top that somebody else would have to change something."""
        return 0.0 if by in (None, self.line.participant) else OTHERS

    def _hindered(self, placements: Iterable[Placement]) -> set[str]:
        """The line's participant, and those in its placements."""
        worth = self.places.ground.view.worth
        members = {worth.lines[name].participant for placement in placements for name in placement.lines}
        return {*members, self.line.participant}

    def _supply(self) -> Iterator[Candidate]:
        """An offer's largest lot or its whole supply raised by what the promising placements lack."""
        for placement in (*self.places.best(self._allowed())[1], *self._lifted()):
            offer = next(offer for offer in self.offers if offer.id == placement.offer)
            for name, lacking in (
                ("max_quantity", self._quantity(placement.lines)),
                ("total_max_quantity", self._taken(placement)),
            ):
                limit = getattr(offer, name)
                if limit is not None and lacking > limit:
                    cost = COSTS["limit"] + VOLUME * (lacking / max(1, limit) - 1)
                    change = OfferChanged(offer=offer.id, values={name: lacking})
                    yield Candidate(change, "supply", cost, False, None, placement.estimate_eur, (placement,))

    def _lifted(self) -> Iterator[Placement]:
        """The best placement on each offer whose largest lot is too small for some line, were it not limited."""
        largest = int(self.places.shelf.quantity.max(initial=0))
        for k, offer in enumerate(self.offers):
            if offer.max_quantity is not None and offer.max_quantity < largest:
                unlimited = OfferChanged(offer=offer.id, values={"max_quantity": None})
                places = Places(self.desk, self.line, unlimited)
                none = np.zeros(places.months, dtype=bool)
                allowed = places.allowed(self.line, places.window())
                yield from places.best([months if o == k else none for o, months in enumerate(allowed)])[1]

    def _allowed(self) -> list[Flags]:
        """Where the line may go as it is, whatever its size."""
        return self.places.allowed(self.line, self.places.window())

    def _quantity(self, lines: Iterable[str]) -> int:
        return sum(self.places.ground.view.worth.lines[name].quantity for name in lines)

    def _taken(self, placement: Placement) -> int:
        """What all lots on the placement's offer would take with it, decided ones included."""
        start = month_at(self.policy.horizon_start, placement.month)
        taken = self._quantity(placement.lines)
        for pool in self.desk.best.pools:
            for lot in pool.lots:
                if lot.offer == placement.offer and pool.start != start:
                    taken += self._quantity(name for name in lot.lines if name not in placement.lines)
        return taken

    def _forbidden(self) -> Iterator[Candidate]:
        for entry in self._entries[:MOST_ENTRIES]:
            change = ForbiddenDropped(
                participant=entry.participant,
                line=entry.line,
                family=entry.family,
                offer=entry.offer,
                start=entry.start,
            )
            own = entry.line == self.line.id
            places = self.places if own else Places(self.desk, self.line, change)
            prohibitions = Prohibitions(change.of(self.instance))
            none, window = np.zeros(places.months, dtype=bool), places.window()
            allowed = [
                window & places.open(offer, prohibitions) if suits(self.line, offer, self.floor) else none
                for offer in self.offers
            ]
            estimate, placements = places.best(allowed)
            possible = places.possible(allowed)
            cost = COSTS["forbidden"]
            yield Candidate(change, "forbidden", cost, own, None, estimate, placements, possible=possible)

    @property
    def entries_left_out(self) -> int:
        """Entries of forbidden that bear on the line or those it could share a lot with, and are not listed."""
        return max(0, len(self._entries) - MOST_ENTRIES)

    @cached_property
    def _entries(self) -> list[Forbidden]:
        """Entries of forbidden that bear on the line, and where it may take some offer already, those that bear on
        other lines of the category."""
        partners = any(months.any() for months in self._allowed())
        mine = [entry for entry in self.instance.forbidden if self._bears(entry, self.line)]
        others = [
            entry
            for entry in self.instance.forbidden
            if partners and entry not in mine and any(self._bears(entry, line) for line in self.places.shelf.lines)
        ]
        return [*mine, *others]

    def _bears(self, entry: Forbidden, line: Line) -> bool:
        offers = {None, *(offer.id for offer in self.offers)}
        named = entry.participant in (None, line.participant) and entry.line in (None, line.id)
        return named and entry.offer in offers and entry.family in (None, self.places.ground.family)

    def _greener(self) -> Iterator[Candidate]:
        """The green floor without one criterion."""
        none, window = np.zeros(self.places.months, dtype=bool), self.places.window()
        for criterion in self.floor:
            floor = [name for name in self.floor if name != criterion]
            allowed = [window & self.places.open(o) if suits(self.line, o, floor) else none for o in self.offers]
            change = PolicyChanged(values={"green_floor": tuple(floor)})
            yield self._candidate(change, "policy", COSTS["policy"], allowed, own=False, by=None)

    def _fewer(self) -> Iterator[Candidate]:
        """One participant fewer in every lot."""
        if self.policy.min_participants > 1:
            change = PolicyChanged(values={"min_participants": self.policy.min_participants - 1})
            estimate, placements = self.places.best(self._allowed(), fewer=1)
            possible = self.places.possible(self._allowed(), fewer=1)
            yield Candidate(change, "policy", COSTS["policy"], False, None, estimate, placements, possible=possible)

    def _others(self) -> list[Candidate]:
        """Lines of the category in no pool, which with more volume or other terms would make a lot with this one."""
        mine = self._allowed()
        free = (int(other) for other in np.flatnonzero(self.places.ground.free) if other != self.places.position)
        found = [found for other in free for found in Partner(self.places, other, mine).candidates()]
        return sorted(found, key=lambda candidate: candidate.cost)[:MOST_OF_OTHERS]
