"""What others could do for a line that is in no pool: lines of its category in no pool either."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from solver.arrays import Flags
from solver.instance import Offer
from solver.months import offset
from solver.terms import suits
from solver.unlocks.costs import COSTS, OTHERS, VOLUME, Candidate
from solver.unlocks.places import Places
from solver.whatif.kinds import Change
from solver.whatif.lines import CriterionAccepted, VolumeChanged, WindowMoved
from solver.whatif.placing import Meeting, Placement


class Partner:
    """Another line of the category in no pool, and what of it would have to change for both to share a lot."""

    def __init__(self, asked: Places, other: int, mine: Sequence[Flags]) -> None:
        self.asked, self.mine = asked, mine
        self.line = asked.shelf.lines[other]
        self.meetings = tuple(asked.ground.meetings(other, beside=(asked.position,)))
        self.fits = [fits[other] for fits in asked.shelf.fits]

    def candidates(self) -> Iterator[Candidate]:
        yield from self._volumes()
        yield from self._terms()

    def _volumes(self) -> Iterator[Candidate]:
        """The least it would have to bring."""
        together = [mine & fits for mine, fits in zip(self.mine, self.fits, strict=True)]
        wanted = self.asked.volumes(self._willing(), together, self.line.quantity)
        for quantity, estimate, placements in wanted[:2]:
            cost = VOLUME * (quantity / self.line.quantity - 1)
            change = VolumeChanged(line=self.line.id, quantity=quantity)
            yield self._candidate(change, "volume_of_other", cost, estimate, placements)

    def _terms(self) -> Iterator[Candidate]:
        """The cheapest move of its window, and the first criterion, that would bring it to the line's place."""
        asked, window = self.asked, self._window()
        best: dict[str, tuple[float, Change, float, Placement]] = {}
        for meeting in self._willing():
            offer = asked.shelf.offers[meeting.company.offer]
            there = self.mine[meeting.company.offer] & ~self.fits[meeting.company.offer]
            gain = np.where(there, asked.gain(meeting, 1.0), -np.inf)
            for month in np.flatnonzero(gain > asked.least):
                change = self._change(offer, int(month), window)
                if change is None:
                    continue
                kind, cost = self._cost(change)
                if kind not in best or cost < best[kind][0]:
                    placement = asked.ground.placement(meeting, int(month))
                    best[kind] = cost, change, float(gain[month]), placement
        for kind, (cost, change, estimate, placement) in best.items():
            yield self._candidate(change, kind, cost, estimate, (placement,))

    def _candidate(
        self, change: Change, kind: str, cost: float, estimate: float, placements: tuple[Placement, ...]
    ) -> Candidate:
        by = self.line.participant
        return Candidate(change, kind, cost + OTHERS, False, by, estimate, placements)

    def _willing(self) -> Iterator[Meeting]:
        """Meetings at which the line asked about would not be worse off."""
        asked = self.asked
        for meeting in self.meetings:
            own = asked.ground.benefit(meeting.company.offer, meeting.company.tier)[asked.position]
            willing = own >= -asked.slack if asked.policy.no_one_worse_off else np.ones(asked.months, dtype=bool)
            if willing.any():
                yield replace(meeting, company=replace(meeting.company, possible=meeting.company.possible & willing))

    def _window(self) -> tuple[int, int]:
        origin = self.asked.policy.horizon_start
        return offset(self.line.earliest_start, origin), offset(self.line.latest_start, origin)

    def _change(self, offer: Offer, month: int, window: tuple[int, int]) -> Change | None:
        """The single change by which the line could take the offer then; None where it takes more than one."""
        earliest, latest = window
        suited = suits(self.line, offer, self.asked.floor)
        if not earliest <= month <= latest:
            if not suited:
                return None
            early, late = min(0, month - earliest), max(0, month - latest)
            return WindowMoved(line=self.line.id, earliest_months=early, latest_months=late)
        wrong = [c for c in self.line.required if c not in offer.criteria]
        wrong += [c for c in self.line.refused if c in offer.criteria]
        if len(wrong) != 1 or not set(offer.criteria).issuperset(self.asked.floor):
            return None
        return CriterionAccepted(line=self.line.id, criterion=wrong[0])

    def _cost(self, change: Change) -> tuple[str, float]:
        if isinstance(change, WindowMoved):
            return "window_of_other", float(abs(change.earliest_months) + abs(change.latest_months))
        return "criterion_of_other", COSTS["criterion"]
