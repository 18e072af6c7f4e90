"""One scenario's plan stored as a plan like any other: shown, compared, explained, and taken into a cycle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from pooling import audit
from pooling.errors import NotFound, WrongState
from pooling.planning.scenario_sets import ScenarioRecord, scenarios_of
from pooling.planning.snapshot import Frozen, canonical
from pooling.planning.solving import Judged
from pooling.planning.storing import Made, store_plan, unpacked
from pooling.planning.tables import ScenarioPlan, Snapshot
from solver import Instance
from solver.baselines.judged import GOOD_ENOUGH
from solver.scenarios.grids import settings

BASE = -1
"""Number of the policy that the grid began with."""
LONGEST = 400  # characters of a policy's name


def store(session: Session, key: UUID, number: int, *, now: datetime) -> Made:
    """Store the plan of a grid's point on the snapshot that all its points share, under the point's policy.

    The judge looks at it again. Stored twice, the first one stands. Raises NotFound where there are no such scenarios
    or point; WrongState where they are not done, or were made before points' plans were kept.
    """
    record = scenarios_of(session, key)
    if record.document is None or record.snapshot is None:
        raise WrongState(f"scenarios {key} are {record.status}: store a plan once they have succeeded")
    point = _point(record, number)
    kept = session.get(ScenarioPlan, (key, number if point["same_as"] is None else point["same_as"]))
    if kept is None:
        raise WrongState(f"scenarios {key} were made without keeping plans; ask for the grid again: POST /v1/scenarios")
    snapshot = session.get_one(Snapshot, record.snapshot)
    frozen = Frozen(snapshot.id, unpacked(snapshot.instance), snapshot.policy, snapshot.context)
    judged = Judged(_under(frozen, record, number), unpacked(kept.document))
    made = store_plan(session, judged, effort=replace(record.effort, gap=GOOD_ENOUGH), now=now)
    details = {"number": number, "plan": str(made.plan)}
    audit.acted(session, "scenario-plans.create", resource=("scenarios", key), details=details)
    return made


def _point(record: ScenarioRecord, number: int) -> Mapping[str, Any]:
    assert record.document is not None  # noqa: S101 looked at before
    points = [record.document["base"], *record.document["points"]]
    found: Mapping[str, Any] | None = next((each for each in points if each["number"] == number), None)
    if found is None:
        raise NotFound(f"scenarios {record.id} have no point {number}; they have {BASE} to {len(points) - 2}")
    return found


def _under(frozen: Frozen, record: ScenarioRecord, number: int) -> Frozen:
    """The snapshot with the policy of a point, whose name says where it is from."""
    inside = frozen.instance["policy"]
    if number != BASE:
        instance = Instance.from_document(frozen.instance)
        setting = settings(instance, record.grid)[number]
        inside = json.loads(canonical(replace(instance, policy=setting.policy).to_document()))["policy"]
    said = "the policy it began with" if number == BASE else f"scenario {number}"
    outside = {name: value for name, value in inside.items() if name in frozen.policy}
    name = f"{frozen.policy['name']}: {said} of {record.name}"[:LONGEST]
    instance_under, policy = {**frozen.instance, "policy": inside}, {**frozen.policy, **outside, "name": name}
    text = canonical({"instance": instance_under, "policy": policy, "context": frozen.context})
    return Frozen(hashlib.sha256(text.encode()).hexdigest(), instance_under, policy, frozen.context)
