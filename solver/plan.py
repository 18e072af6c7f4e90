"""The answer to an instance: pools, what stayed out and why, totals, and how good that is proven to be.

Money is EUR over the term of the contracts, quantities are base units a year, CO2e is tonnes a year.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

SCHEMA = "pooling.plan/1"
OPTIMAL_GAP = 1e-4


class Reason(StrEnum):
    """Why a line is in no pool: the first that applies, in this order."""

    OUTSIDE_HORIZON = "outside_horizon"
    FORBIDDEN = "forbidden"
    NO_OFFER = "no_offer"
    CRITERIA_UNMET = "criteria_unmet"
    CRITERIA_REFUSED = "criteria_refused"
    TOO_LARGE = "too_large"
    NO_PARTNER = "no_partner"
    VOLUME_SHORT = "volume_short"
    NOT_WORTH_IT = "not_worth_it"
    CAPACITY = "capacity"
    BETTER_WITHOUT = "better_without"


@dataclass(frozen=True, slots=True)
class PlanLot:
    """Lines of one category on one offer; ``tier`` counts from 0."""

    offer: str
    lines: tuple[str, ...]
    tier: int
    quantity: int
    sure_quantity: float
    benefit_eur: float


@dataclass(frozen=True, slots=True)
class PlanPool:
    """A proposed joint tender: lots of one family that start together under one lead."""

    family: str
    start: str
    lead: str
    lots: tuple[PlanLot, ...]


@dataclass(frozen=True, slots=True)
class Unpooled:
    """A line that stays out, its one reason, and the figures behind it (names end in their unit)."""

    line: str
    reason: Reason
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all pools; ``objective = savings + green value - bridging - set-up + stability``."""

    savings_eur: float = 0.0
    green_value_eur: float = 0.0
    bridging_cost_eur: float = 0.0
    set_up_cost_eur: float = 0.0
    stability_eur: float = 0.0
    co2_saved_tonnes_per_year: float = 0.0
    lines: int = 0
    lines_pooled: int = 0
    spend_eur_per_year: float = 0.0
    spend_pooled_eur_per_year: float = 0.0

    @property
    def objective_eur(self) -> float:
        return (
            self.savings_eur + self.green_value_eur - self.bridging_cost_eur - self.set_up_cost_eur + self.stability_eur
        )


@dataclass(frozen=True)
class Plan:
    """A plan with a proven upper bound on what any plan could reach."""

    pools: tuple[PlanPool, ...]
    unpooled: tuple[Unpooled, ...]
    totals: Totals
    bound_eur: float
    runtime_s: float
    seed: int
    workers: int
    stopped_by_clock: bool
    interrupted: bool = False
    """The caller ended the search before its time."""
    warnings: tuple[str, ...] = ()

    @property
    def objective_eur(self) -> float:
        return self.totals.objective_eur

    @property
    def gap(self) -> float:
        return (self.bound_eur - self.objective_eur) / max(1.0, abs(self.bound_eur))

    @property
    def status(self) -> str:
        return "optimal" if self.gap <= OPTIMAL_GAP else "feasible"

    def to_document(self) -> dict[str, object]:
        """The plan as ``pooling.plan/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "objective_eur": self.objective_eur,
            "bound_eur": self.bound_eur,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "seed": self.seed,
            "workers": self.workers,
            "stopped_by_clock": self.stopped_by_clock,
            "interrupted": self.interrupted,
            "pools": [_pool_document(pool) for pool in self.pools],
            "unpooled": [{"line": u.line, "reason": u.reason.value, **u.figures} for u in self.unpooled],
            "totals": asdict(self.totals),
            "warnings": list(self.warnings),
        }


def _pool_document(pool: PlanPool) -> dict[str, object]:
    lots = [{**asdict(lot), "lines": list(lot.lines)} for lot in pool.lots]
    return {"family": pool.family, "start": pool.start, "lead": pool.lead, "lots": lots}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a solve has come."""

    stage: str
    families_done: int
    families: int
    best_total_eur: float | None
    bound_eur: float | None

    @property
    def gap(self) -> float | None:
        """The proven gap, where both a plan and a bound exist."""
        if self.best_total_eur is None or self.bound_eur is None:
            return None
        return (self.bound_eur - self.best_total_eur) / max(1.0, abs(self.bound_eur))
