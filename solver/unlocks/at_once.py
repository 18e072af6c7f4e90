"""Many changes of a line's own terms shown at once not to let it in, by one solve in which all are made and more."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from solver.instance import Line
from solver.instance.cutting import with_parts
from solver.months import month_at
from solver.plan import PlanPool
from solver.unlocks.candidates import Candidates
from solver.unlocks.costs import Candidate
from solver.unlocks.sizes import least_within, with_room
from solver.whatif.desk import same_within
from solver.whatif.lines import VolumeChanged


class AtOnce:
    """One line being asked about."""

    def __init__(self, candidates: Candidates) -> None:
        self.desk, self.line, self.candidates = candidates.desk, candidates.line, candidates

    def none_of(self, candidates: Sequence[Candidate]) -> bool:
        """Whether no plan has the line in that is worth more than those without, were all these changes made at once
        and more: nothing to pay for waiting, and where volume is among them no size limits."""
        line, instance, low = self.line, self.desk.instance, self.desk.best.objective_eur
        most, offers = max(volume_of(c) for c in candidates), instance.offers
        if most and not self.candidates.grows_with_volume():
            return False
        if most:
            offers = tuple(replace(offer, max_quantity=None, total_max_quantity=None) for offer in offers)
        lifted = any(c.kind == "forbidden" for c in candidates)
        freed = with_parts(
            instance,
            offers=offers,
            lines=tuple(self._eased(candidates, most) if other.id == line.id else other for other in instance.lines),
            forbidden=tuple(entry for entry in instance.forbidden if not (lifted and entry.line == line.id)),
        )
        after = self.desk.solved(self.desk.view_of(freed), self.desk.best.pools)
        if self.line.id not in pooled(after.pools) and not most:
            self.desk.improve(after.pools)
        return after.bound_eur <= low + same_within(low)

    def none_smaller(self, cost: float) -> bool:
        """Whether no plan has the line in that is worth more than those without, with any smaller volume that costs
        less: shown where none has even its whole volume in, with as much more room in every limit of an offer as the
        least of these volumes would leave, and with nothing that more volume makes worse."""
        line, low = self.line, self.desk.best.objective_eur
        room = line.quantity - least_within(line.quantity, cost)
        freed = with_parts(
            self.desk.instance,
            offers=tuple(with_room(offer, room) for offer in self.desk.instance.offers),
            lines=tuple(
                self.candidates.never_worse() if other.id == line.id else other for other in self.desk.instance.lines
            ),
        )
        after = self.desk.solved(self.desk.view_of(freed), self.desk.best.pools)
        return after.bound_eur <= low + same_within(low)

    def _eased(self, candidates: Sequence[Candidate], most: int) -> Line:
        """The line with all that the candidates change of it."""
        later = max(getattr(c.change, "latest_months", 0) for c in candidates)
        earlier = min(getattr(c.change, "earliest_months", 0) for c in candidates)
        eased = self.candidates.eased([getattr(c.change, "criterion", "") for c in candidates])
        if most:
            view = self.desk.view(VolumeChanged(line=self.line.id, quantity=most))
            eased = view.worth.lines[self.line.id]
        return replace(
            eased,
            earliest_start=month_at(self.line.earliest_start, earlier),
            latest_start=month_at(self.line.latest_start, later),
            bridging_rate_per_year=0.0,
        )


def volume_of(candidate: Candidate) -> int:
    """The volume that a candidate gives the line; 0 for other kinds."""
    return getattr(candidate.change, "quantity", None) or 0 if candidate.kind == "own_volume" else 0


def pooled(pools: Iterable[PlanPool]) -> set[str]:
    return {name for pool in pools for lot in pool.lots for name in lot.lines}
