"""The rules of a block's model: one function a rule of the contract; `RULES` is the table of contents."""

import numpy as np

from solver.arrays import Ints
from solver.family.cuts import first_shortfalls, sure_cut
from solver.family.model import Model
from solver.limits import Left, Prices
from solver.lots import Block


def modelled(block: Block, left: Left, prices: Prices, *, exact_leads: bool) -> Model:
    """The model of a block under every rule. ``exact_leads``: who leads each pool is decided in it."""
    model = Model(block, left, prices, exact_leads)
    for rule in RULES:
        rule(model)
    return model


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
