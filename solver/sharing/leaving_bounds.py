"""Bounds on what coalitions of a pool's members gain by leaving, for many parts of the search at once.

A node of the search says at which tiers a coalition's lots stand and which members are in or out. With the tiers given
a coalition earns, if its volumes are there, the sum over its members of (benefits at these tiers - what they get), less
the costs of lots, pool and countries. Volumes are relaxed into the objective at prices >= 0 (Lagrange). Their square
root is replaced from below by its chord between the members that are in and those that could be (it is concave in the
variance), and with correlation by a supporting line (Cauchy-Schwarz).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solver.arrays import Flags, Floats, Ints
from solver.lots import SURE_TOLERANCE
from solver.sharing.coalitions import Game

UNDECIDED, CLOSED = -2, -1
"""A lot's tier in a node, beside the offer's own."""
IN, OUT, OPEN = 1, -1, 0
"""A member in a node."""
TINY = 1e-300


@dataclass
class Nodes:
    """Open parts of the search, one row each."""

    question: Ints
    tier: Ints
    """(rows, lots)"""
    gain: Floats
    """(rows, members): benefits at the tiers less what the member gets."""
    fixed: NDArray[np.int8]
    """(rows, members): `IN`, `OUT` or `OPEN`."""
    price: Floats
    """(rows, lots) EUR for the whole tipping volume."""
    bound: Floats

    def take(self, rows: Flags | Ints) -> "Nodes":
        return Nodes(*(part[rows] for part in self.parts()))

    def copy(self) -> "Nodes":
        return Nodes(*(part.copy() for part in self.parts()))

    def parts(self) -> Iterator[Any]:
        return (getattr(self, name) for name in NAMES)

    def __len__(self) -> int:
        return len(self.question)


NAMES = tuple(part.name for part in fields(Nodes))


def joined(parts: Sequence[Nodes]) -> Nodes:
    """All rows in one."""
    return Nodes(*(np.concatenate(columns) for columns in zip(*(nodes.parts() for nodes in parts), strict=True)))


@dataclass(frozen=True)
class Volumes:
    """Rule 3 from below, (rows, lots): quantity - a * variance - b * deviation must reach ``need``."""

    per_variance: Floats
    per_deviation: Floats
    need: Floats

    def take(self, rows: Flags) -> "Volumes":
        return Volumes(self.per_variance[rows], self.per_deviation[rows], self.need[rows])


class Bounds:
    """One game's figures as matrices, and the bounds they give. Volumes are shares of a lot's tipping volume."""

    def __init__(self, game: Game) -> None:
        lots, self.game, self.terms = game.lots, game, game.terms
        scale = np.array([lot.volume_from[0] for lot in lots])[:, None]
        self.quantity = np.array([lot.quantity for lot in lots]) / scale
        self.variance = np.array([lot.variance for lot in lots]) / scale**2
        self.deviation = np.array([lot.deviation for lot in lots]) / scale
        self.authority = np.array([lot.authority for lot in lots], dtype=float)
        self.present = np.array([lot.present for lot in lots], dtype=float)
        self.worse_off = [lot.worse_off.T.astype(float) for lot in lots]
        self.country = game.country.T.copy()
        self.parts = np.vstack([self.quantity, self.variance, self.deviation])
        self.volumes = [lot.volume_from / lot.volume_from[0] for lot in lots]
        everyone, nobody = np.ones((1, game.size)), np.zeros((1, game.size))
        most = self.quantity_less_root(everyone, nobody)[0]
        self.tiers = [
            int((here * (1 - SURE_TOLERANCE) <= top).sum()) for here, top in zip(self.volumes, most, strict=True)
        ]
        """Per lot, how many tiers some coalition may reach."""

    def root(self, members: Floats) -> Floats:
        """(rows, lots) rule 3's root, of members given as 0 or 1."""
        rho = self.terms.correlation
        spread = (1 - rho) * (members @ self.variance.T) + rho * (members @ self.deviation.T) ** 2
        root: Floats = np.sqrt(spread)
        return root

    def quantity_less_root(self, of_quantity: Floats, of_root: Floats) -> Floats:
        """(rows, lots) a sure quantity with the root of other members."""
        less: Floats = of_quantity @ self.quantity.T - self.terms.deviates * self.root(of_root)
        return less

    def needs(self, nodes: Nodes) -> Floats:
        """(rows, lots) what the lots' tiers ask for; 0 for those without."""
        need = np.zeros(nodes.tier.shape)
        for lot, volumes in enumerate(self.volumes):
            tier = nodes.tier[:, lot]
            need[:, lot] = np.where(tier >= 0, volumes[np.maximum(tier, 0)] * (1 - SURE_TOLERANCE), 0.0)
        return need

    def volumes_of(self, nodes: Nodes) -> Volumes:
        """The linear stand-in for rule 3 at each node."""
        rho, deviates = self.terms.correlation, self.terms.deviates
        inside, could = (nodes.fixed == IN).astype(float), (nodes.fixed != OUT).astype(float)
        low, high = np.sqrt(inside @ self.variance.T), np.sqrt(could @ self.variance.T)
        across, along = np.ones_like(low), np.zeros_like(low)
        if rho > 0:
            middle = (inside + could) / 2
            across = np.sqrt((1 - rho) * (middle @ self.variance.T))
            along = np.sqrt(rho) * (middle @ self.deviation.T)
            length = np.maximum(np.hypot(across, along), TINY)
            across, along = across / length, along / length
        spans = low + high > 0  # else no one who may be in it has a forecast error
        chord = np.divide(deviates * across * np.sqrt(1 - rho), low + high, out=np.zeros_like(low), where=spans)
        return Volumes(chord, deviates * along * np.sqrt(rho), self.needs(nodes) + chord * low * high)

    def relaxed(self, nodes: Nodes, volumes: Volumes) -> tuple[Floats, Flags]:
        """The bound of each node at its prices, and the coalition that attains it."""
        price, cost = nodes.price, self.terms.country_cost
        weights = np.hstack([price, -price * volumes.per_variance, -price * volumes.per_deviation])
        worth = nodes.gain + weights @ self.parts
        inside, out = nodes.fixed == IN, nodes.fixed == OUT
        opened = nodes.tier >= 0
        present = opened.astype(float) @ self.present > 0.5
        taken = np.where(inside, worth, np.where(out, 0.0, np.maximum(worth, 0.0)))
        there = taken * present
        by_country = there @ self.country
        forced = (inside & present).astype(float) @ self.country > 0.5
        value, chosen = _by_countries(by_country, forced, cost)
        value += (taken - there).sum(axis=1) - (price * volumes.need).sum(axis=1)
        value -= self.terms.pool_cost + self.terms.lot_cost * opened.sum(axis=1)
        selected = chosen.astype(float) @ self.country.T > 0.5
        coalition = inside | ((worth > 0) & ~out & (selected | ~present))
        every = np.flatnonzero(coalition.all(axis=1))
        if len(every):  # all together are no coalition that leaves: someone must stay
            own = by_country[every] @ self.country.T
            left = np.maximum(own - cost, 0.0) - np.maximum(own - taken[every] - cost, 0.0)
            loss = np.where(present[every], left, taken[every])
            value[every] -= np.where(inside[every], np.inf, loss).min(axis=1)
        return value, coalition

    def slack(self, coalition: Flags, volumes: Volumes) -> Floats:
        """(rows, lots) by how much the coalition's linear volumes exceed what is needed."""
        lots = len(self.volumes)
        sums = coalition.astype(float) @ self.parts.T
        quantity, variance, deviation = sums[:, :lots], sums[:, lots : 2 * lots], sums[:, 2 * lots :]
        over: Floats = quantity - volumes.per_variance * variance - volumes.per_deviation * deviation - volumes.need
        return over

    def possible(self, nodes: Nodes) -> Flags:
        """Whether the rules can still be kept: volumes, authorities, a lead, no closed lot that stands anyway."""
        inside, could = (nodes.fixed == IN).astype(float), (nodes.fixed != OUT).astype(float)
        opened = nodes.tier >= 0
        volume = self.quantity_less_root(could, inside) >= self.needs(nodes)
        enough = could @ self.authority.T > self.terms.min_participants - 0.5
        present = opened.astype(float) @ self.present > 0.5
        led = (present & (could > 0.5) & self.game.leader).any(axis=1)
        stands = self._stands_anyway(inside, could) & (nodes.tier == CLOSED)
        fine: Flags = (~opened | (volume & enough)).all(axis=1) & led
        fine &= ~stands.any(axis=1) & (inside < 0.5).any(axis=1)
        return fine

    def _stands_anyway(self, inside: Floats, could: Floats) -> Flags:
        """(rows, lots) whether the lot keeps the rules whoever else comes in.

        It does at some tier whose volume is sure to be there and at which nobody who could be in is worse off: higher
        tiers are better for all.
        """
        least = self.quantity_less_root(inside, could)
        stands: Flags = inside @ self.authority.T > self.terms.min_participants - 0.5
        for lot, volumes in enumerate(self.volumes):
            content = could @ self.worse_off[lot] < 0.5
            stands[:, lot] &= ((least[:, [lot]] >= volumes) & content).any(axis=1)
        return stands

    def matter(self, nodes: Nodes, coalition: Flags) -> Floats:
        """(rows, members) how much each matters for the rules that the coalition breaks; else for volume."""
        members = coalition.astype(float)
        sure = self.quantity_less_root(members, members)
        opened, need = nodes.tier >= 0, np.maximum(self.needs(nodes), 1e-9)
        people = members @ self.authority.T > self.terms.min_participants - 0.5
        few, short = opened & ~people, opened & (sure < need)
        stands = (nodes.tier == CLOSED) & people & self._content(members, sure)
        present = opened.astype(float) @ self.present > 0.5
        unled = ~(coalition & present & self.game.leader).any(axis=1)
        matter = FALLBACK * ((opened / need) @ self.quantity) + TINY
        matter += (short / need) @ self.quantity
        matter += BROKEN * (few.astype(float) @ self.authority) * ~coalition
        matter += BROKEN * (stands.astype(float) @ self.quantity) * coalition
        total: Floats = matter + BROKEN * unled[:, None] * (present & self.game.leader)
        return total

    def _content(self, members: Floats, sure: Floats) -> Flags:
        """(rows, lots) whether the lot reaches a tier, and nobody is worse off there."""
        content = np.zeros(sure.shape, dtype=bool)
        rows = np.arange(len(sure))
        for lot, volumes in enumerate(self.volumes):
            reached = np.searchsorted(volumes, sure[:, lot], side="right") - 1
            worse_off = members @ self.worse_off[lot]
            content[:, lot] = (reached >= 0) & (worse_off[rows, np.maximum(reached, 0)] < 0.5)
        return content


FALLBACK, BROKEN = 1e-3, 1e3
"""Weights in `Bounds.matter`: volume where no rule is broken; authorities, leads and lots that stand though closed."""


def _by_countries(by_country: Floats, forced: Flags, cost: float) -> tuple[Floats, Flags]:
    """The best countries by what their members bring: each costs the same, one is free, forced ones are in."""
    kept = by_country - cost
    chosen = forced | (kept > 0)
    value = np.where(chosen, kept, 0.0).sum(axis=1) + cost
    alone = np.flatnonzero(~chosen.any(axis=1))
    if len(alone):
        best = by_country[alone].argmax(axis=1)
        value[alone] = by_country[alone, best]
        chosen[alone, best] = True
    return value, chosen
