"""Choices of lines within a room for their quantity: down an order, past what does not fit, and all choices of few."""

from functools import cache

import numpy as np

from solver.arrays import Flags, Floats, Ints

FEW = 12
"""Of so many lines every choice is looked at."""


def in_order(order: Ints, could: Flags, quantity: Floats, room: Floats) -> Flags:
    """Who of ``could`` (lines, months) is taken, month by month down the ``order`` (ranks, months), where each takes of
    the ``room`` (months,) what it needs, and who needs more than is left is passed over."""
    if (quantity @ could <= room).all():
        return could
    taken, left, months = np.zeros_like(could), room.astype(float), np.arange(could.shape[1])
    for lines in order:
        fits = could[lines, months] & (quantity[lines] <= left)
        taken[lines, months] = fits
        left -= np.where(fits, quantity[lines], 0.0)
    return taken


@cache
def choices(count: int) -> Flags:
    """All choices of so many lines, a row each, the smallest first; of equals those that take earlier lines."""
    bits = (np.arange(2**count)[:, None] >> np.arange(count)[::-1]) & 1
    rows = bits[np.lexsort((-np.arange(2**count), bits.sum(axis=1)))].astype(bool)
    rows.setflags(write=False)
    return rows
