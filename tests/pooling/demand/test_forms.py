"""Forms and files with known headers, from the command line: what they leave out, and what is added beside them."""

from pathlib import Path

import click
import pytest
import xlsxwriter
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from pooling.database import reading
from pooling.demand import service
from pooling.demand.commands import load, look, template
from pooling.demand.results import LoadRefused
from pooling.errors import BadInput, FileRefused, NotFound

HEADERS = "Region;Varugrupp;Antal per år;Enhet;Pris;Valuta;Moms;Avtalsslut;Prisdatum"
ROW = {
    "Region": "SE-M",
    "Varugrupp": "Insulin syringes",
    "Antal per år": "100",
    "Enhet": "st",
    "Pris": "1,25",
    "Valuta": "SEK",
    "Moms": "exkl. moms",
    "Avtalsslut": "2027-03-31",
    "Prisdatum": "2026-10-01",
}


def run(engine: Engine, command: click.Command, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], obj=engine)


def form(path: Path, *rows: dict[str, str], headers: str = HEADERS) -> Path:
    names = headers.split(";")
    lines = [headers, *(";".join({**ROW, **row}.get(name, "") for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def beside(path: Path, text: str) -> Path:
    path.write_text(f'base = "headers"\nname = "added"\n{text}', encoding="utf-8")
    return path


def quantities(engine: Engine) -> list[int]:
    with reading(engine) as session:
        return sorted(service.live_lines(session)["quantity"].to_list())


def test_a_header_without_rows_is_an_empty_file(ready: Engine, tmp_path: Path) -> None:
    told = run(ready, load, form(tmp_path / "d.csv"))
    assert isinstance(told.exception, FileRefused)
    assert told.exception.code == "empty-file"


def test_a_blank_participant_column_is_a_fault_of_each_row(ready: Engine, tmp_path: Path) -> None:
    told = run(ready, load, form(tmp_path / "d.csv", {"Region": ""}, {"Region": "", "Pris": "2"}))
    assert isinstance(told.exception, LoadRefused)
    faults = [(fault.row, fault.column, fault.code) for fault in told.exception.loaded.faults]
    assert faults == [(2, "Region", "missing"), (3, "Region", "missing")]
    kept = run(ready, load, tmp_path / "d.csv", "--partial")
    assert "of 2 rows none became a line" in str(kept.exception)
    added = beside(tmp_path / "added.toml", '[constants]\nparticipant = "SE-M"\n')
    assert "2 in 2 lines" in run(ready, load, tmp_path / "d.csv", "--mapping", added).stdout


def test_several_senders_are_seen_wherever_they_stand(ready: Engine, tmp_path: Path) -> None:
    rows = [{"Pris": str(number)} for number in range(1, 40)]
    told = run(ready, load, form(tmp_path / "d.csv", *rows, {"Region": "SE-AB"}))
    assert isinstance(told.exception, BadInput)
    assert "rows are from SE-AB, SE-M: say with --series" in str(told.exception)


def test_an_ambiguous_decimal_mark_is_stated_beside_the_form(ready: Engine, tmp_path: Path) -> None:
    path = form(tmp_path / "d.csv", {"Pris": "1.234", "Antal per år": "2"})
    told = run(ready, load, path)
    assert isinstance(told.exception, FileRefused)
    assert told.exception.code == "ambiguous-decimal"
    assert "state decimal" in str(told.exception)
    run(ready, load, path, "--mapping", beside(tmp_path / "comma.toml", '[file]\ndecimal = ","\n'))
    with reading(ready) as session:
        assert service.live_lines(session)["unit_price_micro"].to_list() == [1_234_000_000]
    run(ready, load, path, "--mapping", beside(tmp_path / "point.toml", '[file]\ndecimal = "."\n'))
    with reading(ready) as session:
        assert service.live_lines(session)["unit_price_micro"].to_list() == [1_234_000]


def test_how_the_file_is_written_holds_for_its_headers_too(ready: Engine, tmp_path: Path) -> None:
    path = tmp_path / "d.xlsx"
    with xlsxwriter.Workbook(path) as book:
        notes, data = book.add_worksheet("notes"), book.add_worksheet("Data")
        notes.write_row(0, 0, ["a note", "of no demand"])
        for number, cells in enumerate([["A title", "over", *"abcdefg"], list(ROW), list(ROW.values())]):
            data.write_row(number, 0, cells)
    assert "columns.participant: missing" in str(run(ready, load, path).exception)
    added = beside(tmp_path / "added.toml", '[file]\nsheet = "data"\nheader_row = 2\ndecimal = ","\n')
    assert "read as" in run(ready, look, path, "--mapping", added).stdout
    assert "1 in 1 line," in run(ready, load, path, "--mapping", added).stdout
    wrong = beside(tmp_path / "wrong.toml", '[file]\nsheet = "dta"\n')
    assert "no sheet 'dta' in the workbook; its sheets are 'notes', 'Data'" in str(
        run(ready, load, path, "--mapping", wrong).exception
    )


def test_a_column_or_constant_beside_the_headers_is_enough(ready: Engine, tmp_path: Path) -> None:
    headers = HEADERS.replace("Antal per år", "Behov").replace(";Valuta", "")
    path = form(tmp_path / "d.csv", {"Behov": "40"}, headers=headers)
    refused = str(run(ready, load, path).exception)
    assert "columns.quantity: missing" in refused
    assert "columns.currency: missing; say which header it is, or give it under constants. Headers known" in refused
    text = '[columns]\nquantity = "Behov"\n[constants]\ncurrency = "SEK"\n'
    assert run(ready, load, path, "--mapping", beside(tmp_path / "a.toml", text)).exception is None
    assert quantities(ready) == [40]


def test_returns_in_a_form_are_skipped_by_a_rule_beside_it(ready: Engine, tmp_path: Path) -> None:
    path = form(tmp_path / "d.csv", {}, {"Antal per år": "-5"})
    assert "[[skip]]" in run(ready, load, path).stdout.replace("\n", " ")
    added = beside(tmp_path / "a.toml", '[[skip]]\ncolumn = "quantity"\nmatches = "^-"\nreason = "returns"\n')
    assert "out of scope: returns 1" in run(ready, load, path, "--mapping", added).stdout
    assert quantities(ready) == [100]


def test_faults_of_what_is_added_are_told_with_what_the_headers_lack(ready: Engine, tmp_path: Path) -> None:
    path = form(tmp_path / "d.csv", {}, headers=HEADERS.replace(";Moms", ""))
    text = '[participants.words]\n"Skåne" = "SE-MM"\n[window]\nrule = "never"\n[dates]\ncentury = 1\n'
    refused = str(run(ready, load, path, "--mapping", beside(tmp_path / "a.toml", text)).exception)
    for said in (
        "price.basis: missing",
        "participants.words.Skåne: 'SE-MM' is not known; did you mean SE-M?",
        "window.rule: 'never'; give one of",
        "dates.century: 1 is not",
    ):
        assert said in refused


@pytest.mark.parametrize("text", ['base = "header"\nname = "x"\n', "base = 1\nname = 'x'\n"])
def test_there_is_one_base(ready: Engine, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    told = run(ready, load, form(tmp_path / "d.csv", {}), "--mapping", tmp_path / "a.toml")
    assert "base: " in str(told.exception)
    assert "give" in str(told.exception)


def test_a_rate_that_is_missing_is_the_price_dates_fault(ready: Engine, tmp_path: Path) -> None:
    told = run(ready, load, form(tmp_path / "d.csv", {"Prisdatum": "2027-09-01"}, {"Valuta": "kr"}))
    assert isinstance(told.exception, LoadRefused)
    late, word = told.exception.loaded.faults
    assert (late.row, late.column, late.value, late.code) == (2, "Prisdatum", "2027-09-01", "no-exchange-rate")
    assert "SEK has rates up to 2026-10-30" in late.what
    assert late.remedy.startswith("state a price date that has one")
    assert (word.row, word.column, word.value, word.code) == (3, "Valuta", "kr", "unknown-currency")
    assert "on 2026-10-01 it has rates of AUD" in word.what
    assert "HRK" not in word.what
    assert "install" not in str(late) + str(word)


def test_a_source_of_the_window_that_nobody_states_is_not_made_up(ready: Engine, tmp_path: Path) -> None:
    headers = f"{HEADERS};Källa"
    run(ready, load, form(tmp_path / "d.csv", {}, {"Källa": "avtal 7", "Pris": "2"}, headers=headers))
    with reading(ready) as session:
        lines = service.live_lines(session).sort("row")
    assert lines["window_source"].to_list() == ["not stated by the sender", "avtal 7"]


def test_a_template_for_a_misspelt_participant_names_the_right_one(ready: Engine, tmp_path: Path) -> None:
    told = run(ready, template, "--participant", "se-m", "--out", tmp_path / "t.xlsx")
    assert isinstance(told.exception, NotFound)
    assert str(told.exception) == "participant 'se-m' is not known; did you mean SE-M?"
    told = run(ready, template, "--participant", "Mordor", "--out", tmp_path / "t.xlsx")
    assert "known are DK-81" in str(told.exception)


def test_an_unknown_participant_is_told_the_closest_codes(ready: Engine, tmp_path: Path) -> None:
    told = run(ready, load, form(tmp_path / "d.csv", {"Region": "SE-MM"}))
    assert isinstance(told.exception, LoadRefused)
    assert "closest are SE-M Region Skåne" in told.exception.loaded.faults[0].what
    far = run(ready, load, form(tmp_path / "e.csv", {"Region": "Mordor"}))
    assert isinstance(far.exception, LoadRefused)
    assert far.exception.loaded.faults[0].what == "no participant by this name"
