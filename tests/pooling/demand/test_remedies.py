"""What a fault of a row tells people to do can be done, with a mapping of their own and with a filled-in form alike.

Each code has the row that shows it and every way its remedy names: a cell corrected, or keys added to the mapping.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pooling.demand import words
from pooling.demand.faults import CODES
from pooling.demand.figures import Marks
from pooling.demand.intake import Intake, header_names
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.mapping_file import MappingDocument, mapping_from_document
from pooling.demand.recognise import from_headers, laid_over
from tests.pooling.demand.builders import NOW, REFERENCE, category, criterion, participant

Cells = Mapping[str, str | None]

GOOD: Cells = {
    "participant": "SE-M",
    "category": "Insulin syringes",
    "item_code": "A1",
    "item_name": "syringe",
    "quantity": "1000",
    "quantity_low": "900",
    "quantity_high": "1100",
    "unit": "piece",
    "pack_size": None,
    "unit_price": "1.25",
    "price_per": None,
    "currency": "SEK",
    "date": "2026-10-01",
    "price_basis": "ex VAT",
    "vat_rate": None,
    "delivered": "yes",
    "contract_end": "2027-03-31",
    "extension_months": "12",
    "required": None,
    "refused": None,
    "depth": None,
}
FULL: dict[str, Any] = {
    "name": "full",
    "price": {
        "words": {"ex VAT": "ex-vat", "incl. VAT": "inc-vat"},
        "delivered_words": {"yes": True, "no": False},
    },
    "currency": {"day": "date"},
    "window": {"rule": "contract-end", "source": "the sender's plan"},
    "uncertainty": {"spread": "0.1"},
}
ROW = 2
TWINS = replace(
    REFERENCE,
    participants={
        **REFERENCE.participants,
        "SE-X": participant("SE-X", name="Twin"),
        "SE-Y": participant("SE-Y", name="TWIN."),
    },
    categories={
        **REFERENCE.categories,
        "twin-x": category("twin-x", "Twin"),
        "twin-y": category("twin-y", "twin"),
    },
    criteria={
        **REFERENCE.criteria,
        "twin-x": replace(criterion("twin-x"), name="Twin"),
        "twin-y": replace(criterion("twin-y"), name=" twin"),
    },
)
"""Reference data with names that several go by."""


@dataclass(frozen=True)
class Case:
    """A faulty row: ``wrong`` cells in place of the good ones. ``cells``: corrections, each of which makes it load.

    ``mapping``: sections, each of which alone makes it load, or skips it under ``skip``.
    """

    wrong: Cells
    cells: tuple[Cells, ...]
    mapping: Mapping[str, Any] = field(default_factory=dict)


def skip(column: str, **test: object) -> list[dict[str, object]]:
    return [{"column": column, "reason": "no demand", **test}]


STATED_DAY = {"day": "2026-10-29"}
NAMED_DAY = {"formats": ["d Mon Y"]}
TABLE = {
    "missing": Case({"currency": None}, ({"currency": "SEK"},), {"constants": {"currency": "SEK"}}),
    "missing-figure": Case({"unit_price": None}, ({"unit_price": "1.25"},), {"skip": skip("unit_price", blank=True)}),
    "not-a-number": Case({"quantity": "about 50"}, ({"quantity": "1000"},)),
    "exponent": Case({"quantity": "1e3"}, ({"quantity": "1000"},)),
    "not-finite": Case({"unit_price": "#DIV/0!"}, ({"unit_price": "1.25"},)),
    "negative": Case({"quantity": "-5"}, ({"quantity": "1000"},), {"skip": skip("quantity", matches="^-")}),
    "not-positive": Case({"unit_price": "0"}, ({"unit_price": "0.01"},)),
    "too-large": Case({"quantity": "9007199254740993"}, ({"quantity": "1000"},)),
    "too-many-decimals": Case({"quantity": "1000.0000001"}, ({"quantity": "1000"},)),
    "not-whole": Case({"quantity": "1000.5"}, ({"quantity": "1001"}, {"unit": "pack", "pack_size": "2"})),
    "not-a-pack-size": Case({"unit": "pack", "pack_size": "0"}, ({"pack_size": "10"},)),
    "not-a-date": Case({"date": "1 Oct 2026"}, ({"date": "2026-10-01"},), {"dates": NAMED_DAY}),
    "two-digit-year": Case(
        {"date": "1.10.26"}, ({"date": "2026-10-01"},), {"dates": {"formats": ["d.m.yy"], "century": 2000}}
    ),
    "not-a-month": Case(
        {"contract_end": "31 Mar 2027"},
        ({"contract_end": "2027-03"}, {"contract_end": "2027-03-31"}),
        {"dates": NAMED_DAY},
    ),
    "not-months": Case({"extension_months": "a year"}, ({"extension_months": "12"},)),
    "window-reversed": Case(
        {"earliest_start": "2028-01", "latest_start": "2027-01"},
        ({"earliest_start": "2026-12"}, {"latest_start": "2028-06"}),
    ),
    "missing-price-basis": Case({"price_basis": None}, ({"price_basis": "ex VAT"},), {"price": {"basis": "ex-vat"}}),
    "unknown-price-basis": Case(
        {"price_basis": "netto"}, ({"price_basis": "ex VAT"},), {"price": {"words": {"netto": "ex-vat"}}}
    ),
    "missing-vat-rate": Case({"price_basis": "incl. VAT"}, ({"vat_rate": "25"},), {"price": {"vat_rate": "25"}}),
    "not-a-vat-rate": Case(
        {"price_basis": "incl. VAT", "vat_rate": "0.25"}, ({"vat_rate": "25"}, {"vat_rate": "25,5"})
    ),
    "unknown-price-per": Case({"price_per": "dozen"}, ({"price_per": "12"},), {"price": {"per_words": {"dozen": 12}}}),
    "unknown-delivered": Case(
        {"delivered": "perhaps"}, ({"delivered": None},), {"price": {"delivered_words": {"perhaps": False}}}
    ),
    "unknown-depth": Case(
        {"depth": "a little"},
        ({"depth": None}, {"depth": "framework"}),
        {"depth": {"words": {"a little": "dialogue"}}},
    ),
    "unknown-participant": Case(
        {"participant": "Scania"}, ({"participant": "SE-M"},), {"participants": {"words": {"Scania": "SE-M"}}}
    ),
    "ambiguous-participant": Case(
        {"participant": "Twin"}, ({"participant": "SE-X"},), {"participants": {"words": {"Twin": "SE-X"}}}
    ),
    "ambiguous-category": Case(
        {"category": "Twin"},
        ({"category": "twin-x"},),
        {"categories": {"words": {"Twin": "twin-y"}, "keys": "category"}},
    ),
    "ambiguous-criterion": Case(
        {"required": "Twin"}, ({"required": "twin-y"},), {"criteria": {"words": {"Twin": "twin-x"}}}
    ),
    "not-yours": Case({"participant": "SE-H"}, ({"participant": "SE-M"},)),
    "no-participant-then": Case({"participant": "XX"}, ({"participant": "SE-M"}, {"contract_end": "2026-06-30"})),
    "unknown-currency": Case({"currency": "kr"}, ({"currency": "SEK"},), {"currency": {"words": {"kr": "SEK"}}}),
    "no-exchange-rate": Case(
        {"date": "2027-10-01"}, ({"date": "2026-10-01"}, {"currency": "EUR"}), {"currency": STATED_DAY}
    ),
    "low-above-quantity": Case({"quantity_low": "1001"}, ({"quantity_low": "999"}, {"quantity": "1050"})),
    "high-below-quantity": Case({"quantity_high": "999"}, ({"quantity_high": "1001"}, {"quantity": "950"})),
    "unknown-criterion": Case(
        {"required": "Svanen"}, ({"required": "pvc-free"},), {"criteria": {"words": {"Svanen": "pvc-free"}}}
    ),
    "criteria-overlap": Case({"required": "advanced", "refused": "basic"}, ({"required": None}, {"refused": None})),
    "too-long": Case({"item_code": "x" * 81}, ({"item_code": "x" * 80},)),
    "control-character": Case({"item_name": "a\0b"}, ({"item_name": "ab"},)),
}


def full(columns: list[str], given: Mapping[str, Any]) -> FileMapping:
    """A mapping of its own, whose headers are the canonical names."""
    window = {"rule": "columns"} if "earliest_start" in columns else {}
    own = laid_over(FULL, {"columns": {name: name for name in columns}, "window": window})
    return mapping_from_document(laid_over(own, given), Path())


def form(columns: list[str], given: Mapping[str, Any]) -> FileMapping:
    """The mapping that the headers of our form make; a column the form has not is named in what is given."""
    headers = [words.header(name, "en") if name in words.headers() else name for name in columns]
    own = {name: name for name in columns if name not in words.headers()}
    document = {"base": "headers", "name": "added", "columns": own, **given}
    return from_headers(headers, None, MappingDocument(document, Path(), b""))


BUILDERS = pytest.mark.parametrize("build", [full, form])


def outcome(build: Any, cells: Cells, given: Mapping[str, Any]) -> tuple[list[str], int, int]:
    """Codes of the faults, lines made and rows skipped of a file of this one row."""
    columns = list(cells)
    if "earliest_start" in columns:
        columns = [name for name in columns if name not in ("contract_end", "extension_months")]
    chosen = build(columns, given)
    batch = pl.DataFrame(
        {"row": [ROW], **{name: [cells[name]] for name in columns if name in chosen.columns}},
        schema_overrides={"row": pl.UInt32, **dict.fromkeys(columns, pl.String)},
    )
    steps = Intake(
        chosen,
        TWINS,
        marks=Marks(".", None),
        headers=header_names(chosen, [headers[0] for headers in chosen.columns.values()]),
        received_on=NOW.date(),
        may_send_for=frozenset(TWINS.participants) - {"SE-H"},
    )
    (portion,) = steps.portions([batch])
    assert not portion.waiting.height
    return portion.faults["code"].to_list(), portion.lines.height, portion.skipped.total()


def test_every_code_has_a_row_here_and_none_is_made_up() -> None:
    assert sorted(TABLE) == sorted(CODES)


@BUILDERS
def test_the_good_row_loads(build: Any) -> None:
    assert outcome(build, GOOD, {}) == ([], 1, 0)


@BUILDERS
@pytest.mark.parametrize("code", TABLE)
def test_the_faulty_row_is_refused_with_its_code_alone(build: Any, code: str) -> None:
    assert outcome(build, {**GOOD, **TABLE[code].wrong}, {}) == ([code], 0, 0)


@BUILDERS
@pytest.mark.parametrize("code", TABLE)
def test_a_corrected_cell_makes_the_row_load(build: Any, code: str) -> None:
    case = TABLE[code]
    assert case.cells
    for cells in case.cells:
        assert outcome(build, {**GOOD, **case.wrong, **cells}, {}) == ([], 1, 0), cells


@BUILDERS
@pytest.mark.parametrize("code", [code for code, case in TABLE.items() if case.mapping])
def test_what_is_added_to_the_mapping_makes_the_row_load(build: Any, code: str) -> None:
    case = TABLE[code]
    for name, section in case.mapping.items():
        expected = ([], 0, 1) if name == "skip" else ([], 1, 0)
        assert outcome(build, {**GOOD, **case.wrong}, {name: section}) == expected


def promised(remedy: str) -> dict[str, set[str]]:
    """The sections of a mapping that a remedy names, with the keys named of each."""
    found = re.findall(r"\(\[+([a-z]+)\]+((?: [a-z_]+,?)*)\)", remedy)
    return {section: set(keys.replace(",", "").split()) for section, keys in found}


@pytest.mark.parametrize("code", CODES)
def test_the_remedy_names_what_is_followed_here_and_nothing_else(code: str) -> None:
    remedy = CODES[code][1]
    followed = TABLE[code].mapping
    said = promised(remedy)
    assert set(said) == set(followed)
    assert ("mapping" in remedy) == bool(followed)
    for section, keys in said.items():
        assert keys <= set(followed[section]) if isinstance(followed[section], dict) else not keys


def test_sections_are_found_in_a_remedy() -> None:
    text = "do this ([dates] formats, century), or skip it ([[skip]]), or else ([constants])"
    assert promised(text) == {"dates": {"formats", "century"}, "skip": set(), "constants": set()}


WINDOW: Cells = {"earliest_start": "2027-04", "latest_start": "2028-03"}


@BUILDERS
@pytest.mark.parametrize(
    ("cells", "blank", "value"),
    [
        (GOOD, "participant", "SE-M"),
        ({**GOOD, "item_code": None, "item_name": None}, "category", "insulin-syringes"),
        (GOOD, "unit", "piece"),
        (GOOD, "date", "2026-10-01"),
        (GOOD, "contract_end", "2027-03-31"),
        ({**GOOD, **WINDOW}, "earliest_start", "2027-04"),
        ({**GOOD, **WINDOW}, "latest_start", "2028-03"),
    ],
)
def test_a_constant_stands_for_blank_cells_of_any_column_but_figures(
    build: Any, cells: Cells, blank: str, value: str
) -> None:
    row = {**cells, blank: None}
    assert outcome(build, row, {}) == (["missing"], 0, 0)
    assert outcome(build, row, {"constants": {blank: value}}) == ([], 1, 0)


@BUILDERS
def test_no_constant_stands_for_a_figure(build: Any) -> None:
    with pytest.raises(BadMapping, match="a figure of every line cannot be one constant"):
        outcome(build, {**GOOD, "unit_price": None}, {"constants": {"unit_price": "1"}})
