"""A plan as files and on the console; the command line from end to end."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import Engine

from pooling.database import reading, transaction
from pooling.demand.tables import LineFlag
from pooling.errors import BadInput
from pooling.market import files
from pooling.market.commands import COMMANDS as MARKET
from pooling.market.rules import VolumeRow
from pooling.planning import console, exports, service
from pooling.planning.commands import COMMANDS
from pooling.planning.report import reasons
from pooling.planning.views import PlanView
from pooling.planning.words import REASONS, explain
from pooling.spreadsheets import csv_text, neutral
from solver import Progress
from solver.check import check
from solver.plan import Reason
from tests import copies
from tests.pooling.planning.demand import NOW, offer, policy, small_world

POLICY = """
name = "cheap"
as_of = 2026-11-01
pool_cost_eur = 100
lot_cost_eur = 10
line_cost_eur = 1
country_cost_eur = 20
forecast_correlation = 0.0
[criterion_value]
uhm-basic = 0.01
"""


@pytest.fixture
def plan(engine: Engine) -> PlanView:
    copies.install_reference(engine)
    with transaction(engine) as session:
        ids = small_world(session)
        session.add(LineFlag(line=ids[0], kind="volume", direction="high", likely_pack_factor=10))
    made = service.make_plan(engine, policy(), now=NOW)
    with reading(engine) as session:
        return service.view_plan(session, str(made.plan))


def exported(engine: Engine, folder: Path) -> dict[str, str]:
    with reading(engine) as session:
        paths = service.export_plan(session, None, folder)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def run(engine: Engine, *arguments: str, commands: Sequence[click.Command] = COMMANDS) -> str:
    (command,) = [each for each in commands if each.name == arguments[0]]
    result = CliRunner().invoke(command, arguments[1:], obj=engine, env={"COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"
    (row,) = rows(csv_text(["cell"], [[f"{start}x"]]))
    assert row["cell"] == f"'{start}x"


def test_numbers_stay_numbers_and_plain_text_plain() -> None:
    assert [neutral(cell) for cell in (-1, -0.5, "a-b", "", None)] == [-1, -0.5, "a-b", "", None]
    assert csv_text(["a", "b", "c"], [[-1, 1e-7, None]]) == "a,b,c\r\n-1,1e-07,\r\n"


def test_the_exported_plan_passes_the_judge_beside_its_instance(engine: Engine, plan: PlanView, tmp_path: Path) -> None:
    texts = exported(engine, tmp_path)
    document = json.loads(texts["plan.json"])
    assert document.pop("snapshot") == plan.how.snapshot
    assert check(json.loads(texts["instance.json"]), document) == []
    assert check(json.loads(texts["instance.json"]), json.loads(texts["plan.json"])) == []


def test_pools_are_a_row_a_lot(engine: Engine, plan: PlanView, tmp_path: Path) -> None:
    (row,) = rows(exported(engine, tmp_path)["pools.csv"])
    lot = plan.pools[0].lots[0]
    assert row["start"] == "2027-12"
    assert int(row["quantity_per_year"]) == lot.quantity == 2_350_000
    assert float(row["savings_eur"]) == pytest.approx(lot.gain.savings_eur)
    assert float(row["savings_eur"]) + float(row["green_value_eur"]) - float(row["bridging_cost_eur"]) - float(
        row["set_up_cost_of_lot_eur"]
    ) == pytest.approx(lot.gain.net_eur)
    assert row["price_source"] == "made up"
    assert row["price_source_date"] == "2026-11-01"


def test_every_line_is_traced_and_none_is_run_by_a_spreadsheet(engine: Engine, plan: PlanView, tmp_path: Path) -> None:
    found = rows(exported(engine, tmp_path)["lines.csv"])
    assert len(found) == plan.totals.lines
    assert [row["row"] for row in found] == [str(2 + k) for k in range(8)]
    assert {row["file"] for row in found} == {"'=cmd all.csv"}
    assert {row["original_price"] for row in found} == {"'-0,55"}
    assert {row["sent_as"] for row in found if row["participant"] == "DK-OST"} == {"DK-84"}
    assert sum(int(row["quantity_per_year"]) for row in found if row["pool"] == "1") == 2_350_000
    assert {row["reason"] for row in found if not row["pool"]} == {"criteria_refused", "no_offer", "outside_horizon"}


def test_volume_is_written_with_who_makes_it_up(engine: Engine, plan: PlanView, tmp_path: Path) -> None:
    found = rows(exported(engine, tmp_path)["volume-to-market.csv"])
    for row in found:
        parts = [part.rpartition(" ") for part in row["made_up_of"].split("; ")]
        assert sum(int(quantity) for _, _, quantity in parts) == int(row["quantity_per_year"])
        assert len(parts) == int(row["participants"])
    assert {row["best"] for row in found} == {"yes", "no"}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="give another folder"):
        exports.write(tmp_path / "file", {"a": "b"})


def test_a_doubted_line_is_shown_where_it_counts(plan: PlanView) -> None:
    (doubted,) = [each for each in plan.pools[0].lots[0].lines if each.doubts]
    assert doubted.doubts == ("volume far too high against peers, as if by a pack of 10",)
    assert any("doubted, from SE-M" in warning for warning in plan.pools[0].warnings)


def test_the_console_shows_what_planners_ask(plan: PlanView) -> None:
    screen = Console(width=200, record=True, file=io.StringIO())
    console.print_overview(screen, plan)
    console.print_plan(screen, plan)
    text = screen.export_text()
    for said in (
        "222%",  # sure volume against the tipping volume
        "gloves, start 2027-12",
        "notice by",
        "2,350,000",
        "1,000,000",
        "cash saving",
        "valued benefit",
        "criteria_refused",
        "outside_horizon",
        plan.how.snapshot[:12],
        "no plan can exceed",
    ):
        assert said in text


@pytest.mark.parametrize("width", [80, 110, 200])
def test_the_overview_keeps_its_numbers_whole_on_any_console(plan: PlanView, width: int) -> None:
    screen = Console(width=width, record=True, file=io.StringIO())
    console.print_overview(screen, plan)
    text = screen.export_text()
    assert "222%" in text
    assert "2027-12" in text
    assert ("DK FO NO SE" in text) == (width >= console.WIDE)


def test_the_console_shows_the_best_starts_only_and_three_sets_of_a_category() -> None:
    def row(category: str, spend: float, sure: float, *criteria: str, best: bool = True) -> VolumeRow:
        return VolumeRow(
            category, "H87", "2027-12", criteria, sure, int(sure), spend, (), (("SE-M", int(sure)),), 1, best
        )

    rows = [row("small", 10, 5), row("large", 99, 1, "a"), row("large", 98, 7, "b"), row("large", 1, 9, best=False)]
    rows += [row("large", 50, 6, "c"), row("large", 40, 5, "d")]
    screen = Console(width=120, record=True, file=io.StringIO())
    console.print_volume(screen, rows, {"large": "[b]Large[/x]"})
    text = screen.export_text()
    lines = [line.split() for line in text.splitlines() if "authority" in line]
    assert [(line[0], line[1]) for line in lines] == [
        ("[b]Large[/x]", "b"),
        ("[b]Large[/x]", "c"),
        ("[b]Large[/x]", "d"),
        ("small", "none"),
    ]
    assert "4 of 6 rows" in text
    assert "7 pieces" in text
    assert "H87" not in text
    assert "1 (1 authority): SE-M" in text


def test_names_with_brackets_are_shown_as_they_are(plan: PlanView) -> None:
    """Rich would take [bold] for markup."""
    lot = replace(plan.pools[0].lots[0], category_name="[bold]gloves[/x]")
    screen = Console(width=200, record=True, file=io.StringIO())
    console.print_plan(screen, replace(plan, pools=(replace(plan.pools[0], lots=(lot,)),)))
    assert "[bold]gloves[/x]" in screen.export_text()


def test_progress_is_shown_on_standard_error() -> None:
    written = io.StringIO()
    screen = Console(width=160, file=written, force_terminal=True)
    with console.SolveProgress(screen) as progress:
        progress(Progress("families", 1, 4, None, None))
        progress(Progress("done", 4, 4, 90.0, 100.0))
    text = written.getvalue()
    assert "4/4 families" in text
    assert "best EUR 90" in text
    assert "gap 10.00%" in text


def test_every_reason_has_words() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}
    figures = {"missing_quantity": 1234.5, "offer": "o", "lost_eur": 0.25, "none": None}
    said = explain("volume_short", figures, green_floor=False)
    assert "missing quantity 1,234; offer o; lost EUR 0.25." in said
    assert "none" not in said


def test_the_green_floor_is_named_only_where_there_is_one(plan: PlanView) -> None:
    assert "green floor" in explain("no_offer", {}, green_floor=True)
    assert "green floor" not in explain("no_offer", {}, green_floor=False)
    (line,) = [line for line in plan.unpooled if line.reason == "no_offer"]
    assert "nothing in this category." in line.words
    (found,) = [reason for reason in reasons(plan) if reason.code == "no_offer"]
    assert found.meaning.startswith("The market has offered nothing in this category.")
    floored = replace(plan, how=replace(plan.how, policy={**plan.how.policy, "green_floor": ["pvc-free"]}))
    (found,) = [reason for reason in reasons(floored) if reason.code == "no_offer"]
    assert "that meets the green floor" in found.meaning


def test_amounts_in_tables_are_whole_cents_and_grams(engine: Engine, plan: PlanView, tmp_path: Path) -> None:
    texts = exported(engine, tmp_path)
    places = {"_eur": 2, "_per_year": 2, "eur_per_year": 2, "tonnes_per_year": 6, "unit_price_eur": 6}
    seen = 0
    for name in ("pools.csv", "lines.csv", "volume-to-market.csv"):
        for row in rows(texts[name]):
            for column, cell in row.items():
                most = max((places[end] for end in places if column.endswith(end)), default=None)
                if most is not None and cell:
                    seen += 1
                    assert len(cell.partition(".")[2]) <= most, f"{name}: {column} {cell}"
    assert seen > 50
    noisy = replace(plan.pools[0].lots[0], spend_eur_per_year=0.1 + 0.2)
    (row,) = rows(exports.pools_csv(replace(plan, pools=(replace(plan.pools[0], lots=(noisy,)),))))
    assert row["spend_eur_per_year"] == "0.3"


def test_one_of_a_thing_is_said_as_one(plan: PlanView) -> None:
    screen = Console(width=200, record=True, file=io.StringIO())
    console.print_plan(screen, plan)
    text = screen.export_text()
    assert re.search(r"pools +1 with 1 lot, 4 participants", text)
    assert "optimiser" in text
    assert "solver" not in text
    assert "None" not in text
    bare = replace(plan, pools=(), unpooled=(), excluded=())
    screen = Console(width=200, record=True, file=io.StringIO())
    console.print_plan(screen, bare)
    assert "What stayed out" not in screen.export_text()


def test_a_volume_file_makes_no_folder(engine: Engine, tmp_path: Path) -> None:
    with transaction(engine) as session:
        small_world(session)
    (volume,) = [each for each in COMMANDS if each.name == "volume"]
    out = tmp_path / "none" / "v.csv"
    result = CliRunner().invoke(volume, ["--out", str(out)], obj=engine)
    assert isinstance(result.exception, BadInput)
    assert "there is no folder" in str(result.exception)
    assert not out.parent.exists()


def test_the_commands_from_offers_to_files(engine: Engine, tmp_path: Path) -> None:
    with transaction(engine) as session:
        small_world(session)
    paths = {name: tmp_path / name for name in ("p.toml", "o.csv", "v.csv", "fit.csv")}
    paths["p.toml"].write_text(POLICY, encoding="utf-8")
    paths["o.csv"].write_text(files.write_csv([offer()]), encoding="utf-8", newline="")
    assert "0 offers added, 1 replaced" in run(engine, "offers", "load", str(paths["o.csv"]), commands=MARKET)
    assert "gloves-green" in run(engine, "offers", "list", commands=MARKET)
    assert "no offer" not in run(engine, "offers", "list", "--on", "2026-11-01", commands=MARKET)
    said = run(engine, "offers", "fit", "--out", str(paths["fit.csv"]), "--share", "0.3", commands=MARKET)
    assert "0 of 2 categories" in said
    assert "best start" in run(engine, "volume", "--policy", str(paths["p.toml"]), "--out", str(paths["v.csv"]))
    assert rows(paths["v.csv"].read_text(encoding="utf-8"))
    out = tmp_path / "out"
    given = ("plan", "--policy", str(paths["p.toml"]), "--time-limit", "20", "--out", str(out))
    assert "gloves, start 2027-12" in run(engine, *given)
    assert {path.name for path in out.iterdir()} == {
        "plan.json",
        "instance.json",
        "pools.csv",
        "lines.csv",
        "volume-to-market.csv",
        "report.html",
    }
    assert "the stored plan stands" in run(engine, *given)
    assert "gloves, start 2027-12" in run(engine, "show", "--pools", "0")
    name = json.loads((out / "plan.json").read_text(encoding="utf-8"))["snapshot"]
    with reading(engine) as session:
        view = service.view_plan(session)
    assert view.how.snapshot == name
    assert "wrote" in run(engine, "export", str(view.id)[:8], "--out", str(tmp_path / "again"))
    for path in out.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
