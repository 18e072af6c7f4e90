"""Checks a batch of rows against the mapping and the reference data: good rows, faults, and rows that must wait."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from connectors.frames import EXTRA, ROW
from pooling.demand.amounts import PriceReader, QuantityReader
from pooling.demand.depths import DepthReader
from pooling.demand.distinct import ByDistinct
from pooling.demand.figures import Marks
from pooling.demand.mapping import FileMapping
from pooling.demand.names import Closest
from pooling.demand.naming import Categories, Criteria, Participants, Reference, check_targets
from pooling.demand.sections import CANONICAL, Skip
from pooling.demand.timing import CurrencyReader, WindowReader
from pooling.demand.units import UNKNOWN_UNIT, UnitReader
from pooling.demand.work import Work
from pooling.reference.units import UNITS
from pooling.reference.words import same

UNKNOWN_CATEGORY = "unknown-category"
MAX_ITEM_CODE = 80
MAX_LOOKED_UP = 20_000
MAX_VALUE = 255
TEXTS = ("category", "item_code", "item_name", "unit", "window_source")


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a batch. ``rows``: good rows, ready to be settled; ``faults``: as pooling.demand.faults.SCHEMA.

    ``waiting``: rows whose category or unit is unknown, with columns row, reason, value and all cells as read.
    ``skipped``: how many rows were out of scope, by reason.
    """

    rows: pl.DataFrame
    faults: pl.DataFrame
    waiting: pl.DataFrame
    skipped: Counter[str]


class Checker:
    """Checks batches of one file. Raises BadMapping where the mapping leads to codes that are not known.

    ``may_send_for``: the participants that rows may name; None: all. ``senders``: those that rows of the batches seen
    so far do name, whatever became of them; None among them: a row names nobody we know.
    """

    def __init__(
        self,
        mapping: FileMapping,
        reference: Reference,
        *,
        marks: Marks,
        headers: Mapping[str, str],
        received_on: date,
        may_send_for: frozenset[str] | None = None,
    ) -> None:
        check_targets(mapping, reference)
        self.senders: set[str | None] = set()
        self._may_send_for = may_send_for
        self._mapping = mapping
        self._headers = headers
        self._base_unit = ByDistinct(lambda code: reference.categories[code].base_unit, pl.String)
        self._participants = Participants(mapping, reference)
        self._categories = Categories(mapping, reference)
        self._criteria = Criteria(mapping, reference)
        self._units = UnitReader(mapping, marks)
        self._quantities = QuantityReader(marks)
        self._prices = PriceReader(mapping.price, marks)
        self._windows = WindowReader(mapping)
        self._depths = DepthReader(mapping.depths)
        self._currencies = CurrencyReader(mapping, received_on)
        self._unit_names = Closest({code: [unit.name, *unit.aliases] for code, unit in UNITS.items()})
        self._near: dict[tuple[str, str], list[dict[str, str]]] = {}

    def check(self, batch: pl.DataFrame) -> Checked:
        """What becomes of the batch: columns as connectors deliver them, all text."""
        skipped: Counter[str] = Counter()
        for rule in self._mapping.skip:
            out = _out_of_scope(batch, rule, self._mapping.constants)
            if out.any():
                skipped[rule.reason] += int(out.sum())
                batch = batch.filter(~out)
        work = Work(batch, self._headers, self._mapping.constants)
        rows, reasons = self._read(work)
        found = work.faults()
        if found.height:
            good = ~rows[ROW].is_in(found["row"].unique().implode())
            batch, rows, reasons = batch.filter(good), rows.filter(good), reasons.filter(good)
        waiting = pl.concat([batch, reasons], how="horizontal").filter(pl.col("reason").is_not_null())
        if waiting.height:
            rows = rows.filter(reasons["reason"].is_null())
        return Checked(rows, found, waiting, skipped)

    def _read(self, work: Work) -> tuple[pl.DataFrame, pl.DataFrame]:
        for name in TEXTS:
            self._check_text(work, name)
        sent_as = self._sent_as(work)
        categories = self._categories.read(work)
        factors = self._units.read(work, self._base_unit(categories)[0])
        quantities = self._quantities.read(work, factors)
        required, refused = self._criteria.read(work)
        columns = {
            ROW: work.frame[ROW],
            "rows": work.constant(1, pl.UInt32),
            "sent_as": sent_as,
            "category": categories,
            "item_code": self._text(work, "item_code"),
            **quantities.to_dict(),
            "unit_price_micro": self._prices.read(work, factors),
            **self._currencies.read(work).to_dict(),
            **self._windows.read(work).to_dict(),
            "required": required,
            "refused": refused,
            "delivered": self._prices.delivered(work),
            "depth": self._depths.read(work),
            "original_quantity": self._text(work, "quantity"),
            "original_unit": self._text(work, "unit").fill_null(""),
            "original_price": self._text(work, "unit_price"),
        }
        if self._mapping.group is not None and "year" in self._mapping.group.by:
            columns["year"] = self._currencies.years(work)
        return pl.DataFrame(columns), self._reasons(work, categories, factors["reason"])

    def _sent_as(self, work: Work) -> pl.Series:
        sent_as = self._participants.read(work)
        self.senders.update(sent_as.unique())
        if self._may_send_for is not None:
            work.refuse_where(~sent_as.is_in(sorted(self._may_send_for)), "not-yours", "participant")
        return sent_as

    def _text(self, work: Work, name: str) -> pl.Series:
        texts = work.text(name)
        return texts if texts is not None else work.blank()

    def _check_text(self, work: Work, name: str) -> None:
        texts = work.text(name)
        if texts is not None:
            work.refuse_where(texts.str.contains("\x00", literal=True), "control-character", name)
            if name == "item_code":
                work.refuse_where(texts.str.len_chars() > MAX_ITEM_CODE, "too-long", name)

    def _reasons(self, work: Work, categories: pl.Series, unit_reasons: pl.Series) -> pl.DataFrame:
        """Why a row must wait, and the word that is not known."""
        no_category = categories.is_null()
        if not no_category.any() and unit_reasons.null_count() == len(unit_reasons):
            return pl.DataFrame({"reason": work.blank(), "value": work.blank()})
        unit = self._text(work, "unit").fill_null("")
        name = self._text(work, "item_name").fill_null("")
        word = pl.when(pl.lit(unit) == "").then(pl.lit("(blank)")).otherwise(pl.lit(unit))
        shown = pl.when(unit_reasons == UNKNOWN_UNIT).then(unit).otherwise(pl.concat_str(word, pl.lit(" in "), name))
        return pl.select(
            reason=pl.when(no_category).then(pl.lit(UNKNOWN_CATEGORY)).otherwise(unit_reasons),
            value=pl.when(no_category).then(self._categories.shown(work)).otherwise(shown).str.slice(0, MAX_VALUE),
        )

    def candidates(self, reason: str, value: str) -> list[dict[str, str]]:
        """What an unknown category or unit may mean, nearest first; remembered by value.

        Beyond ``MAX_LOOKED_UP`` different values nothing is looked for: the mapping is then not of this file.
        """
        key = (reason, value)
        if key not in self._near:
            if len(self._near) >= MAX_LOOKED_UP:
                return []
            if reason == UNKNOWN_CATEGORY:
                self._near[key] = self._categories.candidates(value)
            elif reason == UNKNOWN_UNIT:
                self._near[key] = [
                    {"id": each.id, "name": UNITS[each.id].name} for each in self._unit_names.find(value)
                ]
            else:
                self._near[key] = []
        return self._near[key]


def _out_of_scope(batch: pl.DataFrame, rule: Skip, constants: Mapping[str, str]) -> pl.Series:
    masks = []
    for column in rule.columns:
        texts = _cells(batch, column, constants)
        if rule.blank:
            masks.append(texts.is_null())
        elif rule.matches is not None:
            masks.append(texts.str.contains(rule.matches).fill_null(value=False))
        else:
            wanted = {same(each) for each in rule.equals}
            seen = [text for text in texts.unique().drop_nulls() if same(text) in wanted]
            masks.append(texts.is_in(seen).fill_null(value=False))
    return pl.select(pl.all_horizontal([pl.lit(mask) for mask in masks])).to_series()


def _cells(batch: pl.DataFrame, column: str, constants: Mapping[str, str]) -> pl.Series:
    name = column if column in CANONICAL else EXTRA + column
    if name in batch.columns:
        return batch[name]
    return pl.Series([constants.get(column)], dtype=pl.String).new_from_index(0, batch.height)
