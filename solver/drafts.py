"""Valuing and mending lots and pools of a block exactly, outside any model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from solver.lots import SURE_TOLERANCE, Block, DraftLot, DraftPool


@dataclass(frozen=True)
class Valuer:
    """Looks up what each place is worth. Places are (line, offer, start, tier) in the block's numbers."""

    block: Block
    value: dict[tuple[int, int, int, int], float] = field(init=False)
    tiers_open: dict[tuple[int, int], tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        block = self.block
        lot, step = block.cell_lot, block.cell_step
        keys = zip(
            block.cell_line.tolist(),
            block.lot_offer[lot].tolist(),
            block.pool_start[block.lot_pool[lot]].tolist(),
            block.step_tier[step].tolist(),
            strict=True,
        )
        object.__setattr__(self, "value", dict(zip(keys, block.cell_value.tolist(), strict=True)))
        open_tiers: dict[tuple[int, int], list[int]] = {}
        starts = block.pool_start[block.lot_pool]
        for which, tier in zip(block.step_lot.tolist(), block.step_tier.tolist(), strict=True):
            open_tiers.setdefault((int(block.lot_offer[which]), int(starts[which])), []).append(tier)
        object.__setattr__(self, "tiers_open", {key: tuple(sorted(tiers)) for key, tiers in open_tiers.items()})

    def sure(self, lines: Sequence[int]) -> float:
        """Rule 3's sure quantity of the lines."""
        block, chosen = self.block, list(lines)
        deviation = block.deviation[chosen]
        total = float(block.quantity[chosen].sum())
        return block.terms.sure(total, float((deviation**2).sum()), float(deviation.sum()))

    def reached(self, offer: int, sure: float) -> int:
        """The highest tier whose volume is there; -1 for none."""
        reached = [k for k, volume in enumerate(self.block.tiers[offer]) if sure >= volume * (1 - SURE_TOLERANCE)]
        return reached[-1] if reached else -1

    def settle(self, offer: int, start: int, lines: Iterable[int]) -> DraftLot | None:
        """The lines' lot after those leave who would be worse off, re-tiered; None where no lawful lot is left."""
        block = self.block
        chosen = sorted(lines)
        while chosen:
            tier = self.reached(offer, self.sure(chosen))
            open_tiers = [k for k in self.tiers_open.get((offer, start), ()) if k <= tier]
            if not open_tiers:
                return None
            stay = [line for line in chosen if (line, offer, start, open_tiers[-1]) in self.value]
            if len(stay) == len(chosen):
                authorities = {int(block.participant[line]) for line in chosen if block.authority[line]}
                within = int(block.quantity[chosen].sum()) <= block.max_quantity[offer]
                if len(authorities) < block.terms.min_participants or not within:
                    return None
                return DraftLot(offer, open_tiers[-1], tuple(chosen))
            chosen = stay
        return None

    def lot_value(self, lot: DraftLot, start: int) -> float:
        """Benefits of the lines less the lot's own cost."""
        return sum(self.value[line, lot.offer, start, lot.tier] for line in lot.lines) - self.block.terms.lot_cost

    def pool(self, family: int, start: int, lots: Sequence[DraftLot]) -> DraftPool | None:
        """The pool of the lots with its value; None where rules 7 or 9 forbid it."""
        block = self.block
        lines = [line for lot in lots for line in lot.lines]
        if not lines or not block.leader[lines].any():
            return None
        participants = len(np.unique(block.participant[lines]))
        countries = len(np.unique(block.country[lines]))
        terms = block.terms
        if terms.max_participants is not None and participants > terms.max_participants:
            return None
        if terms.max_countries is not None and countries > terms.max_countries:
            return None
        cost = terms.pool_cost + terms.country_cost * (countries - 1)
        value = sum(self.lot_value(lot, start) for lot in lots) - cost
        return DraftPool(family, start, tuple(sorted(lots, key=lambda lot: lot.offer)), value)
