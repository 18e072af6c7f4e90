"""Random people do random work in the workflow: nothing illegal comes of it, and nobody sees what is another's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pooling.access import projection
from pooling.tenders import rules
from tests.e2e.workflow_machine import Workflow
from tests.e2e.workflow_world import PostgresqlWorlds, SqliteWorlds, World, worlds_of

STEPS = 25
SHORT = {"sqlite": 12, "postgresql": 6}
LONG = 300
EACH = 8
"""So many kinds of changes must have come off on the short walks, else they prove little."""
ALL = {
    *("answer 200", "call-off 201", "cancel 200", "confirm 200", "correction 200", "cycle write 201", "end 200"),
    *("forecast 200", "hand-over 200", "invite 200", "propose 201", "reject 200", "tenders.expire", "tenders.succeed"),
}
"""What hundreds must have come to."""


@pytest.fixture(scope="module")
def files(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, World]]:
    """A world to copy for each stage, as files."""
    with worlds_of(SqliteWorlds(sqlite_template, tmp_path_factory.mktemp("walks"))) as found:
        yield found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def worlds(request: pytest.FixtureRequest) -> Iterator[tuple[str, Mapping[str, World]]]:
    """The kind of database, and a world to copy for each stage."""
    if request.param == "sqlite":
        yield request.param, request.getfixturevalue("files")
    else:
        with worlds_of(PostgresqlWorlds(request.getfixturevalue("postgresql_url"))) as found:
            yield request.param, found


def walk(worlds: Mapping[str, World], times: int, *, same: bool = True) -> Counter[str]:
    """So many walks; what was done on them, by deed and status. ``same``: the same ones each time."""
    kind: Any = type("Walk", (Workflow,), {"worlds": worlds, "done": Counter()})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=times,
            stateful_step_count=STEPS,
            derandomize=same,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=not same,
        ),
    )
    return kind.done


def test_random_work_leaves_nothing_illegal(worlds: tuple[str, Mapping[str, World]]) -> None:
    kind, copies = worlds
    done = walk(copies, SHORT[kind])
    assert done["walks"] >= SHORT[kind]
    came_off = {deed for deed in done if deed[-4:-2] == " 2"}
    assert len(came_off) >= EACH, f"nothing much came off: {done}"


@pytest.mark.prove
def test_hundreds_of_walks_leave_nothing_illegal(worlds: tuple[str, Mapping[str, World]]) -> None:
    done = walk(worlds[1], LONG, same=False)
    print(sorted(done.items()))
    missing = {deed for deed in ALL if not done[deed]}
    assert not missing, f"the walks have come to none of {missing}: {done}"


def test_the_walks_find_a_confirmed_tender_that_is_invited_again(
    files: Mapping[str, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = frozenset({rules.Status.REVIEWED, rules.Status.CONFIRMED})
    monkeypatch.setitem(cast("dict[Any, Any]", rules.MOVES), rules.Step.INVITE, (there, rules.Status.INVITED))
    with pytest.raises(AssertionError, match="went confirmed -> invited"):
        walk(files, SHORT["sqlite"])


def test_the_walks_find_a_region_that_is_shown_anothers_figures(
    files: Mapping[str, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection._Reading, "_highest", lambda *_: projection.Level.PLANNERS)
    with pytest.raises(AssertionError, match="figures of others"):
        walk(files, SHORT["sqlite"])
