"""The declared schema of a demand frame: canonical columns, all text as written, and the row each came from."""

from collections.abc import Iterable

import polars as pl

ROW = "row"
EXTRA = "extra:"

COLUMNS: dict[str, str] = {
    "participant": "code of the sender as participants are known here, or the sender's own code",
    "category": "category id, or the sender's own name or code for it",
    "item_code": "the sender's article number; leading zeros matter",
    "item_name": "the sender's article name",
    "quantity": "demand, in `unit`",
    "quantity_low": "10th percentile of the demand, in `unit`",
    "quantity_high": "90th percentile of the demand, in `unit`",
    "unit": "unit of the quantities, as the sender writes it",
    "pack_size": "pieces in one `unit`",
    "unit_price": "price of `price_per` units",
    "price_per": "how many units the price is for; 1 where not given",
    "currency": "ISO 4217 code",
    "price_basis": "with or without VAT",
    "vat_rate": "VAT in per cent",
    "delivered": "whether the price includes delivery",
    "earliest_start": "first day or month on which a new contract could start",
    "latest_start": "last day or month on which a new contract could start",
    "contract_end": "end of today's contract",
    "extension_months": "options left in today's contract, in months",
    "window_source": "what the window rests on",
    "required": "criteria an offer must meet",
    "refused": "criteria the participant does not accept",
    "depth": "how deep the participant joins in: market dialogue, common criteria, framework or joint tender",
    "date": "the day the figures are from; decides the exchange rate and the participant's validity",
    "external_id": "the sender's own id of the row",
}

NUMERIC = frozenset({"quantity", "quantity_low", "quantity_high", "unit_price", "pack_size", "price_per", "vat_rate"})


def known(column: str) -> bool:
    """Whether a frame may have this column: a canonical one, or ``extra:`` and the sender's header."""
    return column in COLUMNS or (column.startswith(EXTRA) and column != EXTRA)


def schema(columns: Iterable[str]) -> pl.Schema:
    """The schema of a frame with these columns: ``row`` first (UInt32, 1-based), then each as text."""
    return pl.Schema({ROW: pl.UInt32(), **{column: pl.String() for column in columns}})
