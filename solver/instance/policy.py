"""What the planners decided for an instance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from solver.checks import distinct_texts, flags, is_whole, limits, months, numbers, refuse, shares, wholes
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Policy:
    """What the planners decided: horizon, costs, worth of green, and limits. Costs in EUR, terms in months."""

    horizon_start: str
    horizon_months: int
    term_months: int
    min_participants: int
    confidence: float
    carbon_price_eur_per_tonne: float
    bridging_rate_per_year: float
    pool_cost_eur: float
    lot_cost_eur: float
    line_cost_eur: float
    country_cost_eur: float
    no_one_worse_off: bool
    criterion_value: Mapping[str, float] = field(default_factory=dict)
    green_floor: tuple[str, ...] = ()
    forecast_correlation: float = 0.0
    stability_eur: float = 0.0
    max_pools_per_quarter: int | None = None
    max_participants_per_pool: int | None = None
    max_countries_per_pool: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from months(horizon_start=self.horizon_start)
        yield from wholes(
            1,
            horizon_months=self.horizon_months,
            term_months=self.term_months,
            min_participants=self.min_participants,
        )
        if is_whole(self.horizon_months, 1) and self.horizon_months > 1200:
            yield Fault("horizon_months", self.horizon_months, "give at most 1200 months")
        yield from shares(0.5, confidence=self.confidence)
        yield from shares(0, forecast_correlation=self.forecast_correlation)
        yield from numbers(
            carbon_price_eur_per_tonne=self.carbon_price_eur_per_tonne,
            bridging_rate_per_year=self.bridging_rate_per_year,
            pool_cost_eur=self.pool_cost_eur,
            lot_cost_eur=self.lot_cost_eur,
            line_cost_eur=self.line_cost_eur,
            country_cost_eur=self.country_cost_eur,
            stability_eur=self.stability_eur,
        )
        worths: object = self.criterion_value
        if isinstance(worths, Mapping):
            for criterion, value in worths.items():
                yield from numbers(False, **{f"criterion_value.{criterion}": value})
        else:
            yield Fault("criterion_value", worths, "give an object: criterion to share of yearly spend")
        yield from flags(no_one_worse_off=self.no_one_worse_off)
        yield from distinct_texts(green_floor=self.green_floor)
        yield from limits(
            max_pools_per_quarter=self.max_pools_per_quarter,
            max_participants_per_pool=self.max_participants_per_pool,
            max_countries_per_pool=self.max_countries_per_pool,
        )
