"""What came of asking what would let a line in."""

from dataclasses import dataclass
from enum import StrEnum

from solver.plan import PlanPool
from solver.whatif.changes import written
from solver.whatif.kinds import Change
from solver.whatif.replan import pool_document

SCHEMA, MANY_SCHEMA = "pooling.unlock/1", "pooling.unlocks/1"


class Status(StrEnum):
    """What came of looking for a change."""

    UNLOCKED = "unlocked"
    """A change lets the line in."""
    BY_SOLVING_AGAIN = "by_solving_again"
    """No change is needed: the plan is not the best of its family, and a better one has the line in."""
    TIE = "tie"
    """No change was found that lets it in, but one makes plans with it as good as those without."""
    NONE = "none"
    """No change considered lets it in, each of them shown not to."""
    NOT_FOUND = "not_found"
    """None was found, and some changes are not settled: the work limit or the clock came first, or they are too many
    to try."""


@dataclass(frozen=True)
class Confirmed:
    """A change that lets the line in, and the plan that shows it. Totals: families solved, in EUR over the term."""

    changes: tuple[Change, ...]
    """One change; none where solving again is enough."""
    kind: str
    cost: float
    """In months; see `solver.unlocks.costs`."""
    by: str | None
    """The participant who would change something; None for the programme or the market."""
    proven: bool
    """Every best plan has the line; else only the best plan found does, and the bound does not rule out others."""
    with_eur: float
    """The total of a lawful plan that has the line."""
    without_bound_eur: float
    """No plan without the line is worth more."""
    pools: tuple[PlanPool, ...]
    """The pools of those families in the plan with the line."""

    def to_document(self) -> dict[str, object]:
        return {
            "changes": [written(change) for change in self.changes],
            "kind": self.kind,
            "cost_months": self.cost,
            "by": self.by,
            "proven": self.proven,
            "with_eur": self.with_eur,
            "without_bound_eur": self.without_bound_eur,
            "pools": [pool_document(pool) for pool in self.pools],
        }


@dataclass(frozen=True)
class Unlock:
    """What would let one line in."""

    line: str
    status: Status
    cheapest: Confirmed | None
    """The change (for a tie: the one that makes it a tie); None where nothing was found."""
    alternatives: tuple[Confirmed, ...]
    """The cheapest confirmed changes of other kinds, in order of cost."""
    settled: bool
    """Every considered change that costs less was shown not to let the line in."""
    considered: int
    unsettled: int
    """How many considered changes that cost less than the one found (all, if none) were not settled."""
    why: str
    solves: int
    families: tuple[str, ...]
    """Those that were solved again for it; the pools of all others stood as in the plan."""

    def to_document(self) -> dict[str, object]:
        """As ``pooling.unlock/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "line": self.line,
            "status": self.status.value,
            "cheapest": None if self.cheapest is None else self.cheapest.to_document(),
            "alternatives": [entry.to_document() for entry in self.alternatives],
            "settled": self.settled,
            "considered": self.considered,
            "unsettled": self.unsettled,
            "why": self.why,
            "solves": self.solves,
            "families_solved_again": list(self.families),
        }


@dataclass(frozen=True)
class Unlocks:
    """What would let many lines in, and the lines that the work limit left out."""

    lines: tuple[Unlock, ...]
    not_looked_at: tuple[str, ...]
    solves: int

    def to_document(self) -> dict[str, object]:
        """As ``pooling.unlocks/1``, ready for JSON."""
        return {
            "schema": MANY_SCHEMA,
            "lines": [unlock.to_document() for unlock in self.lines],
            "not_looked_at": list(self.not_looked_at),
            "solves": self.solves,
        }
