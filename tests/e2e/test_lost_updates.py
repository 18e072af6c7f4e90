"""A hundred writers on one offer, over real HTTP: no change is lost, and whoever came too late is told."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pooling.access.rules import Role
from pooling.database import reading
from pooling.settings import Settings
from tests import copies
from tests.pooling.access.samples.market import offer_body, risk_area_body
from tests.pooling.api_client import make_account
from tests.pooling.serving import served

WRITERS = 100
AT_ONCE = 20
PATH = "/v1/offers/wanted"


@pytest.fixture
def headers(engine: Engine) -> dict[str, str]:
    copies.install_reference(engine)
    return make_account(engine, Role.PLANNER, now=datetime.now(UTC)).headers


def test_of_a_hundred_writers_each_success_is_a_version_and_the_rest_are_412(
    engine: Engine, database_url: str, headers: dict[str, str]
) -> None:
    together = Barrier(AT_ONCE)
    with served(database_url, settings=Settings(requests_per_minute=0)) as client:
        made = client.put(PATH, json=offer_body(name="first"), headers=headers)
        assert made.status_code == 201, made.text

        def write(number: int) -> tuple[int, str, int]:
            seen = client.get(PATH, headers=headers)
            if number < AT_ONCE:
                together.wait(30)  # the first of each thread hold the same version: one of them may write
            name = f"writer {number}"
            there = {**headers, "If-Match": seen.headers["ETag"]}
            answer = client.put(PATH, json=offer_body(name=name), headers=there)
            return answer.status_code, name, answer.json().get("version", 0)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(write, range(WRITERS)))
        last = client.get(PATH, headers=headers).json()
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) == {200, 412}
    assert statuses[412] >= AT_ONCE - 1
    written = {version: name for status, name, version in answers if status == 200}
    assert sorted(written) == list(range(2, statuses[200] + 2)), "two writers were told the same version"
    assert (last["version"], last["name"]) == (statuses[200] + 1, written[statuses[200] + 1])
    with reading(engine) as session:
        told = session.connection().execute(
            text("SELECT version FROM feed_entry WHERE type = 'offer' AND resource_id = 'wanted' ORDER BY position")
        )
        assert [row[0] for row in told] == [str(version) for version in range(1, statuses[200] + 2)]


def area_body(*, name: str) -> dict[str, Any]:
    """A risk area by this name."""
    return {**risk_area_body(), "name": name}


BODIES: dict[str, Callable[..., dict[str, Any]]] = {
    "/v1/offers/wanted": offer_body,
    "/v1/policies/wanted": dict,
    "/v1/risk-areas/wanted": area_body,
}


@pytest.mark.parametrize("path", BODIES)
def test_of_many_who_read_the_same_version_one_may_write(
    engine: Engine, database_url: str, headers: dict[str, str], path: str
) -> None:
    together = Barrier(AT_ONCE)
    with served(database_url, settings=Settings(requests_per_minute=0)) as client:
        made = client.put(path, json=BODIES[path](name="first"), headers=headers)
        assert made.status_code == 201, made.text

        def write(number: int) -> int:
            together.wait(30)
            there = {**headers, "If-Match": made.headers["ETag"]}
            return client.put(path, json=BODIES[path](name=f"writer {number}"), headers=there).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = Counter(pool.map(write, range(AT_ONCE)))
        assert statuses == {200: 1, 412: AT_ONCE - 1}
        assert client.get(path, headers=headers).json()["version"] == 2
