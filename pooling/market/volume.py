"""Volume to take to market: for a category, the largest sure volume by start month and criteria set, and whose it is.

Pure. It needs no offer: in the first cycle, when nothing green is on the shelf, planners carry this to suppliers.

The sure volume of lines M is S = Q - z * sqrt((1 - rho) * sum sd^2 + rho * (sum sd)^2), the same rule as a lot's.
More lines are not always more sure volume: a line whose own spread exceeds its quantity can lower S.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pooling.errors import BadInput
from pooling.market.rules import VolumeRow

MOST_SETS = 32  # criteria sets looked at in one category, the offers' own not counted
MOST_TRIED = 12  # up to so many doubtful lines, every choice of them is tried (4,096)
SLOPES = 9  # orders tried above that, see `_by_orders`

Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Criteria: TypeAlias = frozenset[str]


@dataclass(frozen=True, slots=True)
class DemandLine:
    """A line as the volume sees it: base units and EUR a year; ``first`` to ``last`` are the months it can start,
    counted from the start of the horizon and cut to it (``first`` > ``last``: never)."""

    id: str
    participant: str
    category: str
    quantity: int
    sd: float
    spend_eur: float
    first: int
    last: int
    required: Criteria
    refused: Criteria


@dataclass(frozen=True, slots=True)
class VolumeSettings:
    """What holds for every category. ``floor`` (closed) is in every criteria set; ``implications`` name all that a code
    implies; ``authorities`` are the participants that are contracting authorities."""

    months: tuple[str, ...]
    confidence: float
    correlation: float
    floor: Criteria
    implications: Mapping[str, Criteria]
    authorities: frozenset[str]

    def __post_init__(self) -> None:
        if not self.months:
            raise BadInput("months: the horizon has none; give at least one")
        if not 0.5 <= self.confidence < 1:
            raise BadInput(f"confidence {self.confidence}: give 0.5 or more and less than 1")
        if not 0 <= self.correlation < 1:
            raise BadInput(f"forecast_correlation {self.correlation}: give 0 or more and less than 1")

    @property
    def z(self) -> float:
        return NormalDist().inv_cdf(self.confidence)

    def closed(self, codes: Iterable[str]) -> Criteria:
        """The codes and all that they imply."""
        codes = frozenset(codes)
        return codes.union(*(self.implications.get(code, frozenset()) for code in codes))


def volume_to_market(
    lines: Sequence[DemandLine],
    *,
    units: Mapping[str, str],
    offered: Mapping[str, Sequence[Criteria]],
    settings: VolumeSettings,
) -> list[VolumeRow]:
    """The rows of every category in ``lines``, by category, then criteria, then start.

    ``units``: category to base unit; ``offered``: category to the (closed) criteria of its offers, where it has any.
    """
    by_category: dict[str, list[DemandLine]] = {}
    for line in lines:
        by_category.setdefault(line.category, []).append(line)
    rows = []
    for category in sorted(by_category):
        rows += category_volume(
            by_category[category],
            unit=units[category],
            candidates=criteria_sets(by_category[category], offered=offered.get(category, ()), settings=settings),
            settings=settings,
        )
    return rows


def criteria_sets(
    lines: Sequence[DemandLine], *, offered: Sequence[Criteria], settings: VolumeSettings
) -> list[Criteria]:
    """The criteria sets worth looking at in one category, each closed and with the floor, fewest criteria first.

    Unions of the sets that lines require: first all of them together and each alone (largest quantity first), then
    unions of two, of three and so on, up to ``MOST_SETS``; then the offers' own sets that meet the floor.
    A set that is no such union asks more of suppliers without letting in a line.
    """
    volume: dict[Criteria, int] = {}
    for line in lines:
        wanted = settings.closed(line.required | settings.floor)
        volume[wanted] = volume.get(wanted, 0) + line.quantity
    singles = sorted(volume, key=lambda wanted: (-volume[wanted], sorted(wanted)))
    found: dict[Criteria, None] = {frozenset().union(*singles): None}
    unions = (frozenset().union(*part) for size in range(1, len(singles)) for part in combinations(singles, size))
    for steps, union in enumerate(unions):
        if len(found) >= MOST_SETS or steps >= 100 * MOST_SETS:
            break
        found.setdefault(union)
    for wanted in offered:
        if settings.floor <= wanted:
            found.setdefault(wanted)
    return sorted(found, key=lambda wanted: (len(wanted), sorted(wanted)))


def category_volume(
    lines: Sequence[DemandLine], *, unit: str, candidates: Sequence[Criteria], settings: VolumeSettings
) -> list[VolumeRow]:
    """The rows of one category. Of rows made up of the same lines the one with the fewest criteria and the earliest
    start stays: the others ask more, or wait longer, for the same volume."""
    lines = sorted(lines, key=lambda line: line.id)
    quantity = np.array([line.quantity for line in lines], dtype=np.float64)
    sd = np.array([line.sd for line in lines], dtype=np.float64)
    months = np.arange(len(settings.months))[:, None]
    open_at = (np.array([line.first for line in lines]) <= months) & (months <= np.array([line.last for line in lines]))
    seen: set[bytes] = set()
    rows: list[VolumeRow] = []
    for criteria in candidates:
        fitting = np.array([line.required <= criteria and not line.refused & criteria for line in lines])
        chosen = surest(open_at & fitting, quantity, sd, z=settings.z, correlation=settings.correlation)
        sums = _sums(chosen, quantity, sd, z=settings.z, correlation=settings.correlation)
        fresh = []
        for month in map(int, np.flatnonzero(chosen.any(axis=1))):
            if (key := chosen[month].tobytes()) not in seen:
                seen.add(key)
                fresh.append(month)
        best = max(fresh, key=lambda month: (sums[month], -month), default=None)
        for month in fresh:
            members = [lines[k] for k in np.flatnonzero(chosen[month])]
            rows.append(
                _row(
                    members,
                    unit=unit,
                    criteria=criteria,
                    sure=float(sums[month]),
                    start=settings.months[month],
                    best=month == best,
                    authorities=settings.authorities,
                )
            )
    return rows


def _row(members: Sequence[DemandLine], *, authorities: frozenset[str], **fields: Any) -> VolumeRow:
    by_participant: dict[str, int] = {}
    for line in members:
        by_participant[line.participant] = by_participant.get(line.participant, 0) + line.quantity
    return VolumeRow(
        category=members[0].category,
        unit=fields["unit"],
        start=fields["start"],
        criteria=tuple(sorted(fields["criteria"])),
        sure_quantity=fields["sure"],
        quantity=sum(by_participant.values()),
        spend_eur_per_year=sum(line.spend_eur for line in members),
        lines=tuple(line.id for line in members),
        participants=tuple(sorted(by_participant.items(), key=lambda item: (-item[1], item[0]))),
        authorities=len(by_participant.keys() & authorities),
        best=fields["best"],
    )


def _sums(chosen: Flags, quantity: Numbers, sd: Numbers, *, z: float, correlation: float) -> Numbers:
    """Sure volume of each row of ``chosen`` (rows x lines)."""
    spread = np.sqrt((1 - correlation) * (chosen @ (sd * sd)) + correlation * (chosen @ sd) ** 2)
    return np.asarray(chosen @ quantity - z * spread)


def surest(fits: Flags, quantity: Numbers, sd: Numbers, *, z: float, correlation: float) -> Flags:
    """For each row of ``fits`` (months x lines) the lines with the largest sure volume, as flags of the same shape.

    Without correlation this is exact: S is a convex function of (sum q, sum sd^2), rising in the first and falling in
    the second, so its largest value over the sums of all subsets is at a corner of their hull on that side, and each
    such corner is a set {q / sd^2 > some value}: a prefix of the lines in falling order of q / sd^2.

    With correlation the root is still a norm, so a line with q >= z * sd never lowers S (triangle inequality) and is
    always in. Only the doubtful rest is a choice: exact up to ``MOST_TRIED`` of them, above that `_by_orders`.
    """
    if correlation == 0:
        return _by_prefix(fits, quantity, sd, z=z)
    doubtful = quantity < z * sd
    chosen = fits.copy()
    for row in np.flatnonzero((fits & doubtful).any(axis=1)):
        maybe = np.flatnonzero(fits[row] & doubtful)
        chosen[row, maybe] = False
        base = (chosen[row] @ quantity, chosen[row] @ (sd * sd), chosen[row] @ sd)
        choose = _by_trial if len(maybe) <= MOST_TRIED else _by_orders
        chosen[row, maybe] = choose(base, quantity[maybe], sd[maybe], z=z, correlation=correlation)
    return chosen


def _by_prefix(fits: Flags, quantity: Numbers, sd: Numbers, *, z: float) -> Flags:
    order = np.argsort(-_worth(quantity, sd, slope=0.0), kind="stable")
    sums = np.cumsum(fits[:, order] * quantity[order], axis=1)
    sums -= z * np.sqrt(np.cumsum(fits[:, order] * (sd * sd)[order], axis=1))
    last = sums.shape[1] - 1 - np.argmax(sums[:, ::-1], axis=1)  # the longest of equals
    chosen = np.zeros_like(fits)
    chosen[:, order] = fits[:, order] & (np.arange(len(order)) <= last[:, None])
    return np.asarray(chosen & (sums.max(axis=1, initial=0) > 0)[:, None])


def _worth(quantity: Numbers, sd: Numbers, *, slope: float) -> Numbers:
    """Quantity less ``slope`` standard deviations, per variance; a line without spread comes first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sd > 0, (quantity - slope * sd) / (sd * sd), np.inf)


Base: TypeAlias = tuple[float, float, float]  # quantity, variance and spread of the lines that are in anyway


def _sure(base: Base, chosen: Any, quantity: Numbers, sd: Numbers, *, z: float, correlation: float) -> Numbers:
    variance, spread = base[1] + chosen @ (sd * sd), base[2] + chosen @ sd
    return np.asarray(base[0] + chosen @ quantity - z * np.sqrt((1 - correlation) * variance + correlation * spread**2))


def _by_trial(base: Base, quantity: Numbers, sd: Numbers, *, z: float, correlation: float) -> Flags:
    """The best of all subsets."""
    every = (np.arange(2 ** len(sd))[:, None] >> np.arange(len(sd))) & 1 == 1
    return np.asarray(every[np.argmax(_sure(base, every, quantity, sd, z=z, correlation=correlation))])


def _by_orders(base: Base, quantity: Numbers, sd: Numbers, *, z: float, correlation: float) -> Flags:
    """The best prefix of several orders, then improved by single lines in or out until none helps.

    At the best subset every line in it has, to first order, q > alpha * sd^2 + beta * sd with beta at most
    z * sqrt(rho): for each of ``SLOPES`` values of beta the lines are ordered by (q - beta * sd) / sd^2.
    """
    prefixes = []
    for slope in np.linspace(0, z * np.sqrt(correlation), SLOPES):
        place = np.argsort(np.argsort(-_worth(quantity, sd, slope=float(slope)), kind="stable"))
        prefixes.append(place < np.arange(len(sd) + 1)[:, None])
    every = np.concatenate(prefixes)
    chosen = every[np.argmax(_sure(base, every, quantity, sd, z=z, correlation=correlation))]
    while True:
        flipped = np.concatenate([chosen[None, :], chosen ^ np.eye(len(sd), dtype=bool)])
        sums = _sure(base, flipped, quantity, sd, z=z, correlation=correlation)
        if sums.max() <= sums[0]:
            return np.asarray(chosen)
        chosen = flipped[np.argmax(sums)]
