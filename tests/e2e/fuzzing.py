"""The described API against itself: requests made up from its own description, every answer checked against it.

Schemathesis makes them up; the ids that exist and the bodies that make sense come from the samples of the access
matrix, as examples in the description that it is handed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import schemathesis
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.generation.meta import TestPhase

from pooling.access import attempts, keys, people
from pooling.access.people import Rights
from pooling.access.rules import Role
from pooling.settings import Settings
from tests.pooling.access.samples import Place, Sample, Sent, samples
from tests.pooling.access.world import World, opened_world
from tests.pooling.serving import served

EVERYTHING = frozenset({Role.PLANNER, Role.ADMINISTRATOR})
"""Roles that together may ask for everything."""
REFUSED = ("400", "404", "405", "408", "409", "412", "413", "415", "422", "428")
"""Good answers to data of the wrong form."""
CONTRADICTED = ("2xx", "304", "403", "404", "409", "412", "422", "428")
"""Good answers to data of the right form: it may still contradict what is there, as a category that nobody knows."""


LONGEST_CURSOR = 1000
ANY_KEY = "another-one-for-each-request"


@dataclass
class Fuzzed:
    """What came of it. ``good``: operations that answered 2xx; ``failures``: failed checks with a request for each."""

    operations: set[str] = field(default_factory=set)
    good: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    checks: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def share_good(self) -> float:
        return len(self.good) / len(self.operations)


def config(*, examples: int, thorough: bool) -> SchemathesisConfig:
    """``examples``: requests made up for each operation. ``thorough``: each limit of each field too, and sequences."""
    checks = ChecksConfig(
        positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=CONTRADICTED),
        negative_data_rejection=NegativeDataRejectionConfig(expected_statuses=REFUSED),
    )
    generation = GenerationConfig(
        max_examples=examples,
        deterministic=True,
        no_shrink=True,
        database="none",
        allow_x00=False,
        with_security_parameters=False,  # the credentials are given; that others are refused is a check of its own
    )
    phases = PhasesConfig(
        examples=ExamplesPhaseConfig(generation=generation),
        coverage=CoveragePhaseConfig(enabled=thorough, generation=generation),
        fuzzing=FuzzingPhaseConfig(generation=generation),
        stateful=StatefulPhaseConfig(enabled=thorough, generation=generation),
    )
    project = ProjectConfig(checks=checks, phases=phases, generation=generation, continue_on_failure=True)
    return SchemathesisConfig(seed=1, projects=ProjectsConfig(default=project))


def fuzz(url: str, *, examples: int, thorough: bool = False) -> Fuzzed:
    """Put the service over a populated database to the test."""
    with opened_world(url) as world, served(url, settings=Settings(requests_per_minute=0)) as client:
        key, kept = _somebody(world)
        described = client.get("/schema/openapi.json").json()
        with_examples(world, described)
        with keeping(kept, world), no_lock():
            return put_to_the_test(client, described, key, examples=examples, thorough=thorough)


def put_to_the_test(
    client: httpx.Client, described: dict[str, Any], key: str, *, examples: int, thorough: bool = False
) -> Fuzzed:
    """Send what is made up from the description, and note what comes of it."""
    found = Fuzzed()
    schema = schemathesis.openapi.from_dict(described, config=config(examples=examples, thorough=thorough))
    schema.config.update(base_url=str(client.base_url), headers={"Authorization": f"Bearer {key}"})
    found.operations = {operation.ok().definition.raw["operationId"] for operation in schema.get_all_operations()}
    for event in from_schema(schema).execute():
        _note(found, event)
    return found


def _somebody(world: World) -> tuple[str, set[str]]:
    """A key that opens everything, and the ids that must not be revoked while it is used."""
    with world.written() as opened:
        rights = Rights(roles=EVERYTHING)
        who = people.add_person(opened.session, "Asks for everything", rights, now=world.now)
        made = keys.add(opened.session, who, label="everything", now=world.now)
    world.principals["everything"], world.tokens["everything"] = who, made.secret
    return made.secret, {str(who), str(made.key.id)}


def with_examples(world: World, described: dict[str, Any]) -> None:
    """Give each operation the path, headers and body of its sample as examples."""
    known = samples()
    for path, item in described["paths"].items():
        for operation in item.values():
            sample = known.get(operation.get("operationId", "")) if isinstance(operation, dict) else None
            if sample is not None:
                _example(described, operation, path, sample.ask(world, _place(sample)))


def _place(sample: Sample) -> Place:
    return "others" if "others" in sample.places else "none"


def _renew(case: Any, sent: Sent) -> None:
    """Put what the sample asks for now in the place of what it asked for when the description was made."""
    address = urlsplit(sent.path)
    matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", case.operation.path), address.path)
    assert matched is not None, f"{sent.path} is no {case.operation.path}"
    case.path_parameters = {**(case.path_parameters or {}), **matched.groupdict()}
    if sent.json is not None:
        case.body = sent.json
    case.headers = {"Idempotency-Key": ANY_KEY, **(case.headers or {}), **sent.headers}


def _example(described: dict[str, Any], operation: dict[str, Any], path: str, sent: Sent) -> None:
    """Put the parts of a request that makes sense into the description of its operation."""
    address = urlsplit(sent.path)
    matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), address.path)
    assert matched is not None, f"{sent.path} is no {path}"
    given = {**matched.groupdict(), **dict(parse_qsl(address.query)), "Idempotency-Key": ANY_KEY, **sent.headers}
    written = []
    for named in operation.get("parameters", ()):
        shared = named.get("$ref", "").rpartition("/")[2]
        parameter = dict(described["components"]["parameters"][shared] if shared else named)
        if parameter["name"] in given:
            value = given[parameter["name"]]
            parameter["example"] = int(value) if parameter["schema"].get("type") == "integer" else value
        written.append(parameter)
    operation["parameters"] = written
    for media in operation.get("requestBody", {}).get("content", {}).values():
        if sent.json is not None:
            media["example"] = sent.json
        elif sent.files is not None:
            media["example"] = {name: content.decode() for name, (_, content, _) in sent.files.items()}


@contextmanager
def keeping(kept: set[str], world: World) -> Iterator[None]:
    """Send every request under a key of its own where it has one, and none that would lock its sender out.

    What a sample asks for is made just before it is asked for: what came between may have changed it.
    """
    known = samples()

    @schemathesis.hook("before_call")
    def change(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        sample = known.get(case.operation.definition.raw["operationId"])
        if sample is not None and case.meta is not None and case.meta.phase.name == TestPhase.EXAMPLES:
            _renew(case, sample.ask(world, _place(sample)))
        headers = case.headers or {}
        if headers.get("Idempotency-Key") == ANY_KEY:
            headers["Idempotency-Key"] = str(uuid4())
        if case.query and isinstance(case.query.get("cursor"), str) and len(case.query["cursor"]) <= LONGEST_CURSOR:
            del case.query["cursor"]  # signed, not to be made up; that a made up one is 400 is another test's
        for name, value in (case.path_parameters or {}).items():
            if str(value) in kept:
                case.path_parameters[name] = str(uuid4())

    try:
        yield
    finally:
        schemathesis.hooks.unregister(change)


@contextmanager
def no_lock() -> Iterator[None]:
    """Take wrong credentials as often as they come: that too many are refused with 429 is another test's."""
    with patch.dict(attempts.MOST, dict.fromkeys(attempts.MOST, 10**9)):
        yield


def _note(found: Fuzzed, event: events.EngineEvent) -> None:
    if isinstance(event, events.NonFatalError | events.FatalError):
        info = getattr(event, "info", None)
        found.errors.append(f"{getattr(event, 'label', '')}: {info.format() if info else event}")
    if not isinstance(event, events.ScenarioFinished):
        return
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        node = recorder.cases.get(case_id)
        if interaction.response is None or node is None:
            continue
        operation = node.value.operation.definition.raw["operationId"]
        status = interaction.response.status_code
        found.statuses[f"{status // 100}xx"] += 1
        found.by_operation[operation][status] += 1
        if status // 100 == 2:
            found.good.add(operation)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            found.checks[check.name] += 1
            if check.status == Status.FAILURE and check.failure_info is not None:
                _note_failure(found, recorder, case_id, check)


def _note_failure(found: Fuzzed, recorder: Any, case_id: str, check: Any) -> None:
    operation = recorder.cases[case_id].value.operation.definition.raw["operationId"]
    failure = check.failure_info.failure
    interaction = recorder.interactions[case_id]
    request, response = interaction.request, interaction.response
    body = "" if response is None else response.content[:300].decode("utf-8", "replace")
    sent = (request.body or b"")[:300] if request.body else b""
    told = f"{request.method} {request.uri} {sent!r} -> {getattr(response, 'status_code', None)} {body}"
    found.failures.setdefault(f"{operation} {check.name}: {failure.title}", f"{failure.message} | {told}")
