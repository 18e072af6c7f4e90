"""Pools as arrays, to value them many times: under other policies, or with other volumes than forecast.

`Table` holds an instance's lines and offers whatever the policy, an `Arrangement` pools of that instance. Formulas are
those of the contract's objective. Money is EUR over the term, quantities are base units a year, months are counted
from year 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Instance, Offer, Policy
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90
from solver.months import offset
from solver.plan import PlanPool

YEAR_0 = "0000-01"


@dataclass(frozen=True)
class Valued:
    """What an arrangement is worth under a policy with its forecast volumes; ``lawful``: rules 3, 4 and 5 hold."""

    objective_eur: float
    lawful: bool


@dataclass(frozen=True)
class Realised:
    """What an arrangement turns out to be worth; one entry a draw of volumes, EUR over the term.

    ``cash`` is savings less bridging less set-up cost; ``total`` adds the green value and what kept places are worth.
    """

    total: Floats
    cash: Floats


class Table:
    """Lines and offers of an instance as arrays, in its order; nan where the policy's rate or term holds."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.line = {line.id: k for k, line in enumerate(instance.lines)}
        self.offer = {offer.id: k for k, offer in enumerate(instance.offers)}
        self.quantity = np.array([line.quantity for line in instance.lines], dtype=float)
        self.price = np.array([line.unit_price_eur for line in instance.lines], dtype=float)
        self.spend = self.quantity * self.price
        self.deviation = np.array([(line.quantity_high - line.quantity_low) / (2 * Z90) for line in instance.lines])
        rates = [line.bridging_rate_per_year for line in instance.lines]
        self.rate = np.array([np.nan if rate is None else rate for rate in rates], dtype=float)
        self.earliest = np.array([offset(line.earliest_start, YEAR_0) for line in instance.lines], dtype=np.int64)
        people = {participant.id: k for k, participant in enumerate(instance.participants)}
        self.participant = np.array([people[line.participant] for line in instance.lines], dtype=np.int64)
        self.authority = np.array([person.contracting_authority for person in instance.participants], dtype=bool)
        terms = {category.id: category.term_months for category in instance.categories}
        given = [terms[offer.category] for offer in instance.offers]
        self.own_term = np.array([np.nan if term is None else term for term in given], dtype=float)
        self.co2_kg = np.array([offer.co2_saved_kg_per_unit for offer in instance.offers], dtype=float)
        self.volumes = _padded(instance.offers, [[tier.from_quantity for tier in o.tiers] for o in instance.offers])
        self.prices = _padded(instance.offers, [[tier.unit_price_eur for tier in o.tiers] for o in instance.offers])
        self.kept = {(entry.line, entry.offer, entry.start) for entry in instance.previous}
        self.decided = {(pool.family, pool.start) for pool in instance.fixed}

    def share(self, policy: Policy) -> Floats:
        """What each offer's criteria are worth, as a share of yearly spend."""
        worth = policy.criterion_value
        return np.array([sum(worth.get(name, 0.0) for name in offer.criteria) for offer in self.instance.offers])


def _padded(offers: Sequence[Offer], rows: Sequence[Sequence[float]]) -> Floats:
    """(offers, tiers) with infinity where an offer has fewer tiers than the longest."""
    table = np.full((len(offers), max((len(row) for row in rows), default=1)), np.inf)
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table


class Arrangement:
    """Pools of a table's instance. Lots stand in the order of the pools, members lot after lot."""

    def __init__(self, table: Table, pools: Iterable[PlanPool]) -> None:
        self.table, self.pools = table, tuple(pools)
        lots = [(pool, lot) for pool in self.pools for lot in pool.lots]
        self.member: Ints = np.array([table.line[line] for _, lot in lots for line in lot.lines], dtype=np.int64)
        sizes = np.array([len(lot.lines) for _, lot in lots], dtype=np.int64)
        self.first = np.cumsum(sizes) - sizes
        self.lot = np.repeat(np.arange(len(lots)), sizes)
        self.offer: Ints = np.array([table.offer[lot.offer] for _, lot in lots], dtype=np.int64)
        self.start: Ints = np.array([offset(pool.start, YEAR_0) for pool, _ in lots], dtype=np.int64)
        self.decided: Flags = np.array([(pool.family, pool.start) in table.decided for pool, _ in lots], dtype=bool)
        kept = [sum((line, lot.offer, pool.start) in table.kept for line in lot.lines) for pool, lot in lots]
        self.kept = np.array(kept, dtype=float)
        self.further_countries = sum(self._countries(pool) - 1 for pool in self.pools)

    def _countries(self, pool: PlanPool) -> int:
        people, table = self.table.instance.participants, self.table
        return len({people[table.participant[table.line[line]]].country for lot in pool.lots for line in lot.lines})

    def under(self, policy: Policy) -> Valued:
        """The pools under another policy: every lot on the tier it reaches with that confidence."""
        table, members = self.table, self.member
        quantity = self._sums(table.quantity[members])
        variance, deviation = self._sums(table.deviation[members] ** 2), self._sums(table.deviation[members])
        rho = policy.forecast_correlation
        root = np.sqrt((1 - rho) * variance + rho * deviation**2)
        tier = self._reached(quantity - NormalDist().inv_cdf(policy.confidence) * root)
        price = table.prices[self.offer, np.maximum(0, tier)]
        years, per_unit, per_spend = self._rates(policy)
        spend, lot = table.spend[members], self.lot
        benefit = years[lot] * (spend * (1 + per_spend[lot]) + (per_unit - price)[lot] * table.quantity[members])
        benefit -= spend * self._waiting(policy) + policy.line_cost_eur
        new = ~self.decided
        lawful = bool((tier[new] >= 0).all()) and bool((self._authorities()[new] >= policy.min_participants).all())
        if policy.no_one_worse_off:
            enough = benefit >= -WORSE_OFF_TOLERANCE * np.maximum(1.0, spend)
            lawful = lawful and bool(enough[new[lot]].all())
        objective = float(benefit.sum()) - self._shared_cost(policy) + policy.stability_eur * float(self.kept.sum())
        return Valued(objective, lawful)

    def realised(self, policy: Policy, volumes: Floats) -> Realised:
        """The pools with the volumes that came, (draws, lines of the instance): every lot on the tier they reach.

        A new lot whose volume stays below the tipping volume fails: its members go on at today's prices, and all that
        was spent on it (set-up, bridging) is lost. Decided lots stand, at their first tier at worst.
        """
        table, members = self.table, volumes[:, self.member]
        quantity, spend = self._sums(members), self._sums(members * table.price[self.member])
        bridging = self._sums(members * (table.price[self.member] * self._waiting(policy)))
        reached = self._reached(quantity)
        stands = (reached >= 0) | self.decided
        years, per_unit, per_spend = self._rates(policy)
        price = table.prices[self.offer, np.maximum(0, reached)]
        savings = np.where(stands, years * (spend - price * quantity), 0.0)
        green = np.where(stands, years * (per_unit * quantity + per_spend * spend), 0.0)
        set_up = self._shared_cost(policy) + policy.line_cost_eur * len(self.member)
        cash = (savings - bridging).sum(axis=1) - set_up
        return Realised(cash + green.sum(axis=1) + policy.stability_eur * (stands * self.kept).sum(axis=1), cash)

    def _sums(self, values: Floats) -> Floats:
        """From members to lots, along the last axis."""
        if not len(self.first):
            return np.zeros((*values.shape[:-1], 0))
        sums: Floats = np.add.reduceat(values, self.first, axis=-1)
        return sums

    def _reached(self, quantity: Floats) -> Ints:
        """The highest tier of each lot that the quantity reaches, (..., lots); -1 below the tipping volume."""
        enough = quantity[..., None] >= self.table.volumes[self.offer] * (1 - SURE_TOLERANCE)
        tier: Ints = enough.sum(axis=-1) - 1
        return tier

    def _rates(self, policy: Policy) -> tuple[Floats, Floats, Floats]:
        """Of each lot: its years, what its green is worth per unit, and as a share of spend."""
        own = self.table.own_term[self.offer]
        years = np.where(np.isnan(own), policy.term_months, own) / 12
        carbon = policy.carbon_price_eur_per_tonne / 1000 * self.table.co2_kg[self.offer]
        return years, carbon, self.table.share(policy)[self.offer]

    def _waiting(self, policy: Policy) -> Floats:
        """Of each member: bridging cost as a share of its yearly spend."""
        table, members = self.table, self.member
        first = np.maximum(offset(policy.horizon_start, YEAR_0), table.earliest[members])
        rate = np.where(np.isnan(table.rate[members]), policy.bridging_rate_per_year, table.rate[members])
        return rate * np.maximum(0, self.start[self.lot] - first) / 12

    def _authorities(self) -> Ints:
        """Of each lot: how many different contracting authorities it has."""
        people = self.table.participant[self.member]
        pairs = np.unique(np.stack([self.lot, people]), axis=1)
        counts: Ints = np.bincount(pairs[0][self.table.authority[pairs[1]]], minlength=len(self.first))
        return counts

    def _shared_cost(self, policy: Policy) -> float:
        """What pools, lots and further countries cost."""
        pools = policy.pool_cost_eur * len(self.pools) + policy.country_cost_eur * self.further_countries
        return pools + policy.lot_cost_eur * len(self.first)
