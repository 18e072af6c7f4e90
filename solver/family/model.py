"""The mixed-integer model of a block: one function a rule of the contract; `RULES` is the table of contents.

Columns: ``take`` (a line at a cell), ``step`` (a lot open at a tier), ``open`` (a pool), ``member`` (a participant in
a pool), ``country`` (a country in a pool), ``lead`` (a participant leads a pool). The last three exist only where a
limit, a cost or a price needs them. A lot may sit on any tier it reaches; prices never rise, so the highest is best.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from solver.arrays import Floats, Ints
from solver.family.cuts import CoverCut, ShortfallCut, SureCut, first_shortfalls, sure_cut, worst_shortfall
from solver.limits import Left, Prices
from solver.lots import Block, DraftPool
from solver.milp import Milp

LEAST_OPEN, LEAST_BROKEN = 1e-3, 1e-3
"""A step open less than this, or a cut broken by less than this share of the step's volume, is not worth a row."""


@dataclass
class Model:
    """The columns of a block's model and where they came from."""

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
        for rule in RULES:
            rule(self)

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


def _line_once(model: Model) -> None:
    """Rule 6, and no lot without its step: a line takes one place at most, and only in an open step."""
    block, milp = model.block, model.milp
    lines, position = np.unique(block.cell_line, return_inverse=True)
    milp.entries(milp.rows(len(lines), upper=1.0)[position], model.take)
    rows = milp.rows(len(model.take), upper=0.0)
    milp.entries(rows, model.take, 1.0)
    milp.entries(rows, model.step[block.cell_step], -1.0)


def _steps_in_pools(model: Model) -> None:
    """A lot sits on one tier, in an open pool; a pool that is open has a lot."""
    block, milp = model.block, model.milp
    rows = milp.rows(len(block.lot_pool), upper=0.0)
    milp.entries(rows[block.step_lot], model.step, 1.0)
    milp.entries(rows, model.open[block.lot_pool], -1.0)
    rows = milp.rows(len(model.open), upper=0.0)
    milp.entries(rows, model.open, 1.0)
    milp.entries(rows[block.lot_pool[block.step_lot]], model.step, -1.0)


def _lot_sizes(model: Model) -> None:
    """Rule 2, where all lines of a step together are too much."""
    block, milp = model.block, model.milp
    possible = np.bincount(block.cell_step, weights=block.quantity[block.cell_line], minlength=len(block.step_lot))
    ceiling = block.max_quantity[block.lot_offer[block.step_lot]]
    tight = np.flatnonzero(possible > ceiling)
    number = np.full(len(block.step_lot), -1)
    number[tight] = milp.rows(len(tight), upper=0.0)
    cells = np.flatnonzero(number[block.cell_step] >= 0)
    step = block.cell_step[cells]
    milp.entries(number[step], model.take[cells], block.quantity[block.cell_line[cells]] / ceiling[step])
    milp.entries(number[tight], model.step[tight], -1.0)


def _sure_volumes(model: Model) -> None:
    """Rule 3, to begin with: each step's root measured along its lines from the most worthwhile to the least."""
    block = model.block
    for offer in range(len(block.offer)):
        lines = np.unique(block.cell_line[block.lot_offer[block.cell_lot] == offer])
        if len(lines):
            best = np.full(len(block.line), -np.inf)
            np.maximum.at(best, block.cell_line, block.cell_value)
            order = lines[np.argsort(-best[lines], kind="stable")]
            steps = np.flatnonzero(block.lot_offer[block.step_lot] == offer)
            model.add_sure_cut(sure_cut(block, steps, order, len(order)))
    for cut in first_shortfalls(block):
        model.add_shortfall_cut(cut)


def _enough_authorities(model: Model) -> None:
    """Rule 4: different contracting authorities in each lot; two lines of one count once."""
    block, milp = model.block, model.milp
    if block.terms.min_participants <= 1 and bool(block.authority.all()):
        return
    cells = np.flatnonzero(block.authority[block.cell_line])
    pairs, pair = np.unique(
        np.stack([block.cell_step[cells], model.cell_participant[cells]]), axis=1, return_inverse=True
    )
    pair = pair.ravel()
    rows = milp.rows(len(model.step), lower=0.0)
    milp.entries(rows, model.step, -float(block.terms.min_participants))
    alone = np.bincount(pair) == 1
    single = alone[pair]
    milp.entries(rows[block.cell_step[cells[single]]], model.take[cells[single]], 1.0)
    several = np.flatnonzero(~alone)
    counted = np.full(len(alone), -1)
    counted[several] = milp.columns(np.zeros(len(several)), integer=False)
    milp.entries(rows[pairs[0][several]], counted[several], 1.0)
    model.counted = np.full(len(model.take), -1)
    model.counted[cells] = counted[pair]
    at_most = np.full(len(alone), -1)
    at_most[several] = milp.rows(len(several), upper=0.0)
    milp.entries(at_most[several], counted[several], 1.0)
    milp.entries(at_most[pair[~single]], model.take[cells[~single]], -1.0)
    open_step = milp.rows(len(several), upper=0.0)
    milp.entries(open_step, counted[several], 1.0)
    milp.entries(open_step, model.step[pairs[0][several]], -1.0)


def _membership(model: Model) -> None:
    """Who is in a pool, and which countries: a line brings its participant, a participant its country."""
    block, milp = model.block, model.milp
    pairs, pair = np.unique(np.stack([model.cell_pool, block.cell_line]), axis=1, return_inverse=True)
    pair = pair.ravel()
    of_pair = np.zeros(pairs.shape[1], dtype=np.int64)
    of_pair[pair] = model.cell_pair
    for column, needed in (
        (model.member[of_pair], model.member[of_pair] >= 0),
        (_country_column(model)[of_pair], np.full(len(of_pair), model.countries_count)),
    ):
        rows = np.full(len(of_pair), -1)
        chosen = np.flatnonzero(needed)
        rows[chosen] = milp.rows(len(chosen), upper=0.0)
        cells = np.flatnonzero(needed[pair])
        milp.entries(rows[pair[cells]], model.take[cells], 1.0)
        milp.entries(rows[chosen], column[chosen], -1.0)
    if model.countries_count:
        rows = milp.rows(len(model.open), upper=0.0)
        milp.entries(rows, model.open, 1.0)
        milp.entries(rows[model.country_pool], model.country, -1.0)


def _country_column(model: Model) -> Ints:
    return model.country[model.pair_country] if model.countries_count else np.full(len(model.pair_pool), -1)


def _leads(model: Model) -> None:
    """Rule 7: an able member in every pool; where leads are counted, exactly one leads."""
    block, milp = model.block, model.milp
    able = np.flatnonzero(block.leader[block.cell_line])
    rows = milp.rows(len(model.open), upper=0.0)
    milp.entries(rows, model.open, 1.0)
    milp.entries(rows[model.cell_pool[able]], model.take[able], -1.0)
    if not model.exact_leads:
        return
    pool = model.pair_pool[model.lead_pair]
    person = model.pair_participant[model.lead_pair]
    rows = milp.rows(len(model.open), lower=0.0, upper=0.0)
    milp.entries(rows, model.open, -1.0)
    milp.entries(rows[pool], model.lead, 1.0)
    rows = milp.rows(len(model.lead), upper=0.0)
    milp.entries(rows, model.lead, 1.0)
    position = np.full(len(model.pair_pool), -1)
    position[model.lead_pair] = rows
    cells = np.flatnonzero(position[model.cell_pair] >= 0)
    milp.entries(position[model.cell_pair[cells]], model.take[cells], -1.0)
    for p in np.unique(person):
        mine = np.flatnonzero(person == p)
        if len(mine) > model.left.leads[p]:
            _limit(model, "leads", (int(p),), model.lead[mine], model.left.leads[p])


def _quarters(model: Model) -> None:
    """Rule 8: pools that start in a quarter, of the programme and of each participant."""
    left = model.left
    for quarter in np.unique(model.quarter):
        pools = np.flatnonzero(model.quarter == quarter)
        if len(pools) > left.quarter_pools[quarter]:
            _limit(model, "quarter_pools", (int(quarter),), model.open[pools], left.quarter_pools[quarter])
    pair_quarter = model.quarter[model.pair_pool]
    for p, quarter in np.argwhere(model.tight_quarters):
        mine = np.flatnonzero((model.pair_participant == p) & (pair_quarter == quarter))
        limit = left.participant_quarter[p, quarter]
        _limit(model, "participant_quarter", (int(p), int(quarter)), model.member[mine], limit)


def _limit(model: Model, name: str, index: tuple[int, ...], columns: Ints, limit: float) -> None:
    row = model.milp.rows(1, upper=limit)
    model.milp.entries(np.repeat(row, len(columns)), columns, 1.0)
    model.limit_rows.append((name, index, int(row[0])))


def _pool_sizes(model: Model) -> None:
    """Rule 9: participants and countries of a pool."""
    terms, milp = model.block.terms, model.milp
    for limit, columns, pool in (
        (terms.max_participants, model.member, model.pair_pool),
        (terms.max_countries, model.country, model.country_pool),
    ):
        if limit is not None:
            rows = milp.rows(len(model.open), upper=0.0)
            milp.entries(rows[pool], columns, 1.0)
            milp.entries(rows, model.open, -float(limit))


def _offer_totals(model: Model) -> None:
    """Rule 10: what all lots on an offer take together."""
    block, milp = model.block, model.milp
    cell_offer = block.lot_offer[block.cell_lot]
    for offer in np.flatnonzero(np.isfinite(block.total_quantity)):
        cells = np.flatnonzero(cell_offer == offer)
        row = milp.rows(1, upper=1.0)
        if block.total_quantity[offer] > 0 and len(cells):
            share = block.quantity[block.cell_line[cells]] / block.total_quantity[offer]
            milp.entries(np.repeat(row, len(cells)), model.take[cells], share)


RULES = (
    _line_once,
    _steps_in_pools,
    _lot_sizes,
    _sure_volumes,
    _enough_authorities,
    _membership,
    _leads,
    _quarters,
    _pool_sizes,
    _offer_totals,
)


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
