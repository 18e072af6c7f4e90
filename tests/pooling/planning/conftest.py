"""A running service over a small world, and plans of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from pooling.database import reading, transaction
from pooling.jobs import context as job_context
from pooling.planning import findings, service, work
from pooling.planning import jobs as planning_jobs
from pooling.planning.jobs import HANDLERS
from tests import copies
from tests.pooling.api_client import Api, RoleClient, api
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.demand import policy, small_world_in

REGION, OTHER = "SE-M", "NO-HSO"
"""A coordinator's participant, and one whose figures must not be shown to it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A service with a stored plan of the small world: one pool of gloves, three lines left out."""

    api: Api
    lines: Sequence[int]
    plan: UUID

    @property
    def planner(self) -> RoleClient:
        return self.api.client("planner")

    @property
    def coordinator(self) -> RoleClient:
        return self.api.client("coordinator", participants=[REGION])

    @property
    def pool(self) -> int:
        found = self.planner.get(f"/v1/pools?plan={self.plan}").json()["items"]
        return int(found[0]["id"])

    def work(self) -> int:
        """Do all jobs that are due."""
        return work_all(self.api.engine, HANDLERS, now=self.api.clock.now)

    def explain(self) -> None:
        """Find out all that is kept of every plan, here."""
        with reading(self.api.engine) as session:
            question = findings.question(session, self.plan)
        with transaction(self.api.engine) as session:
            for kind, find in work.FIND.items():
                findings.keep(session, self.plan, kind, find(question), now=self.api.clock.now)


@pytest.fixture
def opened(database_url: str) -> Iterator[Api]:
    """The service over the small world, without a plan."""
    with api(database_url) as made:
        small_world_in(made.engine)
        yield made


@pytest.fixture
def planned(database_url: str) -> Iterator[Planned]:
    with api(database_url) as made:

        def plan() -> tuple[Sequence[int], UUID]:
            lines = small_world_in(made.engine)
            return lines, service.make_plan(made.engine, policy(), now=made.clock.now).plan

        yield Planned(made, *copies.once(made.engine, plan, key="planned"))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calculations of jobs are done in this process: starting another takes seconds, and some tests do."""

    def run(
        function: Callable[..., Any],
        arguments: Sequence[Any],
        *,
        on_progress: Callable[[Any], None],
        cancelled: Callable[[], bool],
        stop: Callable[[], bool] = lambda: False,
    ) -> Any:
        assert not cancelled()
        return function(*arguments, on_progress=on_progress, stop=stop)

    for module in (job_context, planning_jobs):
        monkeypatch.setattr(module, "run_apart", run)
