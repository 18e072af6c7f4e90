"""What planners send over HTTP in tests: a policy under which a few lines make a pool."""

from typing import Any

POLICY: dict[str, Any] = {
    "as_of": "2026-11-01",
    "pool_cost_eur": 100,
    "lot_cost_eur": 10,
    "line_cost_eur": 1,
    "country_cost_eur": 20,
    "forecast_correlation": 0.0,
    "criterion_value": {"uhm-basic": 0.01},
}
"""As `tests.pooling.planning.demand.policy`."""
