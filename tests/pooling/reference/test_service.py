"""Installing, adding and reading reference data on both databases."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from pooling.database import reading, transaction
from pooling.errors import BadInput, NotFound
from pooling.reference import service
from pooling.reference.rules import closure, rehome
from pooling.reference.service import Changes

HEADER = "code,name,country,currency,contracting_authority,source"


def written(folder: Path, *lines: str, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def edited(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packaged data that a test may change, as a later version would."""
    folder = tmp_path / "data"
    shutil.copytree(service.DATA, folder)
    monkeypatch.setattr(service, "DATA", folder)
    return folder


def installed(engine: Engine) -> Changes:
    with transaction(engine) as session:
        return service.install(session)


def test_installing_twice_changes_nothing_the_second_time(engine: Engine) -> None:
    first = installed(engine)
    assert (first.updated, first.unchanged, first.kept) == (0, 0, 0)
    assert installed(engine) == Changes(unchanged=first.added)
    with reading(engine) as session:
        assert len(service.participants(session)) == 58
        assert len(service.categories(session)) == 120
        assert "spearhead" in str(service.criteria(session)["uhm-spearhead"])
        assert closure({"uhm-spearhead"}, service.implications(session)) >= {"uhm-advanced", "uhm-basic"}


def test_installing_at_the_same_time_installs_once(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        changes = sorted(pool.map(lambda _: installed(engine).added, range(4)))
    assert changes[:3] == [0, 0, 0]
    assert changes[3] == 258


def test_a_changed_packaged_row_is_updated(engine: Engine, data: Path) -> None:
    total = installed(engine).added
    edited(data, "participants.csv", ",DK-OST,1911067,2024,", ",DK-OST,1920000,2025,")
    edited(data, "implications.csv", "uhm-spearhead,uhm-advanced", "uhm-spearhead,uhm-basic")
    assert installed(engine) == Changes(updated=1, unchanged=total - 1)
    with reading(engine) as session:
        changed = service.participants(session)["DK-84"]
        assert (changed.population, changed.population_year) == (1_920_000, 2025)
        assert service.implications(session)["uhm-spearhead"] == {"uhm-basic"}


def test_what_an_administrator_set_is_kept(engine: Engine, tmp_path: Path, data: Path) -> None:
    total = installed(engine).added
    given = written(tmp_path, f"{HEADER},max_leads,population", "SE-M,Region Skåne,SE,SEK,true,the region,2,1430000")
    with transaction(engine) as session:
        assert service.add_participants(session, given) == Changes(updated=1)
        assert service.set_organisation(session, "SE-M", "0007:2321000255") == "0007:2321000255"
        assert service.set_organisation(session, "SE-AB", "0007:232100-0016") == "0007:2321000016"
    edited(data, "participants.csv", "Region Skåne", "Skåne")
    edited(data, "participants.csv", "Region Stockholm", "Stockholm")
    edited(data, "signing_bodies.csv", "Region Stockholm", "Stockholm")
    assert installed(engine) == Changes(updated=2, unchanged=total - 3, kept=1)
    with reading(engine) as session:
        known = service.participants(session)
    assert (known["SE-M"].name, known["SE-M"].max_leads, known["SE-M"].population) == ("Region Skåne", 2, 1_430_000)
    assert known["SE-M"].organisation_id == "0007:2321000255"
    assert (known["SE-AB"].name, known["SE-AB"].organisation_id) == ("Stockholm", "0007:2321000016")


def test_a_file_takes_no_word_of_another_row(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    people = written(
        tmp_path, HEADER, "ZZ-1,Region SKÅNE,SE,SEK,true,s", "Se-ab,b,SE,SEK,true,s", "ZZ-2,zz-3,SE,SEK,true,s"
    )
    with transaction(engine) as session, pytest.raises(BadInput) as refused:
        service.add_participants(session, people)
    said = str(refused.value)
    assert "row 2, column name, value 'Region SKÅNE': means SE-M already" in said
    assert "row 3, column code, value 'Se-ab': means SE-AB already" in said
    assert "row 4" not in said


def test_what_is_packaged_and_kept_takes_no_word(engine: Engine, tmp_path: Path) -> None:
    total = installed(engine).added
    first = written(tmp_path, HEADER, "SE-M,Skåne of old,SE,SEK,true,s")
    with transaction(engine) as session:
        service.add_participants(session, first)
    second = written(tmp_path, HEADER, "ZZ-1,Region Skåne,SE,SEK,true,s")
    with transaction(engine) as session:
        service.add_participants(session, second)
    assert installed(engine) == Changes(unchanged=total - 1, kept=1)
    with reading(engine) as session:
        known = service.participants(session)
    assert (known["SE-M"].name, known["ZZ-1"].name) == ("Skåne of old", "Region Skåne")


def test_added_participants_sign_for_themselves_unless_said_otherwise(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    given = written(
        tmp_path,
        f"{HEADER},may_lead,signing_body,valid_to,successor",
        "OLD,Old,SE,SEK,yes,s,,SE-M,2028-01-01,NEW",
        "NEW,New,SE,SEK,no,s,,,,",
    )
    with transaction(engine) as session:
        assert service.add_participants(session, given) == Changes(added=2)
    with reading(engine) as session:
        known, bodies = service.participants(session), service.signing_bodies(session)
    assert (known["OLD"].signing_body, known["OLD"].successor, known["OLD"].may_lead) == ("SE-M", "NEW", True)
    assert (known["NEW"].signing_body, known["NEW"].contracting_authority, known["NEW"].may_lead) == (
        "NEW",
        False,
        False,
    )
    assert known["NEW"].population is None
    assert (bodies["NEW"].law, bodies["NEW"].source) == ("not stated", "s")
    assert "OLD" not in bodies


def test_signing_bodies_can_be_added_and_then_used(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    body = written(tmp_path, "code,name,country,law,language,complaint_board,source", "SE-VF,VF,SE,LOU,sv,court,s")
    member = written(tmp_path, f"{HEADER},signing_body", "SE-U,Region Västmanland,SE,SEK,true,s,SE-VF", name="m.csv")
    with (
        pytest.raises(BadInput, match="row 2, column signing_body, value 'SE-VF': no such signing body"),
        transaction(engine) as session,
    ):
        service.add_participants(session, member)
    with transaction(engine) as session:
        assert service.add_signing_bodies(session, body) == Changes(added=1)
        assert service.add_participants(session, member) == Changes(updated=1)
        assert service.participants(session)["SE-U"].signing_body == "SE-VF"


def test_a_fault_between_rows_stores_nothing(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    with reading(engine) as session:
        before = service.participants(session)
    given = written(
        tmp_path, f"{HEADER},valid_to,successor", "A,a,SE,SEK,true,s,,", "B,b,SE,SEK,true,s,2027-01-01,NONE"
    )
    with pytest.raises(BadInput, match="row 3, column successor"), transaction(engine) as session:
        service.add_participants(session, given)
    with reading(engine) as session:
        assert service.participants(session) == before


def test_a_later_successor_may_be_added_and_pointed_to_at_once(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    given = written(
        tmp_path,
        f"{HEADER},valid_from,valid_to,successor",
        "DK-OST,Region Østdanmark,DK,DKK,true,s,2027-01-01,2035-01-01,DK-NY",
        "DK-NY,Ny,DK,DKK,true,s,2035-01-01,,",
    )
    with transaction(engine) as session:
        assert service.add_participants(session, given) == Changes(added=1, updated=1)
        known = service.participants(session)
    assert [rehome("DK-84", date(year, 1, 1), known) for year in (2026, 2027, 2035)] == ["DK-84", "DK-OST", "DK-NY"]


def test_categories_are_added_with_their_base_unit(engine: Engine, tmp_path: Path) -> None:
    header = "id,family,name,unit,base_unit,cpv,source"
    good = written(
        tmp_path, header, "salve,creams,Salve,KGM,,33000000-0,s", "tape,tapes,Tape,RO,,,s", "x,y,X,DZN,H87,,s"
    )
    with transaction(engine) as session:
        assert service.add_categories(session, good) == Changes(added=3)
        known = service.categories(session)
    assert [known[each].base_unit for each in ("salve", "tape", "x")] == ["GRM", "RO", "H87"]
    assert (known["salve"].cpv, known["tape"].cpv) == ("33000000", None)
    with (
        pytest.raises(BadInput, match=r"row 2, column base_unit, value 'H87': .*'BX' does not convert"),
        transaction(engine) as session,
    ):
        service.add_categories(session, written(tmp_path, header, "z,y,Z,BX,H87,,s"))


CRITERIA = "code,name,framework,eforms_list,eforms_code,proof,source,implies"


def test_criteria_are_added_with_all_they_imply(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    rows = ["ours,Ours,Own,gpp-criteria,other,p,s,uhm-advanced mild", "mild,Mild,Own,social-objective,opp,p,s,"]
    with transaction(engine) as session:
        assert service.add_criteria(session, written(tmp_path, CRITERIA, *rows)) == Changes(added=2)
        implied = service.implications(session)
    assert implied["ours"] == {"mild", "uhm-advanced"}
    assert closure({"ours"}, implied) == {"ours", "mild", "uhm-advanced", "uhm-basic"}
    with transaction(engine) as session:
        less = written(tmp_path, CRITERIA, "ours,Ours,Own,gpp-criteria,other,p,s,")
        assert service.add_criteria(session, less) == Changes(unchanged=1)
        assert "ours" not in service.implications(session)


def test_an_administrators_criterion_keeps_what_it_implies(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    row = "uhm-spearhead,Spjutspets,Own,gpp-criteria,national,p,s,pvc-free"
    with transaction(engine) as session:
        service.add_criteria(session, written(tmp_path, CRITERIA, row))
    assert installed(engine).kept == 1
    with reading(engine) as session:
        assert service.implications(session)["uhm-spearhead"] == {"pvc-free"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "a,A,Own,gpp-criteria,env-imp,p,s,",
            "row 2, column eforms_code, value 'env-imp': not on that list; one of eu",
        ),
        ("a,A,Own,gpp-criteria,eu,p,s,none", "row 2, column implies, value 'none': no such criterion"),
        ("a,A,Own,gpp-criteria,eu,p,s,a", "row 2, column implies, value 'a'"),
    ],
)
def test_faulty_criteria_store_nothing(engine: Engine, tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(BadInput, match=said), transaction(engine) as session:
        service.add_criteria(session, written(tmp_path, CRITERIA, row))
    with reading(engine) as session:
        assert service.criteria(session) == {}


def test_an_organisation_id_is_checked_and_belongs_to_one(engine: Engine) -> None:
    def setting(code: str, number: str) -> str:
        with transaction(engine) as session:
            return service.set_organisation(session, code, number)

    installed(engine)
    assert setting("NO-HV", "0192:923609016") == "0192:923609016"
    assert setting("NO-HV", "0192:923609016") == "0192:923609016"
    with pytest.raises(BadInput, match="is NO-HV's"):
        setting("NO-HN", "0192:923609016")
    with pytest.raises(BadInput, match="check digit"):
        setting("NO-HN", "0192:923609017")
    with pytest.raises(NotFound, match="'NO-X' is not known; known: DK-81"):
        setting("NO-X", "0192:923609016")
    assert installed(engine).updated == 0
    with reading(engine) as session:
        known = service.participants(session)
    assert (known["NO-HV"].organisation_id, known["NO-HN"].organisation_id) == ("0192:923609016", None)


def test_records_come_back_as_they_went_in(engine: Engine, tmp_path: Path) -> None:
    installed(engine)
    given = written(
        tmp_path,
        f"{HEADER},max_leads,max_pools_per_quarter,valid_from,population,year,population_overlaps,organisation_id",
        "A,a,SE,SEK,true,s,1,2,2020-02-03,5,2024,true,0192:923609016",
    )
    with transaction(engine) as session:
        service.add_participants(session, given)
    with reading(engine) as session:
        record = service.participants(session)["A"]
        assert list(service.participants(session)) == sorted(service.participants(session))
    assert (record.max_leads, record.max_pools_per_quarter, record.valid_from) == (1, 2, date(2020, 2, 3))
    assert (record.population, record.population_year, record.population_overlaps) == (5, 2024, True)
    assert record == replace(record, organisation_id="0192:923609016", may_lead=True, signing_body="A")


def test_services_never_commit(engine: Engine, tmp_path: Path) -> None:
    given = written(tmp_path, HEADER, "A,a,SE,SEK,true,s")
    with Session(engine) as session:
        service.install(session)
        service.add_participants(session, given)
        session.rollback()
    with reading(engine) as session:
        assert service.participants(session) == {}
        assert service.signing_bodies(session) == {}
