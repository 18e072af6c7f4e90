"""Rules of the walk: cycles, and the demand that is sent for them."""

from typing import Any
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.workflow import model
from tests.e2e.workflow.model import CYCLE, TENDER, Deed, Moves
from tests.e2e.workflow.walk import Walk, categories, codes, matches, names, numbers, planners, regions
from tests.e2e.workflow.world import CYCLE as NOW
from tests.e2e.workflow.world import LATER, SOURCE, cycle_body, forecast

CLOSES = dict.fromkeys((NOW, *LATER), CYCLE["close"])
"""Whoever changes demand closes what is due first."""


class DemandWalk(Walk):
    """Cycles and demand."""

    @rule(name=planners, code=codes, step=st.sampled_from(["open", "close", "reopen", "decide"]), match=matches)
    def step_cycle(self, name: str, code: str, step: str, match: str) -> None:
        """A cycle's next step, or one that is not."""
        self.cycle_goes(name, code, step, match)

    def cycle_goes(self, name: str, code: str, step: str, match: str) -> httpx.Response:
        status, version = self.state.cycles.get(code, (None, 1))
        moves = {code: CYCLE[step]}
        deed = Deed(f"cycle {step}", self.actor(name).id, self.actor(name).plans, cycles=moves)
        said = {"reason": "made up", "closes_on": model.days_from(self.now.made.clock.now, 3)}
        sent = {"json": said} if step == "reopen" else {}
        answer = self.write(name, "POST", f"/v1/cycles/{code}/{step}", deed, version=version, match=match, **sent)
        if answer.is_success:
            assert (status, self.state.cycles[code][0]) in CYCLE[step]
        if step == "decide" and answer.is_success:
            there = [row.status for row in self.state.tenders.values() if row.cycle == code]
            assert not set(model.OPEN) & set(there), f"cycle {code} is decided with {there}"
        return answer

    @rule(name=planners, code=st.sampled_from(LATER), match=matches, then=st.booleans())
    def put_cycle(self, name: str, code: str, match: str, then: bool) -> None:
        """Announce a cycle, or change it; perhaps it takes demand at once, and is closed."""
        done = self.announce(name, code, match)
        for step in ("open", "close") if then and done.is_success else ():
            self.cycle_goes(name, code, step, "right")

    def announce(self, name: str, code: str, match: str) -> httpx.Response:
        """A cycle of two weeks from today."""
        version = self.state.cycles.get(code, (None, None))[1]
        deed = Deed("cycle write", self.actor(name).id, self.actor(name).plans, cycles={code: CYCLE["write"]})
        body = cycle_body(self.now.made.clock.now)
        return self.write(name, "PUT", f"/v1/cycles/{code}", deed, version=version, match=match, json=body)

    @rule(name=planners, code=codes, match=matches, number=numbers)
    def propose(self, name: str, code: str, match: str, number: int) -> None:
        """One of the plans there are, mostly the latest, or one that is not there."""
        plans = self.now.plans[::-1]
        self.propose_it(name, code, plans[number % 3 % len(plans)] if plans and number else UUID(int=7), match)

    def propose_it(self, name: str, code: str, plan: UUID, match: str) -> None:
        """Take the plan's pools up; what is neither invited nor locked makes room."""
        free = {
            key: TENDER["replace"]
            for key, row in self.state.tenders.items()
            if row.cycle == code and row.status in ("proposed", "under-review") and not row.locked
        }
        moves: dict[Any, Moves] = {None: TENDER["propose"], **free}
        cycles = {code: CYCLE["plan"]}
        what = "propose scenario" if plan in self.of_scenarios else "propose"
        deed = Deed(what, self.actor(name).id, self.actor(name).plans, tenders=moves, cycles=cycles)
        version = self.state.cycles.get(code, (None, 1))[1]
        body = {"plan": str(plan)}
        self.write(name, "POST", f"/v1/cycles/{code}/proposal", deed, version=version, match=match, json=body)

    def line(self, code: str, category: str) -> dict[str, Any]:
        """Demand as it was not said before."""
        quantity = self.fresh()
        more = {"quantity": quantity, "quantity_low": quantity - 2_000_003, "quantity_high": quantity + 2_000_029}
        return {**forecast(code, category), **more}

    @rule(name=names, number=numbers, code=regions, category=categories, match=matches)
    def send_forecast(self, name: str, number: int, code: str, category: str, match: str) -> None:
        """A region's demand, as its system has it now."""
        self.put_forecast(self.mostly(name, code, number), code, category, match)

    def put_forecast(self, name: str, code: str, category: str, match: str) -> None:
        """By whoever may send for the region, and by nobody else."""
        actor, key = self.actor(name), f"{code}.{category[:5]}"
        sent = {None: model.SENT}
        deed = Deed("forecast", actor.id, self.sends_for(actor, code), cycles=CLOSES, submissions=sent, named=True)
        version, gone = self.state.forecasts.get(key, (0, True))
        seen = None if gone else version
        body = self.line(code, category)
        self.write(actor.name, "PUT", f"/v1/forecasts/{SOURCE}/{key}", deed, version=seen, match=match, json=body)

    @rule(name=names, number=numbers, code=regions, category=categories, match=matches)
    def delete_forecast(self, name: str, number: int, code: str, category: str, match: str) -> None:
        """Demand that is no more."""
        self.drop_forecast(self.mostly(name, code, number), code, category, match)

    def drop_forecast(self, name: str, code: str, category: str, match: str) -> None:
        """By whoever may send for the region, and by nobody else."""
        actor, key = self.actor(name), f"{code}.{category[:5]}"
        gone = {None: model.REPLACED}
        deed = Deed("forecast delete", actor.id, self.sends_for(actor, code), cycles=CLOSES, submissions=gone)
        version = self.state.forecasts.get(key, (1, True))[0]
        self.write(actor.name, "DELETE", f"/v1/forecasts/{SOURCE}/{key}", deed, version=version, match=match)

    @rule(name=names, code=regions, category=categories, cycle=codes, late=st.booleans())
    def send_for_cycle(self, name: str, code: str, category: str, cycle: str, late: bool) -> None:
        """Demand for a cycle by name, or a planner's correction of one that is closed."""
        self.push(name, code, category, cycle, late=late)

    def push(self, name: str, code: str, category: str, cycle: str, *, late: bool) -> None:
        """One line, with the cycle it is for, and a reason where it is ``late``."""
        actor, status = self.actor(name), self.state.cycles.get(cycle, (None, 0))[0]
        takes = ("open", "closed", "planned") if late and actor.plans else () if late else ("open",)
        what, sent = "correction" if late else "sent", {None: model.SENT}
        deed = Deed(what, actor.id, self.sends_for(actor, code), cycles=CLOSES, submissions=sent, named=True)
        line = {**self.line(code, category), "external_id": f"{code}.{category[:5]}"}
        body = {"source": SOURCE, "cycle": cycle, "lines": [line], **({"correction_reason": "late"} if late else {})}
        before = self.state.tenders
        answer = self.write(name, "POST", "/v1/forecasts", deed, version=None, json=body)
        assert status in takes or not answer.is_success, f"cycle {cycle} is {status} and took demand of {name}"
        assert before == self.state.tenders, "demand changed a tender"
