"""The mixed-integer model of a block: its columns, and the cuts that it learns. Its rules are in `solver.family.rules`.

Columns: ``take`` (a line at a cell), ``step`` (a lot open at a tier), ``open`` (a pool), ``member`` (a participant in
a pool), ``country`` (a country in a pool), ``lead`` (a participant leads a pool). The last three exist only where a
limit, a cost or a price needs them. A lot may sit on any tier it reaches; prices never rise, so the highest is best.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from solver.arrays import Floats, Ints
from solver.family.cuts import CoverCut, ShortfallCut, SureCut, sure_cut, worst_shortfall
from solver.limits import Left, Prices
from solver.lots import Block, DraftPool
from solver.milp import Milp

LEAST_OPEN, LEAST_BROKEN = 1e-3, 1e-3
"""A step open less than this, or a cut broken by less than this share of the step's volume, is not worth a row."""


@dataclass
class Model:
    """The columns of a block's model and where they came from; `solver.family.rules` makes it with its rows."""

    block: Block
    left: Left
    prices: Prices
    exact_leads: bool
    milp: Milp = field(default_factory=Milp)
    limit_rows: list[tuple[str, tuple[int, ...], int]] = field(default_factory=list)
    """Rows of shared limits: which array of `Prices`, index in it, row number."""

    def __post_init__(self) -> None:
        block = self.block
        self.cell_pool = block.cell_pool
        self.cell_participant = block.participant[block.cell_line]
        self.quarter = block.pool_start // 3
        terms = block.terms
        opening = np.full(len(block.pool_start), terms.country_cost - terms.pool_cost)
        opening -= self.prices.quarter_pools[self.quarter]
        self.open = self.milp.columns(opening)
        self.step = self.milp.columns(np.full(len(block.step_lot), -terms.lot_cost))
        self.take = self.milp.columns(block.cell_value)
        self._members()
        self._countries()
        self._leads()
        self.step_order = np.argsort(block.cell_step, kind="stable")
        self.sorted_steps = block.cell_step[self.step_order]
        self.counted = np.empty(0, dtype=np.int64)

    def _members(self) -> None:
        """Pairs of pool and participant, as columns where something depends on them."""
        pairs, self.cell_pair = np.unique(
            np.stack([self.cell_pool, self.cell_participant]), axis=1, return_inverse=True
        )
        self.cell_pair = self.cell_pair.ravel()
        self.pair_pool, self.pair_participant = pairs
        quarter = self.quarter[self.pair_pool]
        price = self.prices.participant_quarter[self.pair_participant, quarter]
        possible = np.zeros(self.left.participant_quarter.shape)
        np.add.at(possible, (self.pair_participant, quarter), 1)
        self.tight_quarters = possible > self.left.participant_quarter
        needed = (price > 0) | self.tight_quarters[self.pair_participant, quarter]
        if self.block.terms.max_participants is not None or self.exact_leads:
            needed[:] = True
        self.member = np.full(len(needed), -1)
        self.member[needed] = self.milp.columns(-price[needed], integer=False)

    def _countries(self) -> None:
        terms = self.block.terms
        pair_country = np.zeros(len(self.pair_pool), dtype=np.int64)
        pair_country[self.cell_pair] = self.block.country[self.block.cell_line]
        pairs, self.pair_country = np.unique(np.stack([self.pair_pool, pair_country]), axis=1, return_inverse=True)
        self.pair_country = self.pair_country.ravel()
        self.country_pool = pairs[0]
        self.countries_count = terms.country_cost > 0 or terms.max_countries is not None
        self.country = self.milp.columns(
            np.full(len(self.country_pool) if self.countries_count else 0, -terms.country_cost), integer=False
        )

    def _leads(self) -> None:
        able = np.zeros(len(self.pair_pool), dtype=bool)
        able[self.cell_pair[self.block.leader[self.block.cell_line]]] = True
        self.lead_pair = np.flatnonzero(able)
        size = len(self.lead_pair) if self.exact_leads else 0
        price = self.prices.leads[self.pair_participant[self.lead_pair]]
        self.lead = self.milp.columns(-price[:size])

    def columns_of(self, pools: Iterable[DraftPool]) -> Floats:
        """The columns' values at lawful pools of the block, leads aside."""
        block = self.block
        values = np.zeros(self.milp.column_count)
        lot_tier = {(pool.start, lot.offer): lot for pool in pools for lot in pool.lots}
        starts = block.pool_start[block.lot_pool]
        for step in range(len(block.step_lot)):
            lot = block.step_lot[step]
            there = lot_tier.get((int(starts[lot]), int(block.lot_offer[lot])))
            if there is not None and there.tier == block.step_tier[step]:
                values[self.step[step]] = values[self.open[block.lot_pool[lot]]] = 1.0
                cells = self.cells_of_step(step)
                values[self.take[cells[np.isin(block.cell_line[cells], there.lines)]]] = 1.0
        return self._with_members(values)

    def cells_of_step(self, step: int) -> Ints:
        """The cells of a step, in order."""
        first, last = np.searchsorted(self.sorted_steps, [step, step + 1])
        cells: Ints = self.step_order[first:last]
        return cells

    def _with_members(self, values: Floats) -> Floats:
        """Filled in: who and which countries are in a pool, who counts once in a lot."""
        taken = np.flatnonzero(values[self.take] > 0)
        pair = np.unique(self.cell_pair[taken])
        values[self.member[pair[self.member[pair] >= 0]]] = 1.0
        if self.countries_count:
            values[self.country[self.pair_country[pair]]] = 1.0
        if len(self.counted):
            counted = self.counted[taken]
            values[counted[counted >= 0]] = 1.0
        return values

    def add_sure_cut(self, cut: SureCut) -> None:
        """Rule 3 with the root replaced by a linear function that never exceeds it, for the steps of the cut."""
        block, steps, weights = self.block, cut.steps, cut.weights
        number = np.full(len(block.step_lot), -1)
        number[steps] = self.milp.rows(len(steps), lower=0.0)
        cells = np.flatnonzero(number[block.cell_step] >= 0)
        line, step = block.cell_line[cells], block.cell_step[cells]
        share = (block.quantity[line] - block.terms.deviates * weights[line]) / block.step_from[step]
        below = np.bincount(step, weights=np.minimum(share, 0.0), minlength=len(block.step_lot))
        self.milp.entries(number[step], self.take[cells], np.minimum(share, 1.0 - below[step]))
        self.milp.entries(number[steps], self.step[steps], -1.0)

    def add_shortfall_cut(self, cut: ShortfallCut) -> None:
        """Lines that a step cannot do without."""
        row = self.milp.rows(1, lower=0.0)
        self.milp.entries(np.repeat(row, len(cut.cells)), self.take[cut.cells], cut.shares)
        self.milp.entries(row, self.step[cut.step], -1.0)

    def add_cover_cut(self, cut: CoverCut) -> None:
        """Not all of the lines together."""
        block = self.block
        inside = np.isin(block.cell_line, cut.lines) & (block.lot_offer[block.cell_lot] == cut.offer)
        cells = np.flatnonzero(inside)
        groups = np.zeros(len(cells), dtype=np.int64) if cut.everywhere else block.cell_lot[cells]
        lots, group = np.unique(groups, return_inverse=True)
        rows = self.milp.rows(len(lots), upper=len(cut.lines) - 1.0)
        self.milp.entries(rows[group], self.take[cells], 1.0)


def separate(model: Model, values: Floats) -> list[SureCut | ShortfallCut]:
    """For each step that a fractional solution opens, the cuts it breaks most: rule 3's root along its lines by
    falling share, and the lines that the others fall short without."""
    block, take, step = model.block, values[model.take], values[model.step]
    order = np.lexsort((-take, block.cell_step))
    edges = np.searchsorted(block.cell_step[order], np.arange(len(step) + 1))
    cuts: list[SureCut | ShortfallCut] = []
    for k in np.flatnonzero(step > LEAST_OPEN).tolist():
        cells = order[edges[k] : edges[k + 1]]
        lines = block.cell_line[cells]
        if block.terms.deviates > 0:
            cut = sure_cut(block, np.array([k]), lines, int((take[cells] > LEAST_OPEN * step[k]).sum()))
            there = (block.quantity[lines] - block.terms.deviates * cut.weights[lines]) @ take[cells]
            if there < block.step_from[k] * step[k] * (1 - LEAST_BROKEN):
                cuts.append(cut)
        found = worst_shortfall(block, k, cells, take[cells] / step[k])
        if found is not None and found[1] * step[k] > LEAST_BROKEN:
            cuts.append(found[0])
    return cuts
