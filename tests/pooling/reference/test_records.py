"""From rows to records: faults that only show between rows, and the order in which rows can be stored."""

from pathlib import Path

import pytest

from pooling.errors import BadInput
from pooling.reference import columns, service
from pooling.reference.records import own_bodies, participant_records
from pooling.reference.rules import ParticipantRecord, SigningBodyRecord
from pooling.reference.tabular import read_rows
from tests.pooling.reference.records import participants

HEADER = "code,name,country,currency,contracting_authority,source"


@pytest.fixture(scope="module")
def bodies() -> frozenset[str]:
    rows = read_rows(service.DATA / "signing_bodies.csv", columns.SIGNING_BODIES, "code")
    return frozenset(SigningBodyRecord(**row.values).code for row in rows)


def read(
    path: Path, *, bodies: frozenset[str], known: dict[str, ParticipantRecord] | None = None
) -> list[ParticipantRecord]:
    return participant_records(path, read_rows(path, columns.PARTICIPANTS, "code"), known=known or {}, bodies=bodies)


@pytest.fixture(scope="module")
def packaged(bodies: frozenset[str]) -> dict[str, ParticipantRecord]:
    return {record.code: record for record in read(service.DATA / "participants.csv", bodies=bodies)}


def written(folder: Path, *lines: str) -> Path:
    path = folder / "given.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        ("valid_to,successor", ["A,a,SE,SEK,true,s,2027-01-01,NONE"], "row 2, column successor, value 'NONE'"),
        ("successor", ["A,a,SE,SEK,true,s,SE-M"], "successor 'SE-M' without valid_to"),
        (
            "valid_to,successor",
            ["A,a,SE,SEK,true,s,2026-01-01,DK-OST"],
            "row 2, column successor, value 'DK-OST': participant 'A' ended before 2026-01-01",
        ),
        (
            "valid_to,successor",
            ["A,a,SE,SEK,true,s,2027-01-01,B", "B,b,SE,SEK,true,s,2027-01-01,A"],
            "run in a circle",
        ),
        (
            "population_overlaps,population_within",
            ["A,a,SE,SEK,true,s,true,B", "B,b,SE,SEK,true,s,true,A"],
            "contain each other in a circle",
        ),
        ("population_within", ["A,a,SE,SEK,true,s,NONE"], "row 2, column population_within, value 'NONE'"),
        ("may_lead", ["A,a,SE,SEK,false,s,true"], "row 2, column may_lead, value 'true': .*may_lead"),
        (
            "organisation_id",
            ["A,a,SE,SEK,true,s,0192:923609016", "B,b,SE,SEK,true,s,0192:923 609 016"],
            "row 2, column organisation_id, value '0192:923609016': is B's organisation id",
        ),
        (
            "valid_from",
            ["DK-OST,Øst,DK,DKK,true,s,2028-01-01"],
            "row 2, column successor, value 'DK-OST'.*close the gap",
        ),
    ],
)
def test_faults_between_rows_are_refused(
    packaged: dict[str, ParticipantRecord],
    bodies: frozenset[str],
    tmp_path: Path,
    columns: str,
    rows: list[str],
    said: str,
) -> None:
    with pytest.raises(BadInput, match=said):
        read(written(tmp_path, f"{HEADER},{columns}", *rows), bodies=bodies, known=packaged)


def test_all_faults_of_all_rows_are_reported(bodies: frozenset[str], tmp_path: Path) -> None:
    rows = ["A,a,SE,SEK,true,s,NONE,2027-01-01,GONE", "B,b,SE,SEK,true,s,NONE,,"]
    with pytest.raises(BadInput, match=r"3 to correct(.|\n)*row 2(.|\n)*row 2(.|\n)*row 3"):
        read(written(tmp_path, f"{HEADER},signing_body,valid_to,successor", *rows), bodies=bodies)


def test_rows_come_in_an_order_in_which_they_can_be_stored(packaged: dict[str, ParticipantRecord]) -> None:
    before: set[str] = set()
    for record in packaged.values():
        assert {record.successor, record.population_within} - {None} <= before
        before.add(record.code)
    assert len(before) == 58


def test_a_stored_organisation_id_is_kept_where_the_file_gives_none(bodies: frozenset[str], tmp_path: Path) -> None:
    known = participants(A={"organisation_id": "0192:923609016"})
    (kept,) = read(written(tmp_path, HEADER, "A,a,SE,SEK,true,s"), bodies=bodies, known=known)
    assert kept.organisation_id == "0192:923609016"
    path = written(tmp_path, f"{HEADER},organisation_id", "A,a,SE,SEK,true,s,0007:2321000255")
    (changed,) = read(path, bodies=bodies, known=known)
    assert changed.organisation_id == "0007:2321000255"


def test_only_who_signs_for_itself_and_is_new_gets_a_body_of_its_own() -> None:
    records = participants(A={"signing_body": "A"}, B={"signing_body": "A"}, C={"signing_body": "C"}).values()
    assert [body.code for body in own_bodies(records, frozenset({"C"}))] == ["A"]
