"""Our own form: written in three languages, filled in, and understood without a mapping."""

import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine
from xlsxwriter.utility import xl_col_to_name

from connectors.files import headers
from pooling.database import reading, transaction
from pooling.demand import service, words
from pooling.demand.mapping import BadMapping
from pooling.demand.mapping_file import MappingDocument
from pooling.demand.recognise import from_headers, recognised, series_for
from pooling.demand.template import LEFT_OUT, harmless, write_template
from pooling.errors import BadInput
from tests.pooling.demand.builders import REFERENCE, load
from tests.pooling.demand.forms import fill_in

COLUMNS = [name for name in words.words()["columns"] if name not in LEFT_OUT]
LETTER = {name: xl_col_to_name(at) for at, name in enumerate(COLUMNS)}


def form(path: Path, language: str) -> Path:
    write_template(
        path,
        REFERENCE.participants["SE-M"],
        categories=REFERENCE.categories,
        criteria=REFERENCE.criteria,
        language=language,
        priced_on=date(2026, 10, 29),
    )
    return path


def parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode() for name in book.namelist() if name.endswith(".xml")}


@pytest.mark.parametrize("language", words.languages())
def test_a_filled_in_form_loads_without_a_mapping(ready: Engine, tmp_path: Path, language: str) -> None:
    path = form(tmp_path / "form.xlsx", language)
    by_code = words.words()["units"][language]
    filled: dict[str, Any] = {
        "category": "Insulin syringes",
        "item_code": "00123",
        "quantity": 400,
        "unit": by_code["PK"],
        "pack_size": 10,
        "unit_price": 12.5,
        "contract_end": "2027-03-31",
        "extension_months": 12,
        "window_source": "=contract 7",
        "required": "pvc-free",
    }
    with_vat = {
        **filled,
        "unit": by_code["H87"],
        "price_basis": words.words()["price_basis"]["inc-vat"][language][0],
        "vat_rate": 25,
        "delivered": words.words()["delivered"]["yes"][language][0],
        "extension_months": "",
        "depth": words.words()["depth"]["framework"][language][0],
    }
    rows = {2: filled, 5: with_vat}
    fill_in(path, {row: {LETTER[name]: value for name, value in cells.items()} for row, cells in rows.items()})
    made = recognised(headers(path))
    assert series_for(path, made) == "template SE-M"
    with transaction(ready) as session:
        answer = load(session, path, made, series="template SE-M")
        lines = service.live_lines(session).sort("row").to_dicts()
    assert dict(answer.skipped) == {"not filled in": answer.rows_read - 2}
    one, two = lines
    assert (one["row"], one["participant"], one["item_code"], one["quantity"]) == (2, "SE-M", "00123", 4000)
    assert (one["unit_price_micro"], one["currency"], one["required"]) == (1_250_000, "SEK", "pvc-free")
    assert (one["earliest_start"], one["latest_start"]) == ("2027-04", "2028-04")
    assert one["window_source"] == "=contract 7"
    assert one["exchange_rate_date"] == date(2026, 10, 29)
    assert (two["quantity"], two["unit_price_micro"], two["delivered"]) == (400, 10_000_000, True)
    assert (two["earliest_start"], two["latest_start"]) == ("2027-04", "2027-04")
    assert (one["depth"], two["depth"]) == (None, "framework")


@pytest.mark.parametrize("language", words.languages())
def test_the_form_has_drop_downs_and_a_hidden_list(tmp_path: Path, language: str) -> None:
    found = parts(form(tmp_path / "form.xlsx", language))
    book = ET.fromstring(found["xl/workbook.xml"])
    sheets = [(sheet.get("name"), sheet.get("state")) for sheet in book.iter() if sheet.tag.endswith("}sheet")]
    assert [state for _, state in sheets] == [None, None, "hidden"]
    rules = re.findall(r'<dataValidation [^>]*sqref="([A-Z]+)2:', found["xl/worksheets/sheet1.xml"])
    wanted = ("category", "unit", "price_basis", "delivered", "required", "refused", "depth")
    assert sorted(rules) == sorted(LETTER[name] for name in wanted)
    texts = found["xl/sharedStrings.xml"]
    for record in REFERENCE.categories.values():
        assert record.name in texts
    for line in words.words()["instructions"][language]:
        assert line[:30] in texts


def test_every_language_has_every_word() -> None:
    document = words.words()
    for section in ("columns", "price_basis", "delivered", "depth", "sheets"):
        for name, by_language in document[section].items():
            assert set(by_language) == set(words.languages()), name
    for section in ("units", "instructions"):
        assert set(document[section]) == set(words.languages())
    assert len({len(by_code) for by_code in document["units"].values()}) == 1
    assert len({len(lines) for lines in document["instructions"].values()}) == 1


def test_no_header_of_the_form_means_two_columns() -> None:
    for language in words.languages():
        written = [words.header(name, language) for name in COLUMNS]
        assert len({each.casefold() for each in written}) == len(written)


NEEDED = ("Region", "Varugrupp", "ÅRSVOLYM", "Enhet", "À-pris", "Valuta", "Moms", "Avtal  upphör")


def test_synonyms_are_recognised_whatever_their_case() -> None:
    made = from_headers(NEEDED, None)
    assert made.columns["quantity"] == ("ÅRSVOLYM",)
    assert made.columns["contract_end"] == ("Avtal  upphör",)
    assert made.window.rule == "contract-end"
    assert made.currency.day == "received"
    dated = from_headers((*NEEDED[:-1], "Earliest start", "Seneste start", "Prisdato"), None)
    assert dated.window.rule == "columns"
    assert dated.currency.day == "date"


@pytest.mark.parametrize(
    ("left_out", "path"),
    [
        ("Region", "columns.participant"),
        ("ÅRSVOLYM", "columns.quantity"),
        ("Moms", "price.basis"),
        ("Valuta", "columns.currency"),
    ],
)
def test_what_the_headers_do_not_say_is_named(left_out: str, path: str) -> None:
    with pytest.raises(BadMapping, match="--mapping") as refused:
        from_headers([text for text in NEEDED if text != left_out], None)
    assert path in dict(refused.value.faults)


def names(path: Path, *participants: str | None) -> Path:
    """A file with the headers of the form, a row for each sender."""
    rows = [";".join([name or "", *"xxxxxxx"]) for name in participants]
    path.write_text("\n".join([";".join(NEEDED), *rows]) + "\n", encoding="utf-8")
    return path


def test_a_file_of_several_participants_needs_its_series_named(tmp_path: Path) -> None:
    made = from_headers(NEEDED, None)
    late = names(tmp_path / "late.csv", *["SE-M"] * 30, "SE-AB")
    with pytest.raises(BadInput, match="SE-AB, SE-M: say with --series"):
        series_for(late, made)
    assert series_for(names(tmp_path / "one.csv", None, "SE-M", None), made) == "template SE-M"


def test_a_file_that_names_nobody_has_no_series_but_the_constants(tmp_path: Path) -> None:
    path = names(tmp_path / "blank.csv", None, None)
    assert series_for(path, from_headers(NEEDED, None)) is None
    given = MappingDocument({"base": "headers", "name": "x", "constants": {"participant": "SE-H"}}, tmp_path, b"")
    assert series_for(path, from_headers(NEEDED, None, given)) == "template SE-H"


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="en, da, sv"):
        form(tmp_path / "form.xlsx", "kl")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_text_that_could_run_is_made_harmless(text: str) -> None:
    assert harmless(text) == "'" + text
    assert harmless("text = 1") == "text = 1"


def test_the_form_itself_is_not_demand(ready: Engine, tmp_path: Path) -> None:
    path = form(tmp_path / "form.xlsx", "en")
    with pytest.raises(BadInput, match="none became a line"), transaction(ready) as session:
        load(session, path, recognised(headers(path)), series="s")
    with reading(ready) as session:
        assert service.submissions(session) == []
