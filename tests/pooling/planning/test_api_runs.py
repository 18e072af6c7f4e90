"""Runs over HTTP: asked for, followed, ended early, answered once."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel

from pooling.database import reading, transaction
from pooling.jobs import JobStopped
from pooling.planning import runs, service, work
from pooling.planning.jobs import HANDLERS
from pooling.planning.policy import policy_kept
from pooling.planning.solving import Effort, Judged
from tests.pooling.api_client import Api, RoleClient
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.demand import policy
from tests.pooling.planning.given import POLICY


def ask(planner: RoleClient, **changes: Any) -> dict[str, Any]:
    answer = planner.post("/v1/runs", json={"policy": POLICY} | changes)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


def do(opened: Api) -> int:
    return work_all(opened.engine, HANDLERS, now=opened.clock.now)


def stored_plans(engine: Engine) -> int:
    with reading(engine) as session:
        table = SQLModel.metadata.tables["plan"]
        return int(session.connection().execute(select(func.count()).select_from(table)).scalar_one())


def test_a_run_is_worked_out_in_a_process_of_its_own_and_leads_to_its_plan(opened: Api) -> None:
    """The one test that goes the whole way: two jobs, the plan and what explains it."""
    planner = opened.client("planner")
    answer = planner.post("/v1/runs", json={"policy": POLICY})
    run = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == run["operation"]
    assert (run["status"], run["plan"], run["progress"]) == ("queued", None, None)
    assert do(opened) == 2
    done = planner.get(f"/v1/runs/{run['id']}").json()
    assert (done["status"], done["again"], done["problem"]) == ("succeeded", False, None)
    plan = planner.get(f"/v1/plans/{done['plan']}").json()
    assert (plan["pools"], plan["status"], plan["policy"]["pool_cost_eur"]) == (1, "optimal", 100)
    assert planner.get(f"/v1/plans/{done['plan']}/explanations").json()["missing"] == []
    assert planner.get(run["operation"]).json()["status"] == "succeeded"


def test_a_run_is_followed_with_figures(opened: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver's last word, as its job keeps it."""
    planner = opened.client("planner")
    run = ask(planner)
    seen = []

    def apart(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any, stop: Any = lambda: False) -> Any:
        def tell(figures: Any) -> None:
            on_progress(figures)
            with transaction(opened.engine) as session:  # what a started worker does about once a second
                job = SQLModel.metadata.tables["job"]
                of_run = job.update().where(job.c.kind == runs.SOLVE)
                session.connection().execute(of_run.values(progress=dict(figures)))
            seen.append(planner.get(f"/v1/runs/{run['id']}").json())

        return function(*arguments, on_progress=tell if function is work.solve else on_progress, stop=stop)

    for place in ("pooling.jobs.context.run_apart", "pooling.planning.jobs.run_apart"):
        monkeypatch.setattr(place, apart)
    do(opened)
    assert {each["status"] for each in seen} == {"running"}
    last = seen[-1]["progress"]
    assert last["families_done"] == last["families"] > 0
    assert last["best_total_eur"] == pytest.approx(last["bound_eur"], rel=1e-3)
    assert 0 <= last["gap"] < 1e-3


def test_the_same_question_gives_the_stored_plan(opened: Api, here: None) -> None:
    planner = opened.client("planner")
    first = ask(planner)
    do(opened)
    again = ask(planner)
    assert again["id"] != first["id"]
    do(opened)
    plans = [planner.get(f"/v1/runs/{run['id']}").json() for run in (first, again)]
    assert plans[0]["plan"] == plans[1]["plan"] is not None
    assert [each["again"] for each in plans] == [False, True]
    assert stored_plans(opened.engine) == 1
    other = ask(planner, seed=1)
    do(opened)
    assert planner.get(f"/v1/runs/{other['id']}").json()["plan"] != plans[0]["plan"]


def test_the_same_request_twice_is_one_run(opened: Api) -> None:
    planner = opened.client("planner")
    key = {"Idempotency-Key": f'"{uuid4()}"'}
    first, second = (planner.post("/v1/runs", json={"policy": POLICY}, headers=key) for _ in range(2))
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert len(planner.get("/v1/runs").json()["items"]) == 1
    assert planner.post("/v1/runs", json={"policy": POLICY, "seed": 9}, headers=key).status_code == 422


def test_a_lost_worker_s_run_is_taken_over_and_its_late_write_refused(
    opened: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker falls silent while it solves; another does the run; then the first comes back with its plan."""
    planner, engine, later = opened.client("planner"), opened.engine, opened.clock.now + timedelta(seconds=31)
    run = ask(planner)
    solved: list[int] = []

    def apart(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any, stop: Any = lambda: False) -> Any:
        if function is work.solve:
            solved.append(stored_plans(engine))
            if len(solved) == 1:
                assert work_all(engine, HANDLERS, now=later) == 2  # the run, and what explains its plan
                assert stored_plans(engine) == 1
        return function(*arguments, on_progress=on_progress, stop=stop)

    for place in ("pooling.jobs.context.run_apart", "pooling.planning.jobs.run_apart"):
        monkeypatch.setattr(place, apart)
    do(opened)
    assert solved == [0, 0]
    assert stored_plans(engine) == 1
    done = planner.get(f"/v1/runs/{run['id']}").json()
    assert (done["status"], done["again"], done["version"]) == ("succeeded", False, 2)
    with reading(engine) as session:
        entries = SQLModel.metadata.tables["audit_entry"].c
        stored = session.connection().execute(select(entries.operation).where(entries.operation == "plans.store"))
        assert len(stored.all()) == 1


@pytest.mark.parametrize("limit", [{"time_limit_s": 0}, {"workers": 0}, {"gap": 1}, {"seed": -1}, {"seconds": 3}])
def test_efforts_out_of_bounds_are_refused(opened: Api, limit: dict[str, Any]) -> None:
    answer = opened.client("planner").post("/v1/runs", json={"policy": POLICY} | limit)
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_policy_that_names_what_is_not_known_is_refused_with_every_fault(opened: Api) -> None:
    wrong = POLICY | {"criterion_value": {"uhm-bsaic": 1}, "category_term_months": {"gluves": 12}}
    answer = opened.client("planner").post("/v1/runs", json={"policy": wrong})
    assert answer.status_code == 422
    assert "uhm-bsaic" in answer.json()["detail"]
    assert "gluves" in answer.json()["detail"]


def test_a_run_that_waits_is_cancelled_at_once(opened: Api) -> None:
    planner = opened.client("planner")
    run = ask(planner)
    ended = planner.post(f"/v1/runs/{run['id']}/cancel", json={"plan": "keep"}).json()
    assert (ended["status"], ended["cancel"], ended["plan"]) == ("cancelled", "discard", None)
    assert do(opened) == 0
    again = planner.post(f"/v1/runs/{run['id']}/cancel", json={}).json()
    assert (again["status"], again["version"]) == ("cancelled", ended["version"])


def test_a_run_is_cancelled_as_it_was_seen(opened: Api) -> None:
    planner = opened.client("planner")
    path = f"/v1/runs/{ask(planner)['id']}"
    seen = planner.get(path).headers["ETag"]
    refused = planner.post(f"{path}/cancel", json={}, headers={"If-Match": '"odd.x"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
    assert planner.post(f"{path}/cancel", json={}, headers={"If-Match": seen}).json()["status"] == "cancelled"
    assert planner.post(f"{path}/cancel", json={}, headers={"If-Match": seen}).status_code == 412


def test_a_run_told_to_keep_its_plan_stops_and_keeps_it_with_a_true_bound(
    opened: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked while it runs: the solver hears ``stop``, and what it has by then is stored; it answers no other run."""
    planner = opened.client("planner")
    run = ask(planner)

    def apart(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any, stop: Any = lambda: False) -> Any:
        if function is not work.solve:
            return function(*arguments, on_progress=on_progress, stop=stop)
        assert not stop()
        answer = planner.post(f"/v1/runs/{run['id']}/cancel", json={"plan": "keep"}).json()
        assert (answer["status"], answer["cancel"]) == ("running", "keep")
        assert stop()
        assert not cancelled()
        judged = function(*arguments, on_progress=on_progress, stop=lambda: False)
        early = {"interrupted": True, "status": "feasible", "bound_eur": judged.document["bound_eur"] * 2}
        gap = {"gap": 1 - judged.document["objective_eur"] / early["bound_eur"]}
        return Judged(judged.frozen, dict(judged.document) | early | gap)

    for place in ("pooling.jobs.context.run_apart", "pooling.planning.jobs.run_apart"):
        monkeypatch.setattr(place, apart)
    do(opened)
    done = planner.get(f"/v1/runs/{run['id']}").json()
    assert (done["status"], done["cancel"]) == ("succeeded", "keep")
    plan = planner.get(f"/v1/plans/{done['plan']}").json()
    assert plan["interrupted"] is True
    assert plan["bound_eur"] >= plan["objective_eur"]
    assert plan["gap"] == pytest.approx(0.5, rel=0.01)
    whole = service.make_plan(opened.engine, policy(), now=opened.clock.now)
    assert (whole.again, str(whole.plan) == done["plan"]) == (False, False)


def test_a_run_told_to_discard_its_plan_leaves_none(opened: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    planner = opened.client("planner")
    run = ask(planner)

    def apart(function: Any, arguments: Any, *, on_progress: Any, cancelled: Any, stop: Any = lambda: False) -> Any:
        planner.post(f"/v1/runs/{run['id']}/cancel", json={"plan": "discard"})
        raise JobStopped("the calculation was stopped")

    monkeypatch.setattr("pooling.jobs.context.run_apart", apart)
    do(opened)
    done = planner.get(f"/v1/runs/{run['id']}").json()
    assert (done["status"], done["plan"]) == ("cancelled", None)
    assert stored_plans(opened.engine) == 0


def test_a_run_that_fails_says_why(opened: Api, here: None) -> None:
    """The policy was good when it was asked for; the criterion it names is gone when a worker takes it up."""
    planner = opened.client("planner")
    with transaction(opened.engine) as session:
        asked = runs.ask(session, policy(), effort=Effort(), now=opened.clock.now, by=uuid4())
        table = SQLModel.metadata.tables["plan_run"]
        gone = asked.policy | {"criterion_value": {"gone": 1.0}}
        session.connection().execute(table.update().where(table.c.id == asked.id).values(policy=gone))
    do(opened)
    done = planner.get(f"/v1/runs/{asked.id}").json()
    assert done["status"] == "failed"
    assert done["problem"]["code"] == "bad-setting"
    assert "gone" in done["problem"]["detail"]


def test_runs_are_listed_latest_first_in_pages(opened: Api) -> None:
    planner = opened.client("planner")
    made = []
    for _ in range(3):
        opened.clock.now += timedelta(seconds=1)
        made.append(ask(planner)["id"])
    page = planner.get("/v1/runs?limit=2").json()
    rest = planner.get(f"/v1/runs?limit=2&cursor={page['next_cursor']}").json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


def test_what_nobody_asked_for_is_not_found(opened: Api) -> None:
    planner = opened.client("planner")
    assert planner.get(f"/v1/runs/{uuid4()}").status_code == 404
    assert planner.post(f"/v1/runs/{uuid4()}/cancel", json={}).status_code == 404
    assert planner.get("/v1/runs?status=failed").status_code == 400


def test_runs_are_the_planners(opened: Api) -> None:
    run = ask(opened.client("planner"))
    auditor = opened.client("auditor")
    coordinator = opened.client("coordinator", participants=["SE-M"])
    assert auditor.get(f"/v1/runs/{run['id']}").status_code == 200
    assert auditor.post("/v1/runs", json={}).status_code in (403, 404)
    assert coordinator.get(f"/v1/runs/{run['id']}").status_code == 404
    assert coordinator.get("/v1/runs").status_code == 404
    assert opened.client("administrator").get(f"/v1/runs/{run['id']}").status_code in (403, 404)


def test_the_policy_in_force_is_kept_whole_with_the_run(opened: Api) -> None:
    run = ask(opened.client("planner"), policy=None, policy_name=None)
    with reading(opened.engine) as session:
        kept = runs.run_of(session, UUID(run["id"])).in_force
    assert kept.as_of == opened.clock.now.date()
    assert policy_kept(kept.to_document()) == kept
    with_all = policy(max_pools_per_quarter=3, horizon_start="2028-01", category_term_months={"gauze": 12})
    assert policy_kept(with_all.to_document()) == with_all


def test_every_write_is_in_feed_and_audit(opened: Api, here: None) -> None:
    run = ask(opened.client("planner"))
    do(opened)
    tables = SQLModel.metadata.tables
    with reading(opened.engine) as session:
        fed = session.connection().execute(select(tables["feed_entry"].c["type", "resource_id", "action"])).all()
        acted = set(session.connection().execute(select(tables["audit_entry"].c.operation)).scalars())
        plan = str(runs.run_of(session, UUID(run["id"])).plan)
    assert ("run", run["id"], "created") in [tuple(each) for each in fed]
    assert ("run", run["id"], "updated") in [tuple(each) for each in fed]
    assert ("plan", plan, "created") in [tuple(each) for each in fed]
    assert {"runs.create", "runs.finish", "plans.store", "plans.explain"} <= acted
