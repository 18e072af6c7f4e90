"""The packaged facts: complete, linked, on their official lists, and each with a source."""

import csv
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from pooling.reference import columns, records, service
from pooling.reference.columns import EFORMS_CODES
from pooling.reference.rules import (
    CategoryRecord,
    CriterionRecord,
    ParticipantRecord,
    SigningBodyRecord,
    closure,
    population_of,
    rehome,
)
from pooling.reference.tabular import read_rows
from pooling.reference.words import owners_of, words_of

BORDER = date(2027, 1, 1)
UUSIMAA = {"FI-18-IU", "FI-18-KU", "FI-18-LU", "FI-18-VK", "FI-18-HEL"}
STATUS = re.compile(r"verified|quoted|computed|general knowledge|our (judgement|definition)|by definition")


@pytest.fixture(scope="module")
def bodies() -> dict[str, SigningBodyRecord]:
    rows = read_rows(service.DATA / "signing_bodies.csv", columns.SIGNING_BODIES, "code")
    return {row.values["code"]: SigningBodyRecord(**row.values) for row in rows}


@pytest.fixture(scope="module")
def participants(bodies: dict[str, SigningBodyRecord]) -> dict[str, ParticipantRecord]:
    path = service.DATA / "participants.csv"
    rows = read_rows(path, columns.PARTICIPANTS, "code")
    made = records.participant_records(path, rows, known={}, bodies=frozenset(bodies))
    return {record.code: record for record in made}


@pytest.fixture(scope="module")
def categories() -> list[CategoryRecord]:
    path = service.DATA / "categories.csv"
    return records.category_records(path, read_rows(path, columns.CATEGORIES, "id"), known={})


@pytest.fixture(scope="module")
def criteria() -> dict[str, CriterionRecord]:
    path = service.DATA / "criteria.csv"
    made = records.criterion_records(path, read_rows(path, columns.CRITERIA, "code"), known={})
    return {record.code: record for record in made}


@pytest.fixture(scope="module")
def implications(criteria: dict[str, CriterionRecord]) -> dict[str, frozenset[str]]:
    path = service.DATA / "implications.csv"
    rows = read_rows(path, columns.IMPLICATIONS, "code")
    assert all(STATUS.search(row.values["source"]) for row in rows)
    return {code: frozenset(others) for code, others in records.implied_codes(path, rows, frozenset(criteria)).items()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_no_word_means_two_rows(
    participants: dict[str, ParticipantRecord], categories: list[CategoryRecord], criteria: dict[str, CriterionRecord]
) -> None:
    for rows in (participants.values(), categories, criteria.values()):
        owners = owners_of({next(filter(None, words_of(row).values())): words_of(row) for row in rows})
        assert len(owners) >= len(rows)
        assert [word for word, keys in owners.items() if len(keys) > 1] == []


# participants


def test_participants_are_those_of_the_verified_list(
    participants: dict[str, ParticipantRecord], shared_data: Path
) -> None:
    given = {row["code"]: row for row in table(shared_data / "participants.csv")}
    assert set(given) == set(participants)
    for code, row in given.items():
        record = participants[code]
        assert (record.country, record.currency) == (row["country"], row["currency"])
        assert (record.population, record.population_year) == (int(row["population"]), int(row["year"]))
        assert row["name"].startswith(record.name)


def test_every_fact_says_how_far_it_is_verified(
    participants: dict[str, ParticipantRecord],
    bodies: dict[str, SigningBodyRecord],
    categories: list[CategoryRecord],
    criteria: dict[str, CriterionRecord],
) -> None:
    for record in (*participants.values(), *bodies.values(), *categories, *criteria.values()):
        assert STATUS.search(record.source), record
    assert not STATUS.search("somebody said so")


def test_figures_from_general_knowledge_say_so(participants: dict[str, ParticipantRecord]) -> None:
    unverified = {code for code, record in participants.items() if "population not verified" in record.source}
    swedish = {code for code in participants if code.startswith("SE-")} - {"SE-AB", "SE-K", "SE-W"}
    assert unverified == swedish | {"NO-HSO", "NO-HV", "NO-HMN", "NO-HN", "IS", "FO", "GL"}
    assert len(swedish) == 18


def test_there_are_57_senders_on_either_side_of_the_merger(participants: dict[str, ParticipantRecord]) -> None:
    before = {code for code, record in participants.items() if record.is_valid_on(BORDER - timedelta(days=1))}
    after = {code for code, record in participants.items() if record.is_valid_on(BORDER)}
    assert len(before) == 57
    assert before - after == {"DK-84", "DK-85"}
    assert after - before == {"DK-OST"}


@pytest.mark.parametrize("code", ["DK-84", "DK-85"])
def test_demand_of_the_two_regions_moves_on_new_years_day_2027(
    participants: dict[str, ParticipantRecord], code: str
) -> None:
    assert rehome(code, date(2026, 12, 31), participants) == code
    assert rehome(code, date(2027, 1, 1), participants) == "DK-OST"


def test_only_the_faroes_and_greenland_are_associates(participants: dict[str, ParticipantRecord]) -> None:
    assert {code for code, record in participants.items() if not record.contracting_authority} == {"FO", "GL"}
    assert {code for code, record in participants.items() if not record.may_lead} == {"FO", "GL"}


def test_the_norwegian_regions_sign_through_one_body(participants: dict[str, ParticipantRecord]) -> None:
    shared = {code: record.signing_body for code, record in participants.items() if record.signing_body != code}
    assert shared == dict.fromkeys(("NO-HSO", "NO-HV", "NO-HMN", "NO-HN"), "NO-SYKEHUSINNKJOP")


def test_every_signing_body_signs_for_somebody_of_its_country(
    participants: dict[str, ParticipantRecord], bodies: dict[str, SigningBodyRecord]
) -> None:
    assert set(bodies) == {record.signing_body for record in participants.values()}
    assert all(bodies[record.signing_body].country == record.country for record in participants.values())
    assert all(bodies[code].law == "not verified" for code in ("FO", "GL"))
    assert bodies["FI-01"].law.startswith("Landskapslag")


def test_hus_and_the_five_overlap(participants: dict[str, ParticipantRecord]) -> None:
    assert {code for code, record in participants.items() if record.population_overlaps} == UUSIMAA | {"FI-18-HUS"}
    assert {code for code, record in participants.items() if record.population_within} == UUSIMAA
    alone = population_of(["FI-18-HUS"], participants)
    assert alone == population_of(UUSIMAA, participants) == population_of([*UUSIMAA, "FI-18-HUS"], participants)


@pytest.mark.parametrize(
    ("country", "low", "high"),
    [
        ("DK", 5_900_000, 6_100_000),
        ("SE", 10_580_000, 10_600_000),
        ("NO", 5_550_000, 5_650_000),
        ("FI", 5_652_881, 5_652_881),
        ("IS", 380_000, 400_000),
        ("FO", 50_000, 60_000),
        ("GL", 50_000, 60_000),
    ],
)
def test_populations_add_up_to_the_countries(
    participants: dict[str, ParticipantRecord], country: str, low: int, high: int
) -> None:
    codes = [code for code, record in participants.items() if record.country == country]
    assert low <= population_of(codes, participants) <= high
    today = [code for code in codes if participants[code].is_valid_on(BORDER - timedelta(days=1))]
    assert low <= population_of(today, participants) <= high


# categories


def test_categories_are_those_of_the_verified_list(categories: list[CategoryRecord], shared_data: Path) -> None:
    given = {row["id"]: row for row in table(shared_data / "categories.csv")}
    assert len(categories) == len(given) == 120
    for record in categories:
        row = given[record.id]
        assert (record.family, record.cpv, record.cpv_name) == (row["family"], row["cpv"], row["cpv_name"])
        assert (record.emdn or "", record.name, record.unit) == (row["emdn"], row["name"], row["unit"])


def test_what_cannot_be_counted_pools_in_grams_and_millilitres(categories: list[CategoryRecord]) -> None:
    pairs = Counter((record.unit, record.base_unit) for record in categories)
    assert {unit for unit, base in pairs if unit != base} == {"KGM", "LTR"}
    assert set(pairs) == {("H87", "H87"), ("PR", "PR"), ("SET", "SET"), ("KGM", "GRM"), ("LTR", "MLT")}


def test_every_cpv_code_and_name_is_on_the_list(categories: list[CategoryRecord], shared_data: Path) -> None:
    known = {row["CODE_SHORT"] for row in table(shared_data / "cpv" / "cpv_2008_nordic.csv")}
    assert "00000000" not in known
    assert {record.cpv for record in categories} <= known


def test_every_emdn_code_is_on_the_list(categories: list[CategoryRecord], shared_data: Path) -> None:
    known = {row["code"] for row in table(shared_data / "emdn" / "emdn_v2.csv")}
    assert "T999" not in known
    found = {record.emdn for record in categories if record.emdn}
    assert len([record for record in categories if record.emdn]) == 110
    assert found <= known


def test_no_two_categories_have_one_name_and_families_are_slugs(categories: list[CategoryRecord]) -> None:
    assert max(Counter(record.name for record in categories).values()) == 1
    assert len({record.family for record in categories}) == 32


# criteria


def test_the_code_lists_are_those_of_eforms(shared_data: Path) -> None:
    for name, codes in EFORMS_CODES.items():
        text = (shared_data / "eforms" / "codelists" / f"{name}.gc").read_text(encoding="utf-8")
        rows = re.findall(r"<Row>(.*?)</Row>", text, re.DOTALL)
        found = {re.search(r'ColumnRef="code"[^>]*>\s*<SimpleValue>(.*?)</', row)[1] for row in rows}
        assert set(codes) == found, name


def test_every_framework_of_the_field_is_there(criteria: dict[str, CriterionRecord]) -> None:
    expected = {
        *("uhm-basic", "uhm-advanced", "uhm-spearhead", "eu-gpp-core", "eu-gpp-comprehensive", "eu-ecolabel"),
        *("nordic-swan-098", "pvc-free", "phthalate-free", "latex-free", "halogen-free", "no-reach-svhc"),
        *("packaging-recycled", "due-diligence-clause", "code-of-conduct", "net-zero-plan", "epd-iso-14025"),
        *("reusable", "bio-based"),
    }
    assert expected <= set(criteria)
    assert [criteria[f"uhm-{level}"].level for level in ("basic", "advanced", "spearhead")] == [
        "basic",
        "advanced",
        "spearhead",
    ]


def test_no_two_criteria_have_one_name(criteria: dict[str, CriterionRecord]) -> None:
    assert max(Counter(record.name for record in criteria.values()).values()) == 1


def test_what_implies_what(implications: dict[str, frozenset[str]]) -> None:
    assert closure({"uhm-spearhead"}, implications) == {"uhm-spearhead", "uhm-advanced", "uhm-basic"}
    assert {"pvc-free", "latex-free", "phthalate-free"} <= closure({"nordic-swan-098"}, implications)
    assert closure({"eu-gpp-core"}, implications) == {"eu-gpp-core"}
    assert "pvc-free" not in closure({"eu-ecolabel"}, implications)
    for code in implications:
        assert all(code not in closure({other}, implications) for other in implications[code]), f"{code} in a circle"
