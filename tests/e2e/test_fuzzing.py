"""The described API holds: what is made up from its description is answered as described, and nothing breaks it."""

from typing import cast

import pytest
from litestar import get
from schemathesis.checks import CHECKS

from tests.e2e.fuzzing import Fuzzed, fuzz, put_to_the_test
from tests.pooling.serving import served


def told(found: Fuzzed) -> str:
    """Figures, and each failed check with a request for it."""
    unanswered = {name: dict(found.by_operation[name]) for name in sorted(found.operations - found.good)}
    lines = [
        f"{found.statuses.total()} answers {dict(found.statuses)}; checks made: {found.checks.total()}",
        f"operations with a 2xx: {len(found.good)} of {len(found.operations)}; without: {unanswered}",
        *(f"{name}: {why[:600]}" for name, why in found.failures.items()),
        *(error[:600] for error in found.errors),
    ]
    return "\n".join(lines)


def holds(found: Fuzzed) -> None:
    """No check failed, nearly every operation was answered well, and every check that there is was made."""
    print(told(found))
    assert not found.failures, told(found)
    assert not found.errors, told(found)
    assert found.statuses["5xx"] == 0, told(found)
    assert found.share_good >= 0.95, told(found)
    assert set(found.checks) == set(CHECKS.get_all_names())


def test_the_api_is_as_it_is_described(database_url: str) -> None:
    holds(fuzz(database_url, examples=1))


@pytest.mark.prove
def test_the_api_is_as_it_is_described_at_length(database_url: str) -> None:
    holds(fuzz(database_url, examples=30, thorough=True))


@get("/planted/broken", operation_id="broken.read", sync_to_thread=False)
def broken() -> dict[str, int]:
    """Planted: breaks."""
    raise RuntimeError("planted")


@get("/planted/lying", operation_id="lying.read", sync_to_thread=False)
def lying() -> dict[str, int]:
    """Planted: says one thing and answers another."""
    return cast("dict[str, int]", {"number": "none"})


def test_what_breaks_or_is_not_as_described_is_found(database_url: str) -> None:
    with served(database_url, broken, lying) as client:
        described = client.get("/schema/openapi.json").json()
        described["paths"] = {path: item for path, item in described["paths"].items() if path.startswith("/planted")}
        found = put_to_the_test(client, described, "npk_none", examples=1)
    assert found.statuses["5xx"] > 0
    assert {name.partition(":")[0] for name in found.failures} >= {
        "broken.read not_a_server_error",
        "lying.read response_schema_conformance",
    }
    with pytest.raises(AssertionError):
        holds(found)
