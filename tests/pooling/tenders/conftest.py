"""A cycle that is closed over a small world, the plan of its lines, and the service on top of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.database import transaction
from pooling.demand import cycle_closing
from pooling.planning import service as planning
from pooling.planning.holds import NOTHING, Holds
from pooling.planning.policy import Policy
from pooling.planning.solving import Effort, solve_judged
from tests import copies
from tests.pooling.api_client import Api, RoleClient, api
from tests.pooling.planning.demand import policy, small_world

CYCLE, HERE = "spring", "Europe/Copenhagen"
DUE = "2026-12-15"
LEAD, MEMBERS = "NO-HSO", ("DK-OST", "FO", "NO-HSO", "SE-M")
"""Of the one pool of gloves."""


def make_cycle(made: Api, code: str = CYCLE, *, depth: str = "joint") -> None:
    """A cycle that takes demand today, where it is."""
    now, today = made.clock.now, made.clock.now.astimezone(ZoneInfo(HERE)).date()
    given = cycles.Given(
        name=f"Cycle {code}",
        time_zone=HERE,
        opens_on=today,
        closes_on=today,
        plan_by=today + timedelta(days=30),
        decide_by=today + timedelta(days=90),
        depth=cycles.Depth(depth),
    )
    with transaction(made.engine) as session:
        cycles.put(session, code, given, now=now, expect=lambda _: None)
        cycles.open_cycle(session, code, now=now, expect=lambda _: None)


def close(made: Api, code: str = CYCLE) -> None:
    """Freeze its lines."""
    with transaction(made.engine) as session:
        cycle_closing.close(session, code, now=made.clock.now)


def plan_of(made: Api, code: str = CYCLE, *, holds: Holds = NOTHING, by: Policy | None = None) -> UUID:
    """A stored plan of the cycle's lines, made here."""
    with transaction(made.engine) as session:
        frozen = planning.take_snapshot(session, by or policy(), cycle=code, holds=holds)
    judged = solve_judged(frozen, effort=Effort())
    with transaction(made.engine) as session:
        return planning.store_plan(session, judged, effort=Effort(), now=made.clock.now).plan


@dataclass(frozen=True, slots=True)
class Round:
    """A planned cycle."""

    api: Api
    plan: UUID

    @property
    def planner(self) -> RoleClient:
        return self.api.client("planner")

    def coordinator(self, *codes: str) -> RoleClient:
        return self.api.client("coordinator", participants=list(codes))

    def propose(self, plan: UUID | None = None, code: str = CYCLE) -> httpx.Response:
        headers = {"If-Match": self.planner.get(f"/v1/cycles/{code}").headers["ETag"]}
        return self.planner.post(f"/v1/cycles/{code}/proposal", json={"plan": str(plan or self.plan)}, headers=headers)

    def tender(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.planner.get(f"/v1/tenders/{key}").json()
        return found

    def do(self, key: str, step: str, **body: Any) -> httpx.Response:
        """A planner's step on the tender as it is now, for a reason of no account unless one is given."""
        etag = self.planner.get(f"/v1/tenders/{key}").headers["ETag"]
        said = {"reason": "made up", **body}
        return self.planner.post(f"/v1/tenders/{key}/{step}", json=said, headers={"If-Match": etag})

    def change(self, key: str, **body: Any) -> httpx.Response:
        etag = self.planner.get(f"/v1/tenders/{key}").headers["ETag"]
        return self.planner.patch(f"/v1/tenders/{key}", json=body, headers={"If-Match": etag})

    def answer(self, key: str, code: str, **body: Any) -> httpx.Response:
        """A coordinator's answer after reading what there is."""
        client, path = self.coordinator(code), f"/v1/tenders/{key}/answers/{code}"
        etag = client.get(path).headers["ETag"]
        return client.put(path, json=body, headers={"If-Match": etag})

    def ask_again(self, key: str, code: str, **body: Any) -> httpx.Response:
        """A planner asks a member again that has answered."""
        path = f"/v1/tenders/{key}/answers/{code}"
        etag = self.planner.get(path).headers["ETag"]
        said = {"reason": "the terms are others now", **body}
        return self.planner.post(f"{path}/ask-again", json=said, headers={"If-Match": etag})

    def invited(self, due: str = DUE) -> str:
        """The one tender, proposed, reviewed and invited."""
        made = self.propose()
        assert made.status_code == 201, made.text
        key: str = made.json()["tenders"][0]
        for answer in (self.do(key, "review"), self.do(key, "invite", due=due)):
            assert answer.status_code == 200, answer.text
        return key

    def confirmed(self) -> str:
        """The one tender with everybody committed."""
        key = self.invited()
        for code in MEMBERS:
            said = self.answer(key, code, answer="commit")
            assert said.status_code == 200, said.text
        done = self.do(key, "confirm")
        assert done.status_code == 200, done.text
        return key


@contextmanager
def planned_world(database_url: str, fill: Callable[[Session], object]) -> Iterator[Round]:
    """The service over what ``fill`` puts in, in a cycle that is closed and planned."""
    with api(database_url) as made:

        def plan() -> UUID:
            copies.install_reference(made.engine)
            with transaction(made.engine) as session:
                fill(session)
            make_cycle(made)
            close(made)
            return plan_of(made)

        yield Round(made, copies.once(made.engine, plan, key=fill))


@pytest.fixture
def planned(database_url: str) -> Iterator[Round]:
    """The small world, planned: one pool of gloves."""
    with planned_world(database_url, small_world) as made:
        yield made
