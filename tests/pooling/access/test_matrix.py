"""Every operation of the API × every role × own, another's, nobody's, revoked: a real request, and what comes of it."""

import pytest

from pooling.access.matrix import MATRIX, OWN, Answer, Row
from pooling.access.rules import Role
from tests.pooling.access.operations import described, faults, of_paths
from tests.pooling.access.samples import Place, Sample, samples
from tests.pooling.access.world import World

SAMPLES = samples()


def test_every_operation_has_one_row_and_one_sample(world: World) -> None:
    assert faults(described(world.client.app), MATRIX, SAMPLES) == []


def test_an_operation_without_row_or_sample_is_found() -> None:
    paths = {"/v1/new": {"get": {"operationId": "new.read"}, "post": {}}, "/health": {"get": {}}}
    found = {operation: method for operation, method, _ in of_paths(paths)}
    assert set(found) == {"new.read", "post /v1/new"}
    told = faults(found, {"old.read": Row()}, {"new.read": 1, "odd.read": 1})
    assert told == [
        "operation new.read has no row in pooling/access/matrix.py",
        "operation post /v1/new has no row in pooling/access/matrix.py",
        "row old.read of pooling/access/matrix.py is no operation",
        "operation post /v1/new has no sample in tests/pooling/access/samples/",
        "sample odd.read is no operation",
    ]


@pytest.mark.parametrize("operation", sorted(SAMPLES))
def test_each_role_gets_what_the_matrix_says(world: World, operation: str) -> None:
    wrong = [told for place in SAMPLES[operation].places for told in _wrong(world, SAMPLES[operation], place)]
    assert wrong == []


def test_a_row_that_allows_too_much_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requests are real: where the matrix and the service differ, the answer shows it."""
    monkeypatch.setitem(MATRIX, "principals.list", Row(coordinator=OWN, administrator=OWN))
    told = _expected(Role.COORDINATOR, MATRIX["principals.list"], "none")
    assert told is Answer.ALLOW
    monkeypatch.undo()
    answer = world.sampled("coordinator", SAMPLES["principals.list"], "none")
    assert _fault(told, answer.status_code) == "allow expected, 403 came"


def _wrong(world: World, sample: Sample, place: Place) -> list[str]:
    row = MATRIX[sample.operation]
    told = []
    for role in Role:
        expected = _expected(role, row, place)
        answer = world.sampled(role.value, sample, place)
        fault = _fault(expected, answer.status_code)
        if fault:
            told.append(f"{sample.operation} on {place} as {role}: {fault}: {answer.text[:300]}")
    for name in (*(f"{role}-revoked" for role in Role), None):
        world.wait(60)  # refused credentials are limited by address and time
        answer = world.sampled(name, sample, place)
        if answer.status_code != (200 if row.public else 401):
            told.append(f"{sample.operation} on {place} as {name}: {answer.status_code} came")
    if row.scope is not None:
        answer = world.sampled(_without(row.scope), sample, place)
        if answer.status_code != 403:
            told.append(f"{sample.operation} on {place} without {row.scope}: 403 expected, {answer.status_code} came")
    return told


def _expected(role: Role, row: Row, place: Place) -> Answer:
    cell = row.cell(role)
    return {"own": cell.own, "others": cell.others, "none": cell.none}[place]


def _fault(expected: Answer, status: int) -> str | None:
    right = {
        Answer.ALLOW: 200 <= status < 300,
        Answer.HIDDEN: status == 404,
        Answer.FORBIDDEN: status == 403,
    }[expected]
    return None if right else f"{expected} expected, {status} came"


def _without(scope: str) -> str:
    """A partner of the own participant whose key has another scope."""
    return "partner-of-pools" if scope == "feed:read" else "partner-unscoped"
