"""What a reader of a plan sees: frozen records, ready for the console, the report and the exports.

Money is EUR; gains are over the contract term of the lot, spend is per year; quantities are whole base units a year;
months are ``YYYY-MM``. Cash and valued benefit are kept apart everywhere: ``savings_eur`` is money,
``green_value_eur`` is what the policy says that carbon and criteria are worth.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pooling.planning.pool_views import Gain, OfferView, PoolView, Trace


@dataclass(frozen=True, slots=True)
class UnpooledView:
    """A line that stays out: one ``reason`` of the closed list, its ``figures``, and both said in ``words``."""

    id: int
    participant: str
    participant_name: str
    category: str
    category_name: str
    unit: str
    quantity: int
    spend_eur_per_year: float
    earliest_start: str
    latest_start: str
    required: tuple[str, ...]
    reason: str
    figures: Mapping[str, Any]
    words: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class ExcludedView:
    """A line or offer that could not take part at all; ``kind`` is ``line`` or ``offer``."""

    kind: str
    id: str
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class HowMade:
    """What the plan rested on and how good it is proven to be: enough to make it again.

    No plan can be worth more than ``bound_eur``; ``gap`` is the distance to it as a share, 0 where proven best.
    """

    snapshot: str
    as_of: date
    created_at: datetime
    solver_version: str
    seed: int
    workers: int
    time_limit_s: float
    runtime_s: float
    status: str
    objective_eur: float
    bound_eur: float
    gap: float
    policy_name: str
    policy: Mapping[str, Any]
    submissions: tuple[Mapping[str, Any], ...]
    offer_files: tuple[Mapping[str, Any], ...]
    rates: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TotalsView:
    """The plan in figures; spend and CO2e are per year, ``gain`` over the terms."""

    pools: int
    lots: int
    participants_pooled: int
    lines: int
    lines_pooled: int
    spend_eur_per_year: float
    spend_pooled_eur_per_year: float
    co2_saved_tonnes_per_year: float
    gain: Gain


@dataclass(frozen=True, slots=True)
class PlanView:
    """One stored plan, whole: pools by start, what stayed out, what could not take part, and how it was made."""

    id: UUID
    horizon_start: str
    horizon_months: int
    lead_time_months: int
    lead_time_reason: str
    how: HowMade
    totals: TotalsView
    pools: tuple[PoolView, ...]
    unpooled: tuple[UnpooledView, ...]
    excluded: tuple[ExcludedView, ...]
    warnings: tuple[str, ...]

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Reasons for lines that stayed out with how many lines have each, most frequent first."""
        return tuple(Counter(line.reason for line in self.unpooled).most_common())

    @property
    def offers(self) -> tuple[OfferView, ...]:
        """The offers in use, by id: the source, date and range of every figure that is not a participant's own."""
        used = {lot.offer.id: lot.offer for pool in self.pools for lot in pool.lots}
        return tuple(used[key] for key in sorted(used))
