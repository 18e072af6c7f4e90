"""A plan as files: ``plan.json`` and ``instance.json`` for machines, CSV tables for spreadsheets.

CSV cells that a spreadsheet program would run as a formula are made harmless; numbers stay numbers: amounts in EUR to
the cent, quantities to the hundredth, CO2e to the gram. The JSON files hold every figure as it was computed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pooling.errors import BadInput
from pooling.market.rules import VolumeRow
from pooling.planning.pool_views import LineView, LotView, PoolView
from pooling.planning.views import PlanView, UnpooledView
from pooling.spreadsheets import csv_text

Cell = str | int | float | None
PRICE_DECIMALS = 6  # offered prices are exact millionths

POOLS = (
    "pool",
    "family",
    "start",
    "dialogue_from",
    "notice_by",
    "award_by",
    "lead",
    "signing_body",
    "law",
    "language",
    "complaint_board",
    "countries",
    "members",
    "category",
    "category_name",
    "unit",
    "offer",
    "criteria",
    "quantity_per_year",
    "sure_quantity_per_year",
    "likely_maximum_per_year",
    "tipping_quantity_per_year",
    "tier",
    "offered_unit_price_eur",
    "term_months",
    "spend_eur_per_year",
    "savings_eur",
    "green_value_eur",
    "bridging_cost_eur",
    "set_up_cost_of_lot_eur",
    "co2_saved_tonnes_per_year",
    "price_source",
    "price_source_date",
    "co2_source",
    "co2_source_date",
)
LINES = (
    "line",
    "participant",
    "sent_as",
    "category",
    "quantity_per_year",
    "unit",
    "spend_eur_per_year",
    "earliest_start",
    "latest_start",
    "pool",
    "start",
    "offer",
    "savings_eur",
    "green_value_eur",
    "bridging_cost_eur",
    "reason",
    "explanation",
    "file",
    "row",
    "rows",
    "original_quantity",
    "original_unit",
    "original_price",
    "currency",
)
VOLUME = (
    "category",
    "category_name",
    "unit",
    "criteria",
    "start",
    "best",
    "sure_quantity_per_year",
    "quantity_per_year",
    "spend_eur_per_year",
    "lines",
    "participants",
    "authorities",
    "made_up_of",
)


def _cents(amount: float) -> float:
    return round(amount, 2) + 0.0  # no minus before a zero


def _grams(tonnes: float) -> float:
    return round(tonnes, 6) + 0.0


def write(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts under their names, each whole or not at all; returns the paths in that order."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            part = folder / f".{name}.part"
            part.write_text(text, encoding="utf-8", newline="")
            part.replace(folder / name)
    except OSError as failure:
        raise BadInput(f"{folder}: cannot be written ({failure.strerror}); give another folder") from failure
    return [folder / name for name in texts]


def plan_json(document: Mapping[str, Any], snapshot: str) -> str:
    """The plan document with the id of the snapshot that it answers; the judge reads it as it is."""
    return json.dumps({**document, "snapshot": snapshot}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def pools_csv(view: PlanView) -> str:
    """One row a lot, its pool's words repeated; the pool's own set-up costs are in no row, see plan.json's totals."""
    return csv_text(POOLS, (_lot(pool, lot) for pool in view.pools for lot in pool.lots))


def _lot(pool: PoolView, lot: LotView) -> list[Cell]:
    tier, body = lot.offer.tiers[lot.tier], pool.signing_body
    return [
        pool.number,
        pool.family,
        pool.start,
        *(day.isoformat() for day in (pool.dialogue_from, pool.notice_by, pool.award_by)),
        pool.lead,
        body.name,
        body.law,
        body.language,
        body.complaint_board,
        " ".join(pool.countries),
        " ".join(lot.participants),
        lot.category,
        lot.category_name,
        lot.unit,
        lot.offer.id,
        " ".join(lot.offer.criteria),
        lot.quantity,
        _cents(lot.sure_quantity),
        lot.likely_maximum,
        lot.tipping_quantity,
        lot.tier + 1,
        round(lot.unit_price_eur, PRICE_DECIMALS),
        lot.term_months,
        _cents(lot.spend_eur_per_year),
        _cents(lot.gain.savings_eur),
        _cents(lot.gain.green_value_eur),
        _cents(lot.gain.bridging_cost_eur),
        _cents(lot.gain.set_up_cost_eur),
        _grams(lot.co2_saved_tonnes_per_year),
        tier.price_source,
        tier.price_source_date.isoformat(),
        lot.offer.co2_source,
        lot.offer.co2_source_date.isoformat(),
    ]


def lines_csv(view: PlanView) -> str:
    """Every line of the plan with where it went, or why it stayed out, and the row of the file it came in."""
    pooled = [_pooled(pool, lot, line) for pool in view.pools for lot in pool.lots for line in lot.lines]
    rows = [*pooled, *(_unpooled(line) for line in view.unpooled)]
    return csv_text(LINES, sorted(rows, key=lambda row: int(row[0] or 0)))


def _pooled(pool: PoolView, lot: LotView, line: LineView) -> list[Cell]:
    gain = line.gain
    return _line(
        line,
        category=lot.category,
        unit=lot.unit,
        place=[
            pool.number,
            pool.start,
            lot.offer.id,
            *(_cents(amount) for amount in (gain.savings_eur, gain.green_value_eur, gain.bridging_cost_eur)),
        ],
        why=[None, None],
    )


def _unpooled(line: UnpooledView) -> list[Cell]:
    return _line(line, category=line.category, unit=line.unit, place=[None] * 6, why=[line.reason, line.words])


def _line(
    line: LineView | UnpooledView, *, category: str, unit: str, place: Sequence[Cell], why: Sequence[Cell]
) -> list[Cell]:
    trace = line.trace
    return [
        line.id,
        line.participant,
        trace.sent_as,
        category,
        line.quantity,
        unit,
        _cents(line.spend_eur_per_year),
        line.earliest_start,
        line.latest_start,
        *place,
        *why,
        trace.file_name,
        trace.row,
        trace.rows,
        trace.original_quantity,
        trace.original_unit,
        trace.original_price,
        trace.currency,
    ]


def volume_csv(rows: Iterable[VolumeRow], names: Mapping[str, str]) -> str:
    """Volume to take to market, one row a category, criteria set and start; ``names`` of the categories by id."""
    return csv_text(VOLUME, (_volume(row, names) for row in rows))


def _volume(row: VolumeRow, names: Mapping[str, str]) -> list[Cell]:
    return [
        row.category,
        names[row.category],
        row.unit,
        " ".join(row.criteria),
        row.start,
        "yes" if row.best else "no",
        _cents(row.sure_quantity),
        row.quantity,
        _cents(row.spend_eur_per_year),
        len(row.lines),
        len(row.participants),
        row.authorities,
        "; ".join(f"{participant} {quantity}" for participant, quantity in row.participants),
    ]
