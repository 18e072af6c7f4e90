"""The main job on real files as published: each line traced back to its rows with the csv module, each plan judged.

Skipped, with the reason, where the files are not here. Kept to SQLite: the parts run on both databases in their own
tests.
"""

import copy
import csv
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from pooling.database import connect, reading, transaction
from pooling.demand import service as demand
from pooling.planning import service as planning
from solver.check import check
from tests.trials import trial as trials
from tests.trials.trial import Outcome, Trial

SCMS_FILE = "scms/scms_delivery_history_dev.csv"
OCCRP_FILE = "occrp-sweden/sweden_health_regions_dev.csv"
NAMES = {"CD": "Congo, DRC"}  # in the file; all other countries stand there under the name we give them
REGIONS = {"Region Kalmar län": "SE-H", "Region Östergötland": "SE-E", "Region Värmland": "SE-S"}


@dataclass(frozen=True)
class Done:
    """A trial that has been run, its database, and the folder with its exports."""

    outcome: Outcome
    engine: Engine
    folder: Path

    def lines(self) -> list[dict[str, Any]]:
        with reading(self.engine) as session:
            return list(demand.live_lines(session).iter_rows(named=True))


def _run(trial: Trial, template: Path, folder: Path) -> Iterator[Done]:
    path = folder / "trial.db"
    path.write_bytes(template.read_bytes())
    engine = connect(f"sqlite:///{path}")
    yield Done(trials.run(trial, engine, folder), engine, folder)
    engine.dispose()


@pytest.fixture(scope="module")
def scms(shared_data: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    yield from _run(trials.scms(shared_data, within_year=True), sqlite_template, tmp_path_factory.mktemp("scms"))


@pytest.fixture(scope="module")
def occrp(shared_data: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    yield from _run(trials.occrp_sweden(shared_data), sqlite_template, tmp_path_factory.mktemp("occrp"))


@cache
def rows_of(path: Path) -> dict[int, dict[str, str]]:
    """The file's rows by the number a spreadsheet shows; the header is row 1, no cell holds a line break."""
    with path.open(encoding="utf-8", newline="") as file:
        return {number: {**row, "row": str(number)} for number, row in enumerate(csv.DictReader(file), start=2)}


def priced(path: Path) -> dict[int, dict[str, str]]:
    """The delivered rows in scope: those with a pack price."""
    return {number: row for number, row in rows_of(path).items() if float(row["Pack Price"]) > 0}


def scheduled(row: dict[str, str]) -> date:
    return datetime.strptime(row["Scheduled Delivery Date"], "%d-%b-%y").date()  # noqa: DTZ007


def base_units(row: dict[str, str]) -> int:
    return int(row["Line Item Quantity"]) * int(row["Unit of Measure (Per Pack)"])


def group_of(row: dict[str, str]) -> tuple[str, ...]:
    item = row["Molecule/Test Type"], row["Dosage"], row["Dosage Form"]
    return row["Country"], *item, str(scheduled(row).year)


def test_every_delivered_row_is_in_a_line_or_counted_as_out_of_scope(scms: Done, shared_data: Path) -> None:
    loaded, file = scms.outcome.loaded, shared_data / SCMS_FILE
    assert loaded.rows_read == len(rows_of(file)) == 8246
    assert dict(loaded.skipped) == {"pack price of 0": len(rows_of(file)) - len(priced(file))}
    assert (dict(loaded.refused), scms.outcome.waiting()) == ({}, {})
    groups = {group_of(row) for row in priced(file).values()}
    assert loaded.lines_made == len(scms.lines()) == len(groups) == 2076
    assert len({line["participant"] for line in scms.lines()}) == 35
    assert len({line["category"] for line in scms.lines()}) == len({group[1:4] for group in groups}) == 131


def test_base_units_per_country_are_the_files(scms: Done, shared_data: Path) -> None:
    country = {row["code"]: NAMES.get(row["code"], row["name"]) for row in _participants()}
    made: Counter[str] = Counter()
    for line in scms.lines():
        made[country[line["participant"]]] += line["quantity"]
    expected: Counter[str] = Counter()
    for row in priced(shared_data / SCMS_FILE).values():
        expected[row["Country"]] += base_units(row)
    assert made == expected


def _participants() -> list[dict[str, str]]:
    with (trials.HERE / "scms" / "participants.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_line_of_deliveries_leads_back_to_its_rows(scms: Done, shared_data: Path) -> None:
    rows = priced(shared_data / SCMS_FILE)
    groups: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in rows.values():
        groups[group_of(row)].append(row)
    for line in scms.lines():
        members = groups.pop(group_of(rows[line["row"]]))  # each group once
        quantity = sum(map(base_units, members))
        spend = sum(int(row["Line Item Quantity"]) * Fraction(row["Pack Price"]) for row in members)
        first = min(map(scheduled, members))
        named = rows[line["row"]]
        assert named is min(members, key=lambda row: int(row["row"]))
        assert (line["original_quantity"], line["original_price"]) == (named["Line Item Quantity"], named["Pack Price"])
        assert (line["rows"], line["quantity"], line["currency"]) == (len(members), quantity, "USD")
        assert abs(line["unit_price_micro"] - spend / quantity * 10**6) <= 1
        assert line["earliest_start"] == f"{first:%Y-%m}"
        assert _months_between(line["earliest_start"], line["latest_start"]) == 6
        assert "stated for this trial" in line["window_source"]
        assert first - timedelta(days=7) <= line["exchange_rate_date"] <= first
        assert abs(line["unit_price_eur_micro"] * line["exchange_rate_micro"] / 10**6 - line["unit_price_micro"]) <= 1
    assert not groups


def _months_between(first: str, last: str) -> int:
    (year, month), (to_year, to_month) = (map(int, text.split("-")) for text in (first, last))
    return (to_year - year) * 12 + to_month - month


def test_what_is_drunk_pools_in_millilitres(scms: Done) -> None:
    units = {each["id"]: each["unit"] for each in scms.outcome.instance["categories"]}
    liquids = {key for key in units if key.endswith(("-oral-solution", "-oral-suspension"))}
    assert len(liquids) > 5
    assert {key for key, unit in units.items() if unit == "MLT"} == liquids


def test_the_plan_of_deliveries_passes_the_judge_and_is_worth_something(scms: Done) -> None:
    plan, instance = scms.outcome.plan, scms.outcome.instance
    assert scms.outcome.violations() == []
    assert plan["status"] == "optimal"
    assert 0 < plan["objective_eur"] <= plan["bound_eur"] + 0.5
    assert len(plan["pools"]) > 0
    assert 0 < scms.outcome.saving_by_volume() < plan["totals"]["savings_eur"]  # the rest is the years' price level
    assert instance["policy"]["term_months"] == 12
    assert instance["policy"]["horizon_start"] == min(line["earliest_start"] for line in instance["lines"])
    assert not {"outside_horizon"} & {each["reason"] for each in plan["unpooled"]}
    pooled = [key for pool in plan["pools"] for lot in pool["lots"] for key in lot["lines"]]
    assert sorted([*pooled, *(each["line"] for each in plan["unpooled"])]) == sorted(
        line["id"] for line in instance["lines"]
    )


def test_the_judge_does_find_a_line_moved_to_a_pool_of_another_year(scms: Done) -> None:
    plan = copy.deepcopy(dict(scms.outcome.plan))
    lot = plan["pools"][0]["lots"][0]
    plan["pools"][-1]["lots"][0]["lines"].append(lot["lines"][0])
    assert check(dict(scms.outcome.instance), plan) != []


def test_fitted_offers_say_that_no_supplier_made_them(scms: Done) -> None:
    with (scms.folder / "offers.csv").open(encoding="utf-8", newline="") as file:
        sources = [row["price_source"] for row in csv.DictReader(file)]
    assert 0 < scms.outcome.offers() <= len(sources)
    assert all("not an offer by a supplier" in source and "pairs of one year" in source for source in sources)
    assert {each.offer.criteria for each in scms.outcome.fitted if each.offer} == {()}  # nothing green is claimed


def test_what_cannot_be_read_or_mapped_is_refused_or_waits_with_its_reason(occrp: Done, shared_data: Path) -> None:
    loaded = occrp.outcome.loaded
    assert loaded.rows_read == len(rows_of(shared_data / OCCRP_FILE)) == 474
    assert dict(loaded.refused) == {"missing-figure": 2, "not-positive": 1}
    assert [(fault.row, fault.column) for fault in loaded.faults] == [
        (459, "amount"),
        (463, "unit price"),
        (471, "unit price"),
    ]
    assert occrp.outcome.waiting() == {"unknown-category": 214, "unknown-pack": 15, "unit-mismatch": 3}
    assert loaded.lines_made == len(occrp.lines()) == 239
    assert loaded.lines_made + 3 + sum(occrp.outcome.waiting().values()) == 474


def test_every_purchase_leads_back_to_its_row_at_the_rate_of_the_stated_day(occrp: Done, shared_data: Path) -> None:
    rate = _rate(shared_data, "SEK", "2020-05-07")
    packs: Counter[str] = Counter()
    for line in occrp.lines():
        row = rows_of(shared_data / OCCRP_FILE)[line["row"]]
        amount, price = Fraction(row["amount"]), Fraction(row["unit price"])
        per = _held_by_one(row["note"], row["Original name of the product"], line["category"])
        packs[row["note"]] += per > 1
        assert line["participant"] == REGIONS[row["derived_buyer_region"]]
        assert line["item_code"] == row["tender ref"]
        assert line["quantity"] == amount * per
        assert abs(line["unit_price_micro"] - price / per * 10**6) <= Fraction(1, 2)
        assert (line["exchange_rate_date"], line["exchange_rate_micro"]) == (date(2020, 5, 7), rate * 10**6)
        assert (line["earliest_start"], line["latest_start"]) == ("2021-03", "2022-02")
    assert {"FRP", "PKT", "PAR"} <= set(packs)
    assert packs["PAR"] == 2


def _rate(data: Path, currency: str, day: str) -> Fraction:
    """Units of the currency per EUR, from the bank's own table."""
    with (data / "ecb" / "eurofxref_nordic_2015_2026.csv").open(encoding="utf-8", newline="") as file:
        return next(Fraction(row[currency]) for row in csv.DictReader(file) if row["Date"] == day)


def _held_by_one(note: str, name: str, category: str) -> Fraction:
    """Base units in one unit of the row, read from the name by simpler means than the mapping's."""
    if category.startswith(("hand-sanitiser", "surface-disinfectants")):
        found = re.search(r"([\d,.]+)[ -]*(l|ml)(?:\b|it)", name)
        assert found, name
        return Fraction(found[1].replace(",", ".")) * (1000 if found[2] == "l" else 1)
    if note not in ("FRP", "PKT", "PAR"):
        return Fraction(1)
    sizes = re.findall(r"(\d+)(?:-pack| st/frp|st/frp|/box)", name)
    assert len(sizes) == 1, name
    return Fraction(sizes[0])


def test_rows_that_wait_for_a_pack_size_load_once_the_mapping_states_one(
    shared_data: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    told = tomllib.loads((trials.HERE / "occrp_sweden" / "mapping.toml").read_text("utf-8"), parse_float=Decimal)
    told["units"]["pack_size"] = 100
    for done in _run(trials.occrp_sweden(shared_data), sqlite_template, tmp_path):
        submission = done.outcome.loaded.submission
        assert submission is not None
        before = {line["row"] for line in done.lines()}
        with transaction(done.engine) as session:
            answer = demand.requeue(session, submission, demand.mapping_from_document(told, tmp_path), now=trials.NOW)
        assert (answer.rows_loaded, answer.lines_made, answer.rows_waiting) == (15, 15, 217)
        added = [line for line in done.lines() if line["row"] not in before]
        assert len(added) == 15
        assert all(line["quantity"] == 100 * Fraction(line["original_quantity"]) for line in added)


def test_without_a_falling_price_no_offer_is_made_up_and_the_volume_goes_to_market(occrp: Done) -> None:
    plan = occrp.outcome.plan
    assert occrp.outcome.violations() == []
    assert (occrp.outcome.offers(), plan["objective_eur"], plan["bound_eur"]) == (0, 0, 0)
    assert {each["reason"] for each in plan["unpooled"]} == {"no_offer"}
    with reading(occrp.engine) as session:
        rows = planning.volume_to_market(session, trials.occrp_sweden(Path()).policy)
    best = {row.category: row for row in rows if row.best}
    lines = [line for line in occrp.lines() if line["category"] == "respirators-ffp2"]
    found = best["respirators-ffp2"]
    assert found.quantity == sum(line["quantity"] for line in lines)
    assert {code for code, _ in found.participants} == {"SE-E", "SE-H", "SE-S"}


def test_no_name_of_a_product_stands_in_the_project(shared_data: Path) -> None:
    names = {row["Original name of the product"].lower() for row in rows_of(shared_data / OCCRP_FILE).values()}
    names |= {row["Item Description"].lower() for row in rows_of(shared_data / SCMS_FILE).values()}
    ours = [path for path in trials.HERE.rglob("*") if path.suffix in (".toml", ".csv", ".py")]
    assert len(ours) > 5
    for path in ours:
        text = path.read_text("utf-8").lower()
        assert not [name for name in names if " " in name and name in text], path


@pytest.mark.prove
def test_the_whole_table(
    shared_data: Path, sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every trial in full; the years one by one hold the same lines as all together."""
    chosen = [
        trials.scms(shared_data, within_year=True),
        trials.scms(shared_data, within_year=False),
        *(trials.scms_of_year(shared_data, year) for year in trials.SCMS_YEARS),
        trials.occrp_sweden(shared_data),
    ]
    table = Table(*trials.HEADERS)
    outcomes = []
    for number, trial in enumerate(chosen):
        folder = tmp_path / str(number)
        folder.mkdir()
        for done in _run(trial, sqlite_template, folder):
            outcomes.append(done.outcome)
            table.add_row(*done.outcome.cells())
    with capsys.disabled():
        Console(width=220).print(table)
    assert [found for outcome in outcomes for found in outcome.violations()] == []
    years = outcomes[2:-1]
    assert sum(outcome.loaded.lines_made for outcome in years) == outcomes[0].loaded.lines_made
    assert all(outcome.plan["gap"] <= 1e-4 for outcome in outcomes)
