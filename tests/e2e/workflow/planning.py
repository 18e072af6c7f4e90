"""Rules of the walk: plans and scenarios of a cycle, compared and taken up; what would bring a tender back."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pooling.planning import runs, scenario_sets
from pooling.tenders.repair_asking import LOOK
from tests.e2e.workflow import model
from tests.e2e.workflow.demand import DemandWalk
from tests.e2e.workflow.model import Deed
from tests.e2e.workflow.walk import codes, matches, names, numbers, planners
from tests.e2e.workflow.world import POLICY

PLANNED = ("closed", "planned")
GRID = {"pool_cost_eur": [100, 90_000_000], "lot_cost_eur": [10, 20]}
POINTS = [-1, 0, 1, 2, 3, 4]
"""The last one is not there."""


class PlanningWalk(DemandWalk):
    """Plans, scenarios and repairs."""

    def asked(self, name: str, code: str, what: str, body: dict[str, Any], kind: str) -> dict[str, Any] | None:
        """A calculation on a cycle's lines, done; None where it was refused."""
        actor, status = self.actor(name), self.state.cycles.get(code, ("", 0))[0]
        sent = {"policy": dict(POLICY), "time_limit_s": 5, **body}
        answer = self.write(
            name, "POST", f"/v1/cycles/{code}/{what}", Deed(what, actor.id, actor.plans), version=None, json=sent
        )
        can = actor.plans and status in PLANNED
        assert answer.is_success == can, f"{what} of cycle {code}, which is {status}, as {name}: {answer.text}"
        if not can:
            return None
        self.work(Deed(f"{what} done", actor.id), kind)
        found: dict[str, Any] = self.read(name, f"/v1/{what}/{answer.json()['id']}").json()
        return found if found["status"] == "succeeded" else None

    @rule(name=planners, code=codes, then=st.booleans())
    def plan(self, name: str, code: str, then: bool) -> None:
        """A plan of what a cycle froze; perhaps it is taken up at once."""
        plan = self.planned(name, code)
        if plan is not None and then:
            self.propose_it(name, code, plan, "right")

    def planned(self, name: str, code: str) -> UUID | None:
        """The plan of a run; None where there is none."""
        found = self.asked(name, code, "runs", {}, runs.SOLVE)
        if found is None:
            return None
        self.now.plans.append(UUID(found["plan"]))
        return self.now.plans[-1]

    @rule(name=planners, by=planners, code=codes, point=st.sampled_from(POINTS), then=st.booleans())
    def scenarios(self, name: str, by: str, code: str, point: int, then: bool) -> None:
        """A grid over policy; one of its plans is kept, and perhaps taken up."""
        plan = self.one_of_a_grid(name, code, point, by=by)
        if plan is not None and then:
            self.propose_it(by, code, plan, "right")

    def one_of_a_grid(self, name: str, code: str, point: int, *, by: str | None = None) -> UUID | None:
        """The plan of a point of a grid, stored; None where it was refused."""
        found = self.asked(name, code, "scenarios", {"name": "costs", "grid": GRID}, scenario_sets.SOLVE)
        if found is None:
            return None
        self.grid = UUID(found["id"])
        return self.store_point(by or name, self.grid, point)

    def store_point(self, name: str, grid: UUID | None, point: int) -> UUID | None:
        """The plan of a point of a grid that is there, or is not."""
        actor = self.actor(name)
        deed, path = Deed("scenario plan", actor.id, actor.plans), f"/v1/scenarios/{grid or UUID(int=7)}/plans"
        answer = self.write(name, "POST", path, deed, version=None, json={"number": point})
        can = actor.plans and grid is not None and point != POINTS[-1]
        assert answer.is_success == can, f"point {point} of {grid} as {name}: {answer.text}"
        if not answer.is_success:
            return None
        self.now.plans.append(UUID(answer.json()["plan"]))
        self.of_scenarios.add(self.now.plans[-1])
        return self.now.plans[-1]

    @precondition(lambda self: self.there is not None and self.now.plans)
    @rule(name=names, before=numbers, after=numbers)
    def compare(self, name: str, before: int, after: int) -> None:
        """Two plans side by side."""
        plans = self.now.plans
        chosen = (plans[before % len(plans)], plans[-1 - after % len(plans)])
        self.read(name, f"/v1/plan-differences?from={chosen[0]}&to={chosen[1]}")

    @rule(name=planners, by=planners, number=numbers, then=st.booleans(), days=st.integers(-1, 30))
    def repair(self, name: str, by: str, number: int, then: bool, days: int) -> None:
        """What would bring a tender back is looked for, and perhaps done."""
        key = self.tender(number, *model.OPEN)
        if self.look_for_repairs(name, key) and then:
            self.apply_it(by, key, number, "right", days)

    def look_for_repairs(self, name: str, key: UUID) -> bool:
        """Whether they were looked for."""
        actor, row = self.actor(name), self.state.tenders.get(key)
        deed = Deed("repairs", actor.id, actor.plans)
        answer = self.write(name, "POST", f"/v1/tenders/{key}/repairs", deed, version=None, json={"time_limit_s": 5})
        can = actor.plans and row is not None and row.status in model.OPEN
        assert answer.is_success == can, f"repairs of {row} as {name}: {answer.text}"
        if can:
            before = self.state.tenders
            self.work(Deed("repairs done", actor.id), LOOK)
            assert self.state.tenders == before, "looking for repairs changed a tender"
        return can

    @rule(name=planners, number=numbers, match=matches, days=st.integers(-1, 30))
    def apply(self, name: str, number: int, match: str, days: int) -> None:
        """A repair that was found, for the version there is if there is one."""
        found = list(self.state.repairs)
        self.apply_it(name, found[number % len(found)] if found else self.tender(number), number, match, days)

    def apply_it(self, name: str, key: UUID, number: int, match: str, days: int) -> None:
        actor, row = self.actor(name), self.state.tenders.get(key)
        fit = self.state.repairs.get(key, ())
        chosen = fit[number % len(fit)] if fit else 1
        deed = Deed("apply repair", actor.id, actor.plans, touches=(key,), reason="so it holds")
        due = {"due": model.days_from(self.now.made.clock.now, days)} if row and row.status == "invited" else {}
        body = {"reason": "so it holds", **due}
        version, path = row.version if row else 1, f"/v1/tenders/{key}/repairs/{chosen}/apply"
        answer = self.write(name, "POST", path, deed, version=version, match=match, json=body)
        if answer.is_success:
            assert row is not None, "a repair of no tender"
            assert row.status in model.OPEN, f"{row} was changed by a repair"
            assert fit, f"a repair of {row} that was found for another version"
            assert not self.state.repairs.get(key), "a repair was applied, and fits still"
            assert due == {} or days >= 0, f"answers are due on {due}"
