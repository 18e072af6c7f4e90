"""Random people at random work: a machine that walks through the workflow over HTTP, right and wrong alike."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pooling.access.rules import Role
from tests.e2e.workflow import model
from tests.e2e.workflow.agreements import AgreementWalk
from tests.e2e.workflow.everybody import EVERY
from tests.e2e.workflow.model import Deed
from tests.e2e.workflow.onward import OnwardWalk
from tests.e2e.workflow.paths import paths
from tests.e2e.workflow.walk import OTHERS, codes, names, numbers, planners, regions
from tests.e2e.workflow.world import AFTER, ENDS, FIRST, KEYS_LAST


class Workflow(AgreementWalk, OnwardWalk):
    """All of it: time, ends and looking around too."""

    @rule(name=planners, code=codes, then=st.booleans())
    def settle(self, name: str, code: str, then: bool) -> None:
        """A cycle is brought to its end: what is not decided is given up."""
        for key, row in self.state.tenders.items():
            if row.cycle == code and row.status in model.OPEN:
                self.step(name, key, "reject", "right", must=True, reason="no need")
        if then:
            planned = self.state.cycles.get(code, ("", 0))[0] == "planned"
            done = self.cycle_goes(name, code, "decide", "right")
            assert done.is_success or not (planned and self.actor(name).plans), f"cycle {code}: {done.text}"

    @rule(hours=st.sampled_from([1, 13, 24, 24 * 9, 24 * 45]), work=st.sampled_from([True, True, False]))
    def wait(self, hours: int, work: bool) -> None:
        """Time goes by, and the clock's jobs are done."""
        clock = self.now.made.clock
        clock.now = min(clock.now + timedelta(hours=hours), FIRST + timedelta(days=KEYS_LAST - 1))
        if work:
            self.jobs()

    @precondition(lambda self: self.there is not None and not self.merged)
    @rule(
        name=st.sampled_from(["administrator"] * 8 + ["planner", f"coordinator of {ENDS}", *OTHERS]),
        days=st.integers(0, 20),
        then=st.booleans(),
    )
    def end_participant(self, name: str, days: int, then: bool) -> None:
        """A region is merged into another within days; perhaps that day comes now."""
        self.merged = self.end_it(name, ENDS, AFTER, model.days_from(self.now.made.clock.now, days))
        if self.merged and then:
            self.wait(hours=24 * (days + 1), work=True)

    def end_it(self, name: str, code: str, after: str, on: str) -> bool:
        """Whether it is to end on that day."""
        actor, path = self.actor(name), f"/v1/participants/{code}"
        there = self.read("administrator", path).json()
        kept = {key: value for key, value in there.items() if key not in ("code", "version") and value is not None}
        body = {**kept, "signing_body": there["signing_body"]["code"], "valid_to": on, "successor": after}
        deed = Deed("end", actor.id, actor.role is Role.ADMINISTRATOR)
        return self.write(name, "PUT", path, deed, version=there["version"], json=body).is_success

    def at_the_end(self) -> None:
        """Each role tries one of the changes, another one at each end."""
        change = list(EVERY)[self.done["walks"] % len(EVERY)]
        for name in (*OTHERS, "planner"):
            EVERY[change](self, name)
        super().at_the_end()

    @rule(name=names, number=numbers, code=regions, pick=st.integers(0, 60))
    def look_around(self, name: str, number: int, code: str, pick: int) -> None:
        """One of all the things there are to see."""
        found = paths(self.state, self.now.plans, self.tender(number), code)
        self.read(name, found[pick % len(found)])

    @precondition(lambda self: self.there is not None and self.state.call_offs)
    @rule()
    def add_the_effect_up(self) -> None:
        self.check_effect()
