"""The commands on reference data, as a user gives them."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from pooling.database import reading
from pooling.errors import BadInput
from pooling.reference import service
from pooling.reference.commands import KINDS, reference


def run(engine: Engine, *words: str) -> Result:
    return CliRunner().invoke(reference, words, obj=engine, catch_exceptions=False)


def test_install_says_what_it_did(engine: Engine) -> None:
    assert run(engine, "install").output == "258 added, 0 updated, 0 unchanged, 0 kept as an administrator set them\n"
    assert run(engine, "install").output == "0 added, 0 updated, 258 unchanged, 0 kept as an administrator set them\n"


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("participants", ["58 participants", "FI-18-HUS", "Sjúkrahúsverkið", "NO-SYKEHUSINNKJOP", "2027-01-01"]),
        ("categories", ["120 categories", "dialysis-concentrates", "33181520", "MLT"]),
        ("criteria", ["25 criteria", "uhm-spearhead", "uhm-advanced", "social-objective"]),
        ("signing-bodies", ["55 signing-bodies", "Kærunefnd útboðsmála", "not verified"]),
    ],
)
def test_show_lists_a_fresh_database(engine: Engine, kind: str, seen: list[str]) -> None:
    output = run(engine, "show", kind).output
    assert [word for word in seen if word not in output] == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_shown_as_csv_can_be_added_again(engine: Engine, tmp_path: Path, kind: str) -> None:
    shown = run(engine, "show", kind, "--csv").output
    path = tmp_path / "again.csv"
    path.write_text(shown, encoding="utf-8")
    rows = list(csv.DictReader(StringIO(shown)))
    with reading(engine) as session:
        before = KINDS[kind].read(session)
        implied = service.implications(session)
    assert len(rows) == len(before)
    output = run(engine, "add", kind, str(path)).output
    assert output == f"0 added, {len(rows)} updated, 0 unchanged, 0 kept as an administrator set them\n"
    with reading(engine) as session:
        assert KINDS[kind].read(session) == before
        assert service.implications(session) == implied


def test_adding_is_all_or_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "code,name,country,currency,contracting_authority,source\nA,a,SE,SEK,true,s\nB,b,SE,kr,true,s\n", "utf-8"
    )
    with pytest.raises(BadInput, match=r"mine\.csv: 1 to correct, nothing was stored\n  row 3, column currency"):
        run(engine, "add", "participants", str(path))
    with reading(engine) as session:
        assert "A" not in service.participants(session)


def test_an_organisation_is_named(engine: Engine) -> None:
    assert run(engine, "set-organisation", "NO-HV", "0192:923 609 016").output == "NO-HV is 0192:923609016\n"
    with pytest.raises(BadInput, match="check digit"):
        run(engine, "set-organisation", "NO-HV", "0192:923609017")
    with reading(engine) as session:
        assert service.participants(session)["NO-HV"].organisation_id == "0192:923609016"


def test_a_kind_that_is_unknown_and_a_file_that_is_absent_are_wrong_use(engine: Engine) -> None:
    assert "is not one of" in run(engine, "show", "prices").output
    assert "does not exist" in run(engine, "add", "participants", "none.csv").output
