"""Random people do random work in the workflow: nothing illegal comes of it, and nobody sees what is another's."""

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlmodel import Session

from pooling import audit
from pooling.access import projection
from pooling.tenders import copying, rules
from pooling.tenders.tables import TenderLot
from tests.conftest import TEMPLATE
from tests.e2e.workflow.databases import PostgresqlDatabases, SqliteDatabases, Worlds, worlds_of
from tests.e2e.workflow.everybody import EVERY
from tests.e2e.workflow.machine import Workflow

STEPS = 25
SHORT = {"sqlite": 5, "postgresql": 4}
FIRST, PLANTED = 7, 2
"""Seeds: of walks on which much comes off, and of those that soon come to where a fault shows."""
LONG, MOST = 300, 450
"""So many long walks, and more up to here while there is something that none of them came to."""
EACH = 12
"""So many kinds of changes must have come off on the short walks, else they prove little."""
TOGETHER = 10
"""From one seed; of more, Hypothesis makes most by changing those before them a little."""
CLOCK = {"agreements.take-over", "cycles.open-due", "demand.close-cycles", "tenders.expire", "tenders.succeed"}
"""What comes of time going by."""
KINDS = (
    "planner",
    "coordinator",
    "coordinator of another",
    "partner",
    "partner of another",
    "auditor",
    "administrator",
)
"""Everybody tries every change."""


@pytest.fixture(scope="module")
def files(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """A world to begin with for each stage, as files."""
    with worlds_of(SqliteDatabases(sqlite_template, tmp_path_factory.mktemp("walks"))) as found:
        yield found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def worlds(request: pytest.FixtureRequest) -> Iterator[tuple[str, Worlds]]:
    """The kind of database, and a world to begin with for each stage."""
    if request.param == "sqlite":
        yield request.param, request.getfixturevalue("files")
    else:
        with worlds_of(PostgresqlDatabases(request.getfixturevalue("postgresql_url"), TEMPLATE)) as found:
            yield request.param, found


def walk(worlds: Worlds, times: int, *, first: int) -> Counter[str]:
    """So many walks from seeds of which this is the first one; what was done on them, by deed and status."""
    kind: Any = type("Walk", (Workflow,), {"worlds": worlds, "done": Counter()})
    done: Counter[str] = kind.done
    number = first
    while done["begun"] < times:
        run_state_machine_as_test(
            seed(number)(kind),
            settings=settings(
                max_examples=min(TOGETHER, times - done["begun"]),
                stateful_step_count=STEPS,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
        number += 1
    return done


def came_off(done: Counter[str]) -> set[str]:
    """The changes that somebody made."""
    return {key[:-4] for key in done if re.fullmatch(r"(?!GET ).* 2\d\d", key)}


def left_out(done: Counter[str]) -> set[str]:
    """What nobody came to: changes that came off, and were tried by everybody; reads that showed something."""
    never = ({*EVERY, "propose scenario"} - came_off(done)) | {kind for kind in CLOCK if not done[kind]}
    shown = {key for key in done if key.startswith("GET ") and key.endswith(" 200")}
    unseen = {key[:-4] for key in done if key.startswith("GET ") and " by " not in key} - {key[:-4] for key in shown}
    tried = {f"{change} by {kind}" for change in EVERY for kind in KINDS}
    return never | unseen | {each for each in tried if not done[each]}


def test_random_work_leaves_nothing_illegal(worlds: tuple[str, Worlds]) -> None:
    kind, stages = worlds
    done = walk(stages, SHORT[kind], first=FIRST)
    assert done["walks"] >= SHORT[kind]
    assert len(came_off(done)) >= EACH, f"nothing much came off: {done}"


@pytest.mark.prove
def test_hundreds_of_walks_leave_nothing_illegal(worlds: tuple[str, Worlds]) -> None:
    first = secrets.randbelow(1_000_000_000)
    print(f"from seed {first}, on {worlds[0]}")
    done = walk(worlds[1], LONG, first=first)
    while left_out(done) and done["begun"] < MOST:
        done += walk(worlds[1], TOGETHER, first=first + done["begun"])
    print(sorted(done.items()))
    assert not left_out(done), f"{left_out(done)}: {done}"


def test_the_walks_find_a_confirmed_tender_that_is_invited_again(
    files: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = frozenset({rules.Status.REVIEWED, rules.Status.CONFIRMED})
    monkeypatch.setitem(cast("dict[Any, Any]", rules.MOVES), rules.Step.INVITE, (there, rules.Status.INVITED))
    with pytest.raises(AssertionError, match="went confirmed -> invited"):
        walk(files, LONG, first=PLANTED)


def test_the_walks_find_a_region_that_is_shown_anothers_figures(files: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection._Reading, "_highest", lambda *_: projection.Level.PLANNERS)
    with pytest.raises(AssertionError, match="figures of others"):
        walk(files, LONG, first=PLANTED)


@pytest.mark.prove
def test_the_walks_find_a_transition_that_is_not_audited(files: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    acted = audit.acted

    def forgetful(session: Session, operation: str, **more: Any) -> None:
        if operation != "tenders.review":
            acted(session, operation, **more)

    monkeypatch.setattr(audit, "acted", forgetful)
    with pytest.raises(AssertionError, match="review: the history has"):
        walk(files, LONG, first=PLANTED)


@pytest.mark.prove
def test_the_walks_find_a_sum_that_is_not_its_lines(files: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    add_lines = copying.add_lines

    def one_more(session: Session, row: Any, lot: int, *rest: Any) -> None:
        add_lines(session, row, lot, *rest)
        session.get_one(TenderLot, lot).quantity += 1

    monkeypatch.setattr(copying, "add_lines", one_more)
    with pytest.raises(AssertionError, match="its lines"):
        walk(files, LONG, first=PLANTED)
