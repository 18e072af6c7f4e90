"""What-ifs and scenarios over HTTP."""

from typing import Any, get_args
from uuid import uuid4

import msgspec
import pytest

from pooling.planning import asking, whatifs
from pooling.planning.asking import AnyChange
from solver.whatif.changes import KINDS
from tests.pooling.api_client import Api
from tests.pooling.planning.conftest import REGION, Planned
from tests.pooling.planning.given import POLICY

LEAVES = {"changes": [{"kind": "participant_leaves", "participant": REGION}]}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worked out while the request waits is done in this process."""

    def run(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any) -> Any:
        assert not cancelled()
        return function(*arguments, on_progress=on_progress, stop=lambda: False)

    monkeypatch.setattr(whatifs, "run_apart", run)


def test_a_what_if_is_answered_within_the_request_in_a_process_of_its_own(planned: Planned) -> None:
    """SE-M's million gone, 1 350 000 are left: the first tier, not the second."""
    answer = planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=LEAVES)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["before"]["lines_pooled"] == 5
    assert found["after"]["lines_pooled"] == 3
    assert found["difference"]["lines_pooled"] == -2
    assert found["effect_eur"] < 0
    assert found["families_touched"] == ["gloves"]
    changed = {each["participant"]: each["difference"]["benefit_eur"] for each in found["participants"]}
    assert changed[REGION] < 0
    assert planned.planner.get(f"/v1/plans/{planned.plan}").json()["pools"] == 1


def test_a_what_if_leaves_nothing_but_the_entry_of_who_read(planned: Planned, at_once: None) -> None:
    before = planned.planner.get(f"/v1/plans/{planned.plan}").headers["ETag"]
    planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=LEAVES)
    assert planned.planner.get(f"/v1/plans/{planned.plan}").headers["ETag"] == before


def test_a_what_if_that_waits_is_a_job_and_its_answer_kept(planned: Planned, here: None) -> None:
    later = {"Prefer": "respond-async"}
    asked = planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=LEAVES, headers=later)
    assert asked.status_code == 202
    assert asked.headers["Preference-Applied"] == "respond-async"
    assert (asked.json()["status"], asked.json()["difference"]) == ("queued", None)
    assert planned.work() == 1
    done = planned.planner.get(f"/v1/what-ifs/{asked.json()['id']}").json()
    assert done["status"] == "succeeded"
    assert done["difference"]["difference"]["lines_pooled"] == -2
    assert planned.coordinator.get(f"/v1/what-ifs/{asked.json()['id']}").status_code == 404
    assert planned.planner.get(f"/v1/what-ifs/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [{"kind": "participant_leaves"}],
        [{"kind": "unknown", "participant": REGION}],
        [{"kind": "participant_leaves", "participant": "XX"}],
        [{"kind": "policy_changed", "values": {"nothing": 1}}],
        [{"kind": "window_moved", "participant": REGION}],
        [{"kind": "volume_changed", "participant": REGION, "factor": -1}],
        [{"kind": "line_leaves", "line": "1", "more": 1}],
    ],
)
def test_changes_that_cannot_be_made_are_refused(planned: Planned, at_once: None, wrong: list[Any]) -> None:
    answer = planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json={"changes": wrong})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_every_kind_of_change_can_be_asked_for_with_its_fields() -> None:
    """The request's kinds are those of the solver, field by field."""
    from dataclasses import fields

    asked = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyChange)}
    assert set(asked) == set(KINDS)
    for name, kind in asked.items():
        known = {field.name for field in fields(KINDS[name])}
        assert {field.name for field in msgspec.structs.fields(kind)} == known, name


def test_only_so_many_what_ifs_are_worked_out_at_once(planned: Planned, at_once: None) -> None:
    for _ in range(whatifs.AT_ONCE):
        assert whatifs._AT_WORK.acquire(blocking=False)
    try:
        busy = planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=LEAVES)
        assert busy.status_code == 503
        assert int(busy.headers["Retry-After"]) > 0
    finally:
        for _ in range(whatifs.AT_ONCE):
            whatifs._AT_WORK.release()
    assert planned.planner.post(f"/v1/plans/{planned.plan}/what-if", json=LEAVES).status_code == 200


def test_a_grid_is_planned_by_a_job_and_its_frontiers_kept(opened: Api, here: None) -> None:
    from pooling.planning.jobs import HANDLERS
    from tests.pooling.jobs.working import work_all

    planner = opened.client("planner")
    grid = {"carbon_price_eur_per_tonne": [0, 500], "min_participants": [2, 4]}
    asked = planner.post("/v1/scenarios", json={"name": "first", "policy": POLICY, "grid": grid, "time_limit_s": 60})
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == asked.json()["operation"]
    assert work_all(opened.engine, HANDLERS, now=opened.clock.now) == 1
    done = planner.get(f"/v1/scenarios/{asked.json()['id']}").json()
    assert done["status"] == "succeeded"
    result = done["result"]
    assert [point["values"] for point in result["points"]] == [
        {"carbon_price_eur_per_tonne": price, "min_participants": least} for price in (0, 500) for least in (2, 4)
    ]
    assert result["points"][0]["totals"]["lines_pooled"] == 5
    assert set(result["frontiers"]["all"]["axes"]) >= {"cash_saving_eur", "co2_saved_tonnes_per_year"}
    assert result["frontiers"]["co2"]["points"]
    (listed,) = planner.get("/v1/scenarios").json()["items"]
    assert (listed["status"], listed["name"], listed["snapshot"]) == ("succeeded", "first", done["snapshot"])
    assert "result" not in listed
    coordinator = opened.client("coordinator", participants=[REGION])
    assert coordinator.get(f"/v1/scenarios/{asked.json()['id']}").status_code == 404


def test_a_grid_with_faults_fails_with_every_place(opened: Api, here: None) -> None:
    from pooling.planning.jobs import HANDLERS
    from tests.pooling.jobs.working import work_all

    planner = opened.client("planner")
    grid = {"confidence": [0.9, 3], "nothing": [1]}
    asked = planner.post("/v1/scenarios", json={"name": "wrong", "policy": POLICY, "grid": grid}).json()
    work_all(opened.engine, HANDLERS, now=opened.clock.now)
    assert planner.get(f"/v1/scenarios/{asked['id']}").json()["status"] == "failed"
    problem = planner.get(asked["operation"]).json()["problem"]
    assert problem["code"] == "bad-input"
    assert "grid.confidence[1]" in problem["detail"]
    assert "grid.nothing" in problem["detail"]


@pytest.mark.parametrize("grid", [{}, {"confidence": []}, {"confidence": [0.9] * 257}, {"confidence": 0.9}])
def test_a_grid_out_of_bounds_is_refused_at_once(opened: Api, grid: dict[str, Any]) -> None:
    answer = opened.client("planner").post("/v1/scenarios", json={"name": "x", "grid": grid})
    assert answer.status_code in (400, 422)


def test_requests_refuse_fields_that_they_do_not_know() -> None:
    for name in ("NewRun", "EndRun", "NewWhatIf", "NewScenarios", "NewUnlock", "NewBaselines", "PolicyDocument"):
        assert getattr(asking, name).__struct_config__.forbid_unknown_fields, name
