"""The search for the cheapest change that lets one line in: screened, tried on the plan as it stands, solved again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solver.instance import Line
from solver.plan import PlanPool
from solver.unlocks.at_once import AtOnce, pooled, volume_of
from solver.unlocks.candidates import Candidates
from solver.unlocks.costs import COSTS, FINEST_SHARE, Candidate
from solver.unlocks.results import Confirmed, Status, Unlock
from solver.whatif.desk import Desk, same_within
from solver.whatif.placing import tried

MOST_ALTERNATIVES = 3
INFINITY = float("inf")


@dataclass(frozen=True)
class _Tried:
    """What is known of a candidate: a plan with the line, if one was found, and how plans without it compare."""

    candidate: Candidate
    verdict: str
    """``in``, ``likely`` (in the best plan found), ``tie``, ``out`` or ``open``."""
    with_eur: float = float("-inf")
    without_eur: float = float("inf")
    pools: tuple[PlanPool, ...] = ()
    solved: bool = False

    @property
    def settled(self) -> bool:
        """Whether solving again could tell no more."""
        return self.verdict in ("in", "out") or (self.solved and self.verdict == "tie")


class Search:
    """One line being asked about; ``budget`` solves at most."""

    def __init__(self, desk: Desk, line: Line, budget: int) -> None:
        self.desk, self.line, self.budget = desk, line, budget
        self.began, self.less_may_do = desk.solves, False
        self.no_smaller = 0.0
        """Smaller volumes that cost less are shown not to let the line in, listed or not."""

    def answer(self) -> Unlock:
        desk = self.desk
        if self.line.id in pooled(desk.best.pools):
            return self._by_solving_again()
        self.candidates = Candidates(desk, self.line)
        self.at_once = AtOnce(self.candidates)
        listed = self.candidates.listed()
        known = self._first(listed)
        known |= self._cheaper(listed, known)
        return self._told(*self._least(listed, known))

    @property
    def _left(self) -> int:
        return 0 if self.desk.out_of_time else self.budget - (self.desk.solves - self.began)

    # Trying one candidate --------------------------------------------------------------------------------------------

    def _quick(self, candidate: Candidate) -> _Tried:
        """The candidate's placements made in the best plan known, without solving anything."""
        desk, view = self.desk, self.desk.view(candidate.change)
        best = _Tried(candidate, "open")
        for placement in candidate.placements:
            value, pools = tried(view, desk.best.pools, self.candidates.places.ground.family, placement)
            if self.line.id in pooled(pools) and value > best.with_eur:
                best = _Tried(candidate, "open", value, desk.best.bound_eur, pools)
        if candidate.own and best.pools:
            return self._judged(best, desk.best.objective_eur, desk.best.bound_eur)
        return best

    def _judged(self, known: _Tried, low: float, high: float) -> _Tried:
        """The verdict on a plan with the line, where the best plan without it is worth from ``low`` to ``high``."""
        return replace(known, verdict=_verdict(known.with_eur, low, high), without_eur=high)

    def _solved(self, known: _Tried) -> _Tried:
        """Solved under the change, and with the line kept out where the change is not the line's own."""
        desk, candidate = self.desk, known.candidate
        low, high = desk.best.objective_eur, desk.best.bound_eur
        if not candidate.own:
            out = desk.solved(desk.without(self.line.id, candidate.change), desk.best.pools)
            low, high = out.objective_eur, out.bound_eur
            judged = self._judged(known, low, high)
            if judged.verdict == "in" or self._left < 1:
                return judged
        after = desk.solved(desk.view(candidate.change), known.pools or desk.best.pools)
        if self.line.id in pooled(after.pools) and after.objective_eur > known.with_eur:
            known = replace(known, with_eur=after.objective_eur, pools=after.pools)
        elif candidate.own and self.line.id not in pooled(after.pools):
            desk.improve(after.pools)
        judged = replace(self._judged(known, low, high), solved=True)
        if judged.verdict == "open" and after.bound_eur <= low + same_within(low):
            return replace(judged, verdict="out")
        return judged

    # The order of trying ---------------------------------------------------------------------------------------------

    def _first(self, listed: Sequence[Candidate]) -> dict[int, _Tried]:
        """Candidates in order of cost, until one lets the line in: those that promise something tried on the plan as
        it stands, and solved where that looks good but does not settle it."""
        known: dict[int, _Tried] = {}
        for k, candidate in enumerate(listed):
            if not candidate.possible:
                known[k] = _Tried(candidate, "out")
            if not candidate.possible or not candidate.placements:
                continue
            known[k] = self._quick(candidate)
            promising = known[k].with_eur > self.desk.best.objective_eur + same_within(self.desk.best.objective_eur)
            if not known[k].settled and promising and self._left > 0:
                known[k] = self._solved(known[k])
            if known[k].verdict == "in":
                break
        return known

    def _cheaper(self, listed: Sequence[Candidate], known: dict[int, _Tried]) -> dict[int, _Tried]:
        """What costs less than the first that lets the line in, settled as far as the budget goes: the line's own
        terms all at once, then one by one from the most promising; where no estimate promises anything, smaller
        volumes first, whose companies are not estimated."""
        end = min((k for k, entry in known.items() if entry.verdict == "in"), default=len(listed))
        found: dict[int, _Tried] = {}
        open_ = [k for k in range(end) if k not in known or not known[k].settled]
        own = [k for k in open_ if listed[k].own]
        volumes = [k for k in own if volume_of(listed[k]) > self.line.quantity]
        plain = [k for k in own if not volume_of(listed[k])]
        for group in (plain, volumes):
            if len(group) > 1 and self._left > 0 and self.at_once.none_of([listed[k] for k in group]):
                found |= {k: _Tried(listed[k], "out") for k in group}
        smaller = [k for k in own if 0 < volume_of(listed[k]) < self.line.quantity]
        cost = listed[end].cost if end < len(listed) else INFINITY
        several = len(smaller) > 1 or not self.candidates.sizes.all_listed(cost)
        if several and self._left > 0 and self.at_once.none_smaller(cost):
            self.no_smaller = cost
            found |= {k: _Tried(listed[k], "out") for k in smaller}
        for k in sorted(
            open_, key=lambda k: (listed[k].estimate_eur <= 0, k not in smaller, -listed[k].estimate_eur, k)
        ):
            if k in found or k >= end or self._left < 1:
                continue
            found[k] = self._solved(known.get(k, _Tried(listed[k], "open")))
            if found[k].verdict == "in":
                end = k
        return found

    def _least(self, listed: list[Candidate], known: dict[int, _Tried]) -> tuple[list[Candidate], dict[int, _Tried]]:
        """Where the first that lets the line in is one of a few volumes tried: the least volume that does, between it
        and the largest that does not, to within `FINEST_SHARE` and as far as the budget goes."""
        first = next((k for k in sorted(known) if known[k].verdict == "in"), None)
        if first is None or not listed[first].rough:
            return listed, known
        whole = self.line.quantity
        out = [volume_of(listed[k]) for k, entry in known.items() if entry.verdict == "out" and k < first]
        low, found = max([whole, *out]), known[first]
        while volume_of(found.candidate) - low > max(1, FINEST_SHARE * whole) and self._left > 0:
            candidate = self.candidates.volume((low + volume_of(found.candidate)) // 2, rough=True)
            entry = self._quick(candidate)
            entry = entry if entry.verdict == "in" else self._solved(entry)
            if not entry.settled:
                break
            found, low = (entry, low) if entry.verdict == "in" else (found, volume_of(candidate))
        self.less_may_do = volume_of(found.candidate) - low > max(1, FINEST_SHARE * whole)
        return [*listed[:first], found.candidate, *listed[first + 1 :]], {**known, first: found}

    # Telling ---------------------------------------------------------------------------------------------------------

    def _told(self, listed: Sequence[Candidate], known: dict[int, _Tried]) -> Unlock:
        for verdict, status in (("in", Status.UNLOCKED), ("likely", Status.UNLOCKED), ("tie", Status.TIE)):
            ranked = sorted(k for k, entry in known.items() if entry.verdict == verdict)
            if ranked:
                first = known[ranked[0]]
                others = self._alternatives(listed, known, ranked[0]) if status is Status.UNLOCKED else ()
                unsettled = (
                    _unsettled(listed[: ranked[0]], known) + self.less_may_do + self._unlisted(first.candidate.cost)
                )
                return self._unlock(
                    status,
                    _confirmed(first),
                    others,
                    considered=len(listed),
                    unsettled=unsettled,
                    why=_words(first),
                )
        unsettled = _unsettled(listed, known) + self._unlisted(INFINITY)
        status = Status.NOT_FOUND if unsettled else Status.NONE
        why = self._why(listed, unsettled)
        return self._unlock(status, None, considered=len(listed), unsettled=unsettled, why=why)

    def _unlisted(self, cost: float) -> int:
        """How many more changes that cost less may let the line in, none of them listed: volumes count as one."""
        volumes = not self.candidates.sizes.all_listed(cost) and self.no_smaller < cost
        return volumes + (self.candidates.entries_left_out if cost > COSTS["forbidden"] else 0)

    def _unlock(
        self,
        status: Status,
        cheapest: Confirmed | None,
        others: tuple[Confirmed, ...] = (),
        *,
        considered: int,
        unsettled: int,
        why: str,
    ) -> Unlock:
        return Unlock(
            line=self.line.id,
            status=status,
            cheapest=cheapest,
            alternatives=others,
            settled=not unsettled,
            considered=considered,
            unsettled=unsettled,
            why=why,
            solves=self.desk.solves - self.began,
            families=self.desk.families,
        )

    def _alternatives(self, listed: Sequence[Candidate], known: dict[int, _Tried], first: int) -> tuple[Confirmed, ...]:
        """The cheapest of each other kind and participant that lets the line in, as far as that can be told."""
        found: list[_Tried] = []
        seen = {(listed[first].kind, listed[first].by)}
        for k in range(first + 1, len(listed)):
            key = listed[k].kind, listed[k].by
            if key in seen or len(found) == MOST_ALTERNATIVES or not listed[k].placements:
                continue
            entry = known.get(k) or self._quick(listed[k])
            if entry.verdict == "open" and entry.with_eur > self.desk.best.objective_eur and self._left > 1:
                entry = self._solved(entry)
            if entry.verdict == "in":
                found.append(entry)
                seen.add(key)
        return tuple(_confirmed(entry) for entry in found)

    def _why(self, listed: Sequence[Candidate], unsettled: int) -> str:
        if not self.candidates.offers:
            return "the category has no offer: only the market could change that"
        if not listed:
            return "no single change of the kinds considered bears on the line"
        if unsettled and self._left > 0:
            return f"changes considered: {len(listed)}, each that was tried shown not to let the line in; others may"
        if unsettled:
            return f"changes considered: {len(listed)}, not settled: {unsettled}; allow more solves to settle them"
        return f"changes considered: {len(listed)}, each shown not to let the line in"

    def _by_solving_again(self) -> Unlock:
        """The best plan has the line: nothing need change, unless one without it is as good."""
        desk = self.desk
        best, without, verdict = desk.best, desk.best.bound_eur, "likely"
        if self._left > 0:
            out = desk.solved(desk.without(self.line.id), desk.given)
            without, verdict = out.bound_eur, _verdict(best.objective_eur, out.objective_eur, out.bound_eur)
        proven = verdict in ("in", "tie")
        confirmed = Confirmed((), "none", 0.0, None, proven, best.objective_eur, without, best.pools)
        tie = verdict == "tie"
        why = "solving again puts the line in a pool" + (", and plans without it are as good" if tie else "")
        status = Status.TIE if tie else Status.BY_SOLVING_AGAIN
        return self._unlock(status, confirmed, considered=0, unsettled=0, why=why)


def _verdict(with_eur: float, low: float, high: float) -> str:
    """How a plan with the line compares to the best without it, which is worth from ``low`` to ``high``."""
    same = same_within(high)
    if with_eur > high + same:
        return "in"
    if with_eur > low + same:
        return "likely"
    return "tie" if with_eur >= high - same else "open"


def _unsettled(listed: Sequence[Candidate], known: dict[int, _Tried]) -> int:
    """How many of the candidates are not shown to leave the line out (or to make a tie)."""
    return sum(k not in known or not known[k].settled for k in range(len(listed)))


def _confirmed(known: _Tried) -> Confirmed:
    candidate = known.candidate
    return Confirmed(
        changes=(candidate.change,),
        kind=candidate.kind,
        cost=candidate.cost,
        by=candidate.by,
        proven=known.verdict in ("in", "tie"),
        with_eur=known.with_eur,
        without_bound_eur=known.without_eur,
        pools=known.pools,
    )


def _words(known: _Tried) -> str:
    gain = known.with_eur - known.without_eur
    if known.verdict == "tie":
        return "with the change, plans with the line are as good as those without"
    if known.verdict == "in":
        return f"with the change, a plan with the line is worth {gain:,.2f} EUR more than any without it"
    return "with the change, the best plan found has the line; plans without it are not ruled out"
