"""The commands: what they print, write and answer."""

import json
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from pooling.commandline import program
from pooling.database import reading
from pooling.demand import service
from pooling.demand.commands import load, look, requeue, submissions, template
from pooling.demand.results import LoadRefused
from pooling.errors import BadInput, FileRefused, NotFound
from tests.pooling.demand.builders import write_csv

MAPPING = """
name = "region-m"
[columns]
participant = "Region"
category = "Group"
item_name = "Name"
quantity = "Quantity"
unit = "Unit"
unit_price = "Price"
earliest_start = "From"
latest_start = "To"
[constants]
currency = "SEK"
[price]
basis = "ex-vat"
[currency]
day = 2026-10-29
[window]
rule = "columns"
source = "the sender's plan"
[uncertainty]
spread = 0.1
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def run(engine: Engine, command: click.Command, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], obj=engine)


def test_a_load_says_what_became_of_every_row_and_what_to_do(ready: Engine, tmp_path: Path, mapping: Path) -> None:
    rows = [{}, {"Quantity": "=2.5"}, {"Group": "insulin syringe"}]
    path = write_csv(tmp_path / "demand.csv", *rows)
    report = tmp_path / "report.json"
    told = run(ready, load, path, "--mapping", mapping, "--partial", "--report", report)
    assert told.exception is None
    assert "3 rows read: 1 in 1 line, 1 refused, 1 waiting for a mapping, 0 out of scope" in told.stdout
    assert "read as csv, encoding utf-8, delimiter ';', decimal mark '.', thousands mark none shown" in told.stdout
    assert "not a number as this file writes them" in told.stdout
    assert "insulin-syringes (Insulin syringes)" in told.stdout
    written = json.loads(report.read_text("utf-8"))
    assert written["faults"][0]["row"] == 3
    assert written["faults"][0]["what to do"]
    assert written["waiting"][0]["candidates"][0]["id"] == "insulin-syringes"
    assert f"`{program()} requeue {written['submission']} --mapping FILE`" in told.stdout
    again = run(ready, load, path, "--mapping", mapping, "--partial")
    assert "already loaded" in again.stdout
    assert "1 row refused and 1 waiting" in again.stdout


def test_a_refused_load_writes_its_report_all_the_same(ready: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {"Quantity": "=2.5"})
    report = tmp_path / "report.xlsx"
    told = run(ready, load, path, "--mapping", mapping, "--report", report)
    assert isinstance(told.exception, LoadRefused)
    assert "nothing stored" in told.stdout
    with zipfile.ZipFile(report) as book:
        assert "'=2.5" in book.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in "".join(book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name)


def test_a_report_has_a_known_ending_before_anything_is_loaded(ready: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {})
    told = run(ready, load, path, "--mapping", mapping, "--report", tmp_path / "report.pdf")
    assert isinstance(told.exception, BadInput)
    with reading(ready) as session:
        assert service.submissions(session) == []


def test_waiting_rows_are_loaded_by_the_beginning_of_the_submissions_id(
    ready: Engine, tmp_path: Path, mapping: Path
) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Group": "Sprutor"})
    assert run(ready, load, path, "--mapping", mapping).exception is None
    with reading(ready) as session:
        (record,) = service.submissions(session)
    mapping.write_text(MAPPING + '[categories.words]\nSprutor = "insulin-syringes"\n', encoding="utf-8")
    told = run(ready, requeue, str(record.id)[:8], "--mapping", mapping)
    assert "1 row loaded as 1 line, 0 out of scope, 0 still waiting" in told.stdout
    listed = run(ready, submissions)
    assert str(record.id) in listed.stdout
    assert "region-m" in listed.stdout


def test_the_form_of_a_participant_is_written_and_loads_back(ready: Engine, tmp_path: Path) -> None:
    out = tmp_path / "form.xlsx"
    told = run(ready, template, "--participant", "SE-M", "--language", "sv", "--out", out)
    assert told.exception is None
    assert "Region Skåne" in told.stdout
    shown = run(ready, look, out)
    assert "quantity" in shown.stdout
    assert "Antal per år" in shown.stdout
    loaded = run(ready, load, out)
    assert isinstance(loaded.exception, LoadRefused)
    assert "read as xlsx, sheet '" in loaded.stdout
    assert "encoding" not in loaded.stdout
    unknown = run(ready, template, "--participant", "SE-ZZ", "--out", out)
    assert isinstance(unknown.exception, NotFound)


def test_a_look_stores_nothing_and_says_what_a_mapping_must_add(ready: Engine, tmp_path: Path, mapping: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {})
    told = run(ready, look, path)
    assert told.exception is None
    assert "delimiter: ';'" in told.stdout
    assert "columns.currency: missing" in told.stdout
    mapped = run(ready, look, path, "--mapping", mapping)
    assert "decimal mark: '.'" in mapped.stdout
    with reading(ready) as session:
        assert service.submissions(session) == []


def test_a_file_that_is_no_table_is_refused_by_code(ready: Engine, tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_bytes(b"")
    told = run(ready, look, path)
    assert isinstance(told.exception, FileRefused)
    assert told.exception.code == "empty-file"


WORDS = """
base = "headers"
name = "region-m-words"
[categories.words]
Sprutor = "insulin-syringes"
[units.words]
bunt = { pack = 20 }
"""


def test_a_form_with_unknown_words_is_loaded_once_a_list_of_words_knows_them(ready: Engine, tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    headers = "Region;Varugrupp;Antal per år;Enhet;Pris;Valuta;Moms;Avtalsslut;Prisdatum"
    rows = [
        f"SE-M;{category};100;{unit};1,25;SEK;exkl. moms;2027-03-31;2026-10-01"
        for category, unit in (("Insulin syringes", "st"), ("Sprutor", "st"), ("Sprutor", "bunt"))
    ]
    path.write_text("\n".join([headers, *rows]) + "\n", encoding="utf-8")
    words = tmp_path / "words.toml"
    words.write_text(WORDS, encoding="utf-8")
    assert "2 waiting for a mapping" in run(ready, load, path).stdout
    with reading(ready) as session:
        (record,) = service.submissions(session)
    told = run(ready, requeue, str(record.id), "--mapping", words)
    assert told.exception is None
    assert "2 rows loaded as 2 lines, 0 out of scope, 0 still waiting" in told.stdout
    again = run(ready, load, path, "--mapping", words)
    assert "3 in 3 lines" in again.stdout
    assert "replaces submission" in again.stdout
    with reading(ready) as session:
        assert sorted(service.live_lines(session)["quantity"]) == [100, 100, 2000]
    words.write_text(WORDS + "[prize]\nbasis = 'ex-vat'\n", encoding="utf-8")
    refused = run(ready, load, path, "--mapping", words)
    assert "prize: unknown key; did you mean price?" in str(refused.exception)
