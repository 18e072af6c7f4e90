"""Cycles as tests have them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from pooling.cycles import service
from pooling.cycles.rules import Depth, Given
from tests.pooling.api_client import Api, RoleClient

BODY: dict[str, Any] = {
    "name": "Autumn",
    "time_zone": "Europe/Copenhagen",
    "opens_on": "2026-11-01",
    "closes_on": "2026-11-30",
    "plan_by": "2026-12-15",
    "decide_by": "2027-01-31",
}
PATH = "/v1/cycles/autumn"
ENDS = datetime(2026, 11, 30, 23, tzinfo=UTC)
"""The end of its last day, in Copenhagen."""


def body(**changes: Any) -> dict[str, Any]:
    return {**BODY, **changes}


def announced(app: Api, code: str = "autumn", **changes: Any) -> httpx.Response:
    """A cycle that was put."""
    made = app.client("planner").put(f"/v1/cycles/{code}", json=body(**changes))
    assert made.status_code == 201, made.text
    return made


def step(client: RoleClient, code: str, name: str, **more: Any) -> httpx.Response:
    """A step, taken on the version that is there."""
    etag = client.get(f"/v1/cycles/{code}").headers["ETag"]
    return client.post(f"/v1/cycles/{code}/{name}", headers={"If-Match": etag}, **more)


def opened(app: Api, code: str = "autumn", **changes: Any) -> None:
    """A cycle that takes demand."""
    announced(app, code, **changes)
    done = step(app.client("planner"), code, "open")
    assert done.status_code == 200, done.text


def given(opens_on: date, *, days: int = 30, **changes: Any) -> Given:
    """What planners say of a cycle of so many days."""
    closes_on = opens_on + timedelta(days=days - 1)
    said: dict[str, Any] = {
        "name": "made up",
        "time_zone": "Europe/Copenhagen",
        "opens_on": opens_on,
        "closes_on": closes_on,
        "plan_by": closes_on + timedelta(days=30),
        "decide_by": closes_on + timedelta(days=60),
        "depth": Depth.JOINT,
    }
    return Given(**{**said, **changes})


def no_matter(version: int | None) -> None:
    """Whatever version there is."""


def put(session: Any, code: str, opens_on: date, now: datetime, **changes: Any) -> service.CycleRecord:
    """A cycle by the service."""
    return service.put(session, code, given(opens_on, **changes), now=now, expect=no_matter)
