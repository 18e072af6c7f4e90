"""Shapley shares of a pool's gain: what each member adds to those before it, over all orders (Shapley 1953)."""

import zlib
from math import factorial

import numpy as np

from solver.arrays import Floats, Ints
from solver.sharing.coalitions import Game
from solver.sharing.excesses import Known

CELLS = 4_000_000
"""Coalitions times members held at once."""
KEPT = 12_000
"""Coalitions of the sampled orders kept for other searches, evenly spread."""


def exact(values: Floats, size: int) -> Floats:
    """From the values of all coalitions, coalition ``k`` holding the members whose bits are set in ``k``."""
    coalitions = np.arange(1 << size)
    sizes = np.array([coalition.bit_count() for coalition in range(1 << size)])
    weight = np.array([factorial(s) * factorial(size - s - 1) / factorial(size) for s in range(size)])
    shares = np.empty(size)
    for member in range(size):
        without = coalitions[coalitions >> member & 1 == 0]
        shares[member] = weight[sizes[without]] @ (values[without | 1 << member] - values[without])
    return shares


class Sampled:
    """Orders of the members drawn from a seed, each with its reverse, and what the coalitions on their way are worth.

    The seed goes with the pool's family and start, so a pool's orders do not depend on the other pools.
    """

    def __init__(self, game: Game, orders: int, seed: int) -> None:
        self.game = game
        name = zlib.crc32(f"{game.pool.family}\n{game.pool.start}".encode())
        random = np.random.default_rng([seed, name])
        half = np.argsort(random.random((orders // 2, game.size)), axis=1)
        self.order = np.stack([half, half[:, ::-1]], axis=1).reshape(-1, game.size)
        blocks = -(-orders * game.size**2 // CELLS)
        walks = [self._walked(order) for order in np.array_split(self.order, min(blocks, orders))]
        self.known = Known(
            np.concatenate([walk.coalitions for walk, _ in walks]),
            np.concatenate([walk.valued for walk, _ in walks]),
            np.concatenate([walk.cash for walk, _ in walks]),
        )
        self.along = np.concatenate([along for _, along in walks], axis=1)

    def _walked(self, order: Ints) -> tuple[Known, Floats]:
        """Some coalitions on the way of the orders, and (valued and cash, orders, steps) the values of all."""
        place = np.argsort(order, axis=1)
        steps = np.arange(self.game.size - 1)
        coalitions = (place[:, None, :] <= steps[None, :, None]).reshape(-1, self.game.size)
        values = self.game.values(coalitions)
        every = slice(None, None, -(-len(self.order) * len(steps) // KEPT))
        along = np.array([values.valued, values.cash]).reshape(2, len(order), -1)
        return Known(coalitions[every], values.valued[every], values.cash[every]), along

    def shares(self, cash: bool) -> tuple[Floats, Floats]:
        """Mean of what each member adds, and its standard error over the pairs of orders."""
        count = len(self.order)
        whole = np.full((count, 1), self.game.whole(cash))
        added = np.diff(np.hstack([np.zeros((count, 1)), self.along[int(cash)], whole]), axis=1)
        of_member = np.empty_like(added)
        np.put_along_axis(of_member, self.order, added, axis=1)
        pairs = of_member.reshape(count // 2, 2, -1).mean(axis=1)
        return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
