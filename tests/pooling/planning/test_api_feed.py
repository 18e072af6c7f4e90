"""Every write of planning, by request and by job, announces what it changes and leaves an audit entry."""

from collections.abc import Callable
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import func, select
from sqlmodel import SQLModel

from pooling.database import reading, transaction
from pooling.planning import findings
from tests.pooling.feed_watch import watched
from tests.pooling.planning.conftest import REGION, Planned
from tests.pooling.planning.given import POLICY

CHANGES = {"changes": [{"kind": "participant_leaves", "participant": REGION}]}
GRID = {"name": "g", "policy": POLICY, "grid": {"min_participants": [2]}, "time_limit_s": 20}
LATER = {"Prefer": "respond-async"}


def entries(planned: Planned) -> int:
    with reading(planned.api.engine) as session:
        table = SQLModel.metadata.tables["audit_entry"]
        return int(session.connection().execute(select(func.count()).select_from(table)).scalar_one())


def kept_policy(planned: Planned) -> dict[str, str]:
    """A policy, and the header that names its version."""
    planned.planner.put("/v1/policies/small", json=POLICY)
    return {"If-Match": planned.planner.get("/v1/policies/small").headers["ETag"]}


def asked_run(planned: Planned) -> str:
    return str(planned.planner.post("/v1/runs", json={"policy": POLICY, "seed": 3}).json()["id"])


Write = Callable[[Planned, Any], Response]
WRITES: dict[str, tuple[Callable[[Planned], Any], Write]] = {
    "policies.write new": (
        lambda planned: None,
        lambda planned, _: planned.planner.put("/v1/policies/small", json=POLICY),
    ),
    "policies.write": (
        kept_policy,
        lambda planned, seen: planned.planner.put("/v1/policies/small", json={}, headers=seen),
    ),
    "policies.delete": (
        kept_policy,
        lambda planned, seen: planned.planner.delete("/v1/policies/small", headers=seen),
    ),
    "runs.create": (lambda planned: None, lambda planned, _: planned.planner.post("/v1/runs", json={"policy": POLICY})),
    "runs.cancel": (
        asked_run,
        lambda planned, run: planned.planner.post(f"/v1/runs/{run}/cancel", json={}),
    ),
    "explanations.create": (
        lambda planned: None,
        lambda planned, _: planned.planner.post(f"/v1/plans/{planned.plan}/explanations"),
    ),
    "baselines.create": (
        lambda planned: None,
        lambda planned, _: planned.planner.post(f"/v1/plans/{planned.plan}/baselines", json={"time_limit_s": 10}),
    ),
    "unlocks.create": (
        lambda planned: None,
        lambda planned, _: planned.planner.post(
            f"/v1/plans/{planned.plan}/lines/{planned.lines[5]}/unlock", json={"time_limit_s": 10}
        ),
    ),
    "what-ifs.create": (
        lambda planned: None,
        lambda planned, _: planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=CHANGES, headers=LATER),
    ),
    "scenarios.create": (lambda planned: None, lambda planned, _: planned.planner.post("/v1/scenarios", json=GRID)),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_and_the_job_it_makes_announce_what_they_change(planned: Planned, here: None, name: str) -> None:
    prepare, write = WRITES[name]
    prepared = prepare(planned)
    before = entries(planned)
    with watched(planned.api.engine):
        answer = write(planned, prepared)
    assert 200 <= answer.status_code < 300, answer.text
    assert entries(planned) > before
    with watched(planned.api.engine):
        planned.work()


def silent(planned: Planned) -> None:
    with transaction(planned.api.engine) as session:
        findings._put(session, planned.plan, "risk", {"": {}}, now=planned.api.clock.now)


def test_a_write_that_says_nothing_would_be_found(planned: Planned) -> None:
    with pytest.raises(AssertionError, match="plan_finding"), watched(planned.api.engine):
        silent(planned)
