"""Writes our own XLSX form for one participant: prefilled, with drop-downs, in the participant's language."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from pooling.demand import words
from pooling.errors import BadInput
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord

ROWS = 500
"""Rows with drop-downs and prefilled cells."""

WIDTHS = {"category": 44, "item_name": 36, "window_source": 28, "required": 24, "refused": 24}
TEXT_COLUMNS = frozenset({"item_code", "date", "contract_end", "earliest_start", "latest_start"})
LEFT_OUT = frozenset({"earliest_start", "latest_start"})


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and does not run: what could be a formula gets an apostrophe in front."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\0") else text


def write_template(
    path: Path,
    participant: ParticipantRecord,
    *,
    categories: Mapping[str, CategoryRecord],
    criteria: Mapping[str, CriterionRecord],
    language: str,
    priced_on: date,
) -> None:
    """The form for ``participant`` in ``language``; raises BadInput where we have no words in that language.

    ``priced_on``: the day prefilled as that of the prices, whose ECB rate is taken.
    """
    if language not in words.languages():
        raise BadInput(f"language {language!r}: the template is written in {', '.join(words.languages())}")
    sheets = words.words()["sheets"]
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        names = {part: sheets[part][language] for part in ("demand", "instructions", "lists")}
        demand, instructions, lists = (book.add_worksheet(name) for name in names.values())
        lists.hide()
        instructions.hide_gridlines(2)
        columns = [name for name in words.words()["columns"] if name not in LEFT_OUT]
        _fill_demand(book, demand, _prefilled(participant, language, priced_on), columns=columns, language=language)
        choices = _choices(categories.values(), criteria.values(), language)
        _fill_lists(lists, choices)
        _add_choices(demand, choices, columns=columns, lists=names["lists"])
        _fill_instructions(book, instructions, language)
        demand.activate()


def _choices(
    categories: Iterable[CategoryRecord], criteria: Iterable[CriterionRecord], language: str
) -> dict[str, list[str]]:
    """What can be chosen in each column."""
    document = words.words()
    codes = [record.code for record in criteria]
    return {
        "category": sorted(record.name for record in categories),
        "unit": list(document["units"][language].values()),
        "price_basis": [by[language][0] for by in document["price_basis"].values()],
        "delivered": [by[language][0] for by in document["delivered"].values()],
        "required": codes,
        "refused": codes,
        "depth": [by[language][0] for by in document["depth"].values()],
    }


def _prefilled(participant: ParticipantRecord, language: str, priced_on: date) -> dict[str, str]:
    return {
        "participant": participant.code,
        "currency": participant.currency,
        "price_basis": words.words()["price_basis"]["ex-vat"][language][0],
        "date": priced_on.isoformat(),
    }


def _fill_demand(book: Any, sheet: Any, prefilled: Mapping[str, str], *, columns: list[str], language: str) -> None:
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    text, plain = book.add_format({"num_format": "@"}), book.add_format({"num_format": "General"})
    for at, name in enumerate(columns):
        sheet.set_column(at, at, WIDTHS.get(name, 16), text if name in TEXT_COLUMNS else plain)
        sheet.write_string(0, at, words.header(name, language), bold)
    for name, value in prefilled.items():
        for row in range(1, ROWS + 1):
            sheet.write_string(row, columns.index(name), harmless(value), text if name in TEXT_COLUMNS else plain)
    sheet.freeze_panes(1, 0)


def _fill_lists(sheet: Any, choices: Mapping[str, list[str]]) -> None:
    for at, (name, values) in enumerate(choices.items()):
        sheet.write_string(0, at, name)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, at, harmless(value))


def _add_choices(sheet: Any, choices: Mapping[str, list[str]], *, columns: list[str], lists: str) -> None:
    """Drop-downs; criteria only warn, since several can stand in one cell."""
    for at, (name, values) in enumerate(choices.items()):
        if values:
            letter, column = xl_col_to_name(at), columns.index(name)
            rule = {
                "validate": "list",
                "source": f"='{lists}'!${letter}$2:${letter}${len(values) + 1}",
                "error_type": "warning" if name in ("required", "refused") else "stop",
            }
            sheet.data_validation(1, column, ROWS, column, rule)


def _fill_instructions(book: Any, sheet: Any, language: str) -> None:
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 110, wrapped)
    for row, line in enumerate(words.words()["instructions"][language]):
        sheet.write_string(row, 0, line, wrapped)
