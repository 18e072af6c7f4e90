"""What plans are worth when yearly volumes turn out other than forecast: seeded draws, the same for every plan.

A line's volume is its quantity plus its standard deviation times a standard normal error, never below 0. Errors of two
lines have the correlation rho of rule 3: ``sqrt(rho) * shock + sqrt(1 - rho) * own``, where all lines share the shock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from solver.arrays import Floats
from solver.baselines.arrangement import Arrangement, Realised, Table
from solver.instance import Policy

DRAWS = 1000
MOST_DRAWS = 1_000_000
BATCH = 64
"""Draws held at once; each batch has a generator of its own, so memory does not grow with the draws."""
SHOCK_CORRELATION = 0.3
"""Correlation with a common shock where the policy states none."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a sum of EUR over the term is spread over the draws; ``standard_error_eur`` is that of the mean."""

    mean_eur: float
    standard_error_eur: float
    p5_eur: float
    p95_eur: float

    @classmethod
    def of(cls, values: Floats) -> "Spread":
        """Of one value a draw; a single draw has no standard error and gets 0."""
        error = float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
        low, high = np.percentile(values, [5, 95])
        return cls(float(np.mean(values)), error, float(low), float(high))

    def to_document(self) -> dict[str, object]:
        """The fields by name."""
        return asdict(self)


def volumes(table: Table, *, correlation: float, draws: int, seed: int) -> Iterator[Floats]:
    """Yearly volumes, (draws of the batch, lines of the table) batch by batch.

    Own errors and shock of a seed are the same at every correlation, so that what differs is the correlation alone.
    """
    for batch, first in enumerate(range(0, draws, BATCH)):
        generator = np.random.default_rng([seed, batch])
        own = generator.standard_normal((BATCH, len(table.quantity)))
        shock = generator.standard_normal((BATCH, 1))
        error = correlation**0.5 * shock + (1 - correlation) ** 0.5 * own
        yield np.maximum(0.0, table.quantity + table.deviation * error)[: draws - first]


def realised(
    arrangements: Sequence[Arrangement], policy: Policy, *, correlation: float, draws: int, seed: int
) -> list[Realised]:
    """What each arrangement (of one table) is worth draw by draw, all with the same volumes."""
    if not arrangements:
        return []
    batches = [
        [arrangement.realised(policy, drawn) for arrangement in arrangements]
        for drawn in volumes(arrangements[0].table, correlation=correlation, draws=draws, seed=seed)
    ]
    return [
        Realised(np.concatenate([one.total for one in parts]), np.concatenate([one.cash for one in parts]))
        for parts in zip(*batches, strict=True)
    ]
