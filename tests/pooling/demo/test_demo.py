"""A small demonstration from files to report: what is written loads, and comes out as it was meant."""

import io
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from pooling.__main__ import pooling
from pooling.commandline import program
from pooling.database import reading
from pooling.demand import service as demand
from pooling.demand.results import Loaded
from pooling.demo import service, show
from pooling.demo.make import Demonstration, Sent
from pooling.demo.needs import Need, needs
from pooling.demo.slips import FLAGGED, QUARANTINED, REFUSED
from pooling.planning.service import Effort
from pooling.schema import opened
from solver import Progress
from tests.pooling.demo.known import senders, some_items
from tests.pooling.planning.test_report import Page, outside

CODES = ("DK-84", "DK-85", "SE-AB", "SE-M", "SE-Z", "NO-HV", "FI-11", "FI-14", "IS", "FO", "GL")
FAMILIES = ("syringes", "gauze-and-swabs")
SMALL = service.Scale(frozenset(CODES), frozenset(item.category for item in some_items(FAMILIES)))
QUICK = Effort(time_limit_s=8.0, workers=1, seed=1)


class Silent:
    """Follows a run without saying anything; notes the steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def wrote(self, made: Demonstration) -> None:
        self.steps.append("wrote")

    def loading(self, sent: Sent) -> None:
        self.steps.append(sent.path)

    def loaded(self, sent: Sent, result: Loaded) -> None:
        assert result.series == sent.sender.code

    def doubted(self, doubts: Sequence[service.Doubt]) -> None:
        self.steps.append("doubted")

    @contextmanager
    def solving(self) -> Iterator[Callable[[Progress], None]]:
        self.steps.append("solving")
        yield lambda step: None


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a demo") / "nordic demo"


@pytest.fixture(scope="module")
def outcome(out: Path) -> service.Outcome:
    return service.run(out, seed=1, effort=QUICK, watcher=Silent(), scale=SMALL)


@pytest.fixture(scope="module")
def lines(out: Path, outcome: service.Outcome) -> pl.DataFrame:
    with opened(f"sqlite:///{out / 'demo.db'}") as engine, reading(engine) as session:
        return demand.live_lines(session)


def meant() -> dict[tuple[str, str], Need]:
    return {
        (need.sender.code, need.item.category): need for need in needs(senders(*CODES), some_items(FAMILIES), seed=1)
    }


def test_every_row_is_a_line_or_a_slip(outcome: service.Outcome, lines: pl.DataFrame) -> None:
    lost = [slip for slip in outcome.made.slips if slip.fate in (REFUSED, QUARANTINED)]
    assert lines.height == len(meant()) - len(lost)
    assert lost != []


def test_lines_say_what_was_meant_in_volume_price_window_and_criteria(lines: pl.DataFrame) -> None:
    wanted = meant()
    for row in lines.iter_rows(named=True):
        need = wanted[row["sent_as"], row["category"]]
        assert row["quantity"] == need.base_quantity
        paid = row["unit_price_eur_micro"] / 1e6
        assert paid == pytest.approx(
            need.price_eur / need.item.base_factor, rel=0.12 if need.sender.code == "IS" else 0.01
        )
        assert row["quantity_low"] < row["quantity"] < row["quantity_high"]
        assert (
            row["earliest_start"] == f"{need.contract_end.year + need.contract_end.month // 12}-"
            f"{need.contract_end.month % 12 + 1:02d}"
        )
        span = 12 * (int(row["latest_start"][:4]) - int(row["earliest_start"][:4]))
        assert span + int(row["latest_start"][5:]) - int(row["earliest_start"][5:]) == need.extension_months
        assert row["required"].split() == sorted(need.required)
        assert row["refused"].split() == sorted(need.refused)


def test_every_slip_meets_its_fate(outcome: service.Outcome) -> None:
    results = dict(zip((sent.path.split("/")[1] for sent in outcome.made.sent), outcome.loads))
    refused = {(name, fault.row) for name, result in results.items() for fault in result.faults}
    waiting = {(name, each.first_row) for name, result in results.items() for each in result.waiting}
    for fate, found in ((REFUSED, refused), (QUARANTINED, waiting)):
        assert found == {(slip.file, slip.row) for slip in outcome.made.slips if slip.fate == fate}
        assert found
    flagged = {(slip.file.partition(".")[0], slip.row) for slip in outcome.made.slips if slip.fate == FLAGGED}
    assert flagged
    assert flagged <= {(doubt.sender, doubt.row) for doubt in outcome.doubts}
    assert all(
        doubt.likely_pack_factor in (50, 100) for doubt in outcome.doubts if (doubt.sender, doubt.row) in flagged
    )
    assert not flagged & {(doubt.sender, doubt.row) for doubt in outcome.doubts_left}


def test_a_misspelt_category_finds_its_neighbour(outcome: service.Outcome) -> None:
    results = dict(zip((sent.sender.code for sent in outcome.made.sent), outcome.loads))
    (waiting,) = results["SE-M"].waiting
    slip = next(slip for slip in outcome.made.slips if slip.file == "SE-M.xlsx")
    assert waiting.candidates[0][1] == slip.meant["category"]


def test_demand_after_the_merger_is_the_new_region_s(lines: pl.DataFrame) -> None:
    merged = lines.filter(pl.col("sent_as").is_in(["DK-84", "DK-85"]))
    assert set(merged["participant"]) == {"DK-OST"}


def test_there_are_pools_and_reasons_and_the_files_hold_them(out: Path, outcome: service.Outcome) -> None:
    assert outcome.plan.pools
    assert len(outcome.plan.reasons) >= 3
    assert {path.name for path in out.iterdir()} >= {
        "plan.json", "pools.csv", "volume-to-market.csv", "report.html", "demo.db", "demo.json", "README.txt"
    }  # fmt: skip
    document = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert len(document["pools"]) == len(outcome.plan.pools)
    rows = (out / "pools.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + outcome.plan.totals.lots
    assert {row.category for row in outcome.volumes} <= set(SMALL.categories or ())


def test_the_report_is_one_page_that_says_it_is_made_up(out: Path, outcome: service.Outcome) -> None:
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    assert page.faults == []
    assert outside(page) == []
    assert page.text.count(service.NOTICE) == 2
    assert str(outcome.plan.id) in page.text


def test_the_console_tells_slips_pools_reasons_volumes_and_what_to_try(out: Path, outcome: service.Outcome) -> None:
    written = io.StringIO()
    console = Console(file=written, width=200)
    show.show(console, outcome, out)
    said = written.getvalue()
    for words in ("STABEL", "Figures that stood out", "corrected file loaded", "Proposed pools", "stayed out",
                  "Volume to take to market", "invented for this demonstration", "report.html"):  # fmt: skip
        assert words in said, words
    for pool in outcome.plan.pools:
        assert pool.lead in said


def test_every_command_to_try_works(out: Path, outcome: service.Outcome) -> None:
    tried = show.commands_to_try(outcome, out)
    assert len(tried) >= 5
    for command, _ in tried:
        called, *arguments = shlex.split(command)
        assert called == program()
        if arguments[-1] == "serve":
            arguments.append("--help")
        if "plan" in arguments:
            arguments += ["--time-limit", "3"]
        result = CliRunner().invoke(pooling, arguments)
        assert result.exit_code == 0, (command, result.output, result.exception)


def test_it_runs_again_in_its_folder_with_the_same_result(out: Path, outcome: service.Outcome) -> None:
    before = (out / "offers.csv").read_bytes()
    question = (out / "instance.json").read_bytes()
    (out / "mine.txt").write_text("keep")
    follow = Silent()
    again = service.run(out, seed=1, effort=QUICK, watcher=follow, scale=SMALL)
    assert (out / "offers.csv").read_bytes() == before
    assert (out / "mine.txt").read_text() == "keep"
    assert again.made.files == outcome.made.files
    assert (out / "instance.json").read_bytes() == question
    assert follow.steps[0] == "wrote"
    assert follow.steps[-1] == "solving"
    assert follow.steps.index("doubted") == 1 + len(CODES)


def test_the_command_refuses_a_folder_that_is_not_a_demonstration_s(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    result = CliRunner().invoke(pooling, ["demo", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "nothing was touched" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_command_runs_and_opens_no_other_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = service.Scale(frozenset({"SE-AB", "SE-M", "NO-HSO", "DK-83"}), frozenset({"infusion-sets", "stopcocks"}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(service.run.__kwdefaults__, "scale", tiny)
    result = CliRunner().invoke(pooling, ["demo", "--seed", "2", "--time-limit", "3", "--workers", "1"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["nordic-demo"]
    assert f"{program()} --database sqlite:///nordic-demo/demo.db show" in result.output
