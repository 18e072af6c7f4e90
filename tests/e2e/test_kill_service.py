"""kill -9 of server and worker while clients write: what was acknowledged is there once and whole, in every ledger."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.e2e.killed_service import Outcome, kill_the_service
from tests.e2e.nursery import Nursery

SEEN = {
    "split": "in the audit|feed of|contradicts itself",
    "forgetful": "for 201|for 200|in the audit|answers kept|for 204|for 202",
    "early": "acknowledged|for 20|500|404",
}
"""Where each planted fault shows, at whatever moment the server was killed."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    opened = Nursery(tmp_path_factory.mktemp("service") / "service.log")
    yield opened
    opened.close()


def told(outcome: Outcome) -> None:
    """Put the figures where `pytest -s` and a failure show them."""
    print(
        f"killed {dict(outcome.killed)}; acknowledged {outcome.acknowledged.total()}: {dict(outcome.acknowledged)};"
        f" connections cut {outcome.cut}; {dict(outcome.jobs)}"
    )


def test_a_killed_service_loses_nothing_and_does_nothing_twice(
    nursery: Nursery, engine: Engine, database_url: str
) -> None:
    outcome = kill_the_service(nursery, engine, database_url, cycles=3, seed=1)
    told(outcome)
    assert outcome.killed["server"] == 3
    assert outcome.killed["worker"] > 0
    assert outcome.cut > 0


@pytest.mark.prove
def test_a_service_killed_two_hundred_times_loses_nothing(nursery: Nursery, engine: Engine, database_url: str) -> None:
    outcome = kill_the_service(nursery, engine, database_url, cycles=200, seed=2)
    told(outcome)
    assert outcome.killed["server"] == 200
    assert min(outcome.killed["worker"], outcome.jobs["uploads loaded"], outcome.jobs["runs succeeded"]) > 0


LONG = pytest.mark.prove
FAULTS = ["split", pytest.param("forgetful", marks=LONG), pytest.param("early", marks=LONG)]


@pytest.mark.parametrize("fault", FAULTS)
def test_with_a_fault_in_the_transaction_the_same_test_fails(
    nursery: Nursery, engine: Engine, database_url: str, fault: str
) -> None:
    with pytest.raises(AssertionError, match=SEEN[fault]):
        kill_the_service(nursery, engine, database_url, cycles=4, seed=3, faults=(fault,))
