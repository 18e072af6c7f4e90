"""A small cycle of the demonstration against a real service: it comes as far as call-offs, and its figures agree."""

import io
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from pooling.__main__ import pooling
from pooling.database import reading
from pooling.demo import cycle, cycle_show, cycle_tenders, service
from pooling.demo.cycle_answers import answer, chosen, month_after, pivot
from pooling.demo.make import Demonstration, Sent
from pooling.invariants.commands import CHECKS
from pooling.planning.service import Effort
from pooling.schema import opened
from solver import Progress
from tests.pooling.demo.known import some_items

CODES = ("DK-81", "DK-82", "DK-84", "SE-M", "NO-HV", "NO-HSO", "FI-11", "FI-14")
SMALL = service.Scale(frozenset(CODES), frozenset(item.category for item in some_items(("gauze-and-swabs",))))
PATIENT = Effort(time_limit_s=60.0, workers=1, seed=1)  # proven within seconds


class Silent:
    """Follows a cycle without saying anything; notes what it was told."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.words: list[str] = []

    def wrote(self, made: Demonstration) -> None:
        assert made.sent

    def told(self, day: date, words: str) -> None:
        self.days.append(day)
        self.words.append(words)

    def stage(self, files: Iterable[Sent], words: str) -> Iterable[Sent]:
        return files

    @contextmanager
    def solving(self) -> Iterator[Callable[[Progress], None]]:
        yield lambda step: None


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a cycle") / "demo"


@pytest.fixture(scope="module")
def outcome(out: Path) -> cycle.Outcome:
    watcher = Silent()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cycle_tenders, "REPAIR_S", 60.0)  # so that what is found is the same on a busy machine
        found = cycle.run(out, seed=1, effort=PATIENT, watcher=watcher, scale=SMALL)
    assert watcher.days == sorted(watcher.days)
    assert found.agreement is not None, watcher.words
    return found


def test_every_sender_s_file_is_stored_and_counted(outcome: cycle.Outcome) -> None:
    assert {each.sender for each in outcome.stored} == set(CODES)
    assert outcome.coverage["sent"] == len(CODES)
    assert {each.sender for each in outcome.corrected} <= set(CODES)
    assert sum(each.refused + each.waiting for each in outcome.stored) > 0
    assert outcome.coverage["status"] == "closed"


def test_a_tender_that_falls_short_is_repaired_and_handed_over(outcome: cycle.Outcome) -> None:
    assert outcome.counts.declined > 0
    assert outcome.agreement is not None
    (repaired,) = outcome.repaired
    assert repaired.tender == outcome.agreement.tender["id"]
    assert set(repaired.declined).isdisjoint(outcome.agreement.tender["buyers"])
    statuses = [each["to_status"] for each in outcome.agreement.history]
    assert list(dict.fromkeys(statuses)) == ["proposed", "under-review", "invited", "confirmed", "handed-over"]
    assert "repaired" in {each["what"] for each in outcome.agreement.history}


def test_a_tender_is_handed_over_and_called_off_from(outcome: cycle.Outcome) -> None:
    agreement = outcome.agreement
    assert agreement is not None
    assert agreement.tender["status"] == "handed-over"
    assert outcome.counts.handed_over + outcome.counts.given_up == outcome.invited
    assert agreement.warning is not None
    assert agreement.refusal is not None
    buyers, lots = agreement.allowances["buyers"], agreement.allowances["lots"]
    for lot in lots:
        own = [each for each in buyers if each["offer"] == lot["offer"]]
        assert sum(each["called_off_quantity"] for each in own) == lot["called_off_quantity"] <= lot["maximum_quantity"]
        assert all(each["estimate_quantity"] <= each["maximum_quantity"] for each in own)


def test_the_effect_called_off_is_within_what_is_planned(outcome: cycle.Outcome) -> None:
    total = outcome.effects.inside["total"]
    assert 0 < total["called_off"]["spend_eur"] < total["planned"]["spend_eur"]
    rows = outcome.effects.inside["rows"]
    assert sum(each["planned"]["spend_eur"] for each in rows) == pytest.approx(total["planned"]["spend_eur"])


def test_the_database_it_leaves_holds_no_contradiction(out: Path, outcome: cycle.Outcome) -> None:
    with opened(f"sqlite:///{out / 'demo.db'}") as engine, reading(engine) as session:
        assert [found for check in CHECKS.values() for found in check(session)] == []


def test_the_console_tells_law_buyers_effect_and_what_to_try(out: Path, outcome: cycle.Outcome) -> None:
    written = io.StringIO()
    console = Console(file=written, width=200)
    cycle_show.show(console, outcome, out)
    said = written.getvalue()
    for words in ("handed over:", "The law on", "The buyers over the whole term", "Effect over the terms", "repaired",
                  "invented for this demonstration", "report.html", "left; call off"):  # fmt: skip
        assert words in said, words
    assert outcome.agreement is not None
    for member in outcome.agreement.tender["members"]:
        assert member["participant"] in said
    for command, _ in cycle_show.commands_to_try(outcome, out):
        assert command in said


def test_a_key_to_look_with_is_made_as_it_says(out: Path, outcome: cycle.Outcome) -> None:
    command = next(command for command, _ in cycle_show.commands_to_try(outcome, out) if " admin key " in command)
    result = CliRunner().invoke(pooling, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert "npk_" in result.output


def test_answers_are_the_same_for_the_same_seed_and_of_every_kind() -> None:
    volumes = [{"lot": 1, "quantity_low": 8, "quantity_per_year": 10, "quantity_high": 12}]
    tender = {"family": "f", "start": "2028-12"}
    members = [{"participant": f"P{number}", "volumes": volumes} for number in range(300)]
    said = [answer(1, tender, member) for member in members]
    assert said == [answer(1, tender, member) for member in members]
    assert said != [answer(2, tender, member) for member in members]
    assert {each["answer"] for each in said} == {"commit", "decline", "change"}
    assert sum(each["answer"] == "commit" for each in said) > 240
    assert {each["change"]["start"] for each in said if "change" in each} == {"2029-01"}
    assert month_after("2028-01") == "2028-02"


def test_the_pivot_is_who_a_lot_cannot_do_without() -> None:
    def member(code: str, quantity: int, role: str = "member") -> dict[str, object]:
        return {"participant": code, "role": role, "volumes": [{"lot": 1, "quantity_per_year": quantity}]}

    lot = {"id": 1, "sure_quantity": 100.0, "tipping_quantity": 70, "quantity_per_year": 110, "unit_price_eur": 1.0}
    members = [member("A", 40, "lead"), member("B", 31), member("C", 30), member("D", 9)]
    assert pivot({"lots": [lot], "members": members}) == "B"
    assert pivot({"lots": [lot], "members": [*members[:1], *members[2:], member("E", 30)]}) is None
    assert pivot({"lots": [lot], "members": members[:3]}) is None


def test_tenders_with_most_spend_come_first_one_a_family() -> None:
    def tender(family: str, start: str, price: float, members: int) -> dict[str, object]:
        lots = [{"quantity_per_year": 10, "unit_price_eur": price}]
        return {"family": family, "start": start, "lots": lots, "members": [{}] * members}

    found = [tender("a", "2028-01", 1, 3), tender("a", "2028-02", 2, 3), tender("b", "2028-01", 3, 2)]
    found += [tender("c", "2028-01", 5, 5), tender("d", "2028-01", 4, 6)]
    taken = chosen(found, members=(3, 5))
    assert [(each["family"], each["start"]) for each in taken] == [("c", "2028-01"), ("a", "2028-02")]


def test_the_command_refuses_a_folder_that_is_not_a_demonstration_s(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    result = CliRunner().invoke(pooling, ["demo", "--cycle", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "nothing was touched" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
