"""Rules of the walk that lead on: what comes next for a tender or a cycle is done by those whose turn it is.

Random steps alone seldom come as far as an agreement: most of them are refused.
"""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.workflow import model
from tests.e2e.workflow.files import FileWalk
from tests.e2e.workflow.planning import PlanningWalk
from tests.e2e.workflow.tenders import TenderWalk
from tests.e2e.workflow.walk import categories, codes, numbers, regions
from tests.e2e.workflow.world import FACTS

NEXT = {"proposed": "review", "under-review": "invite", "confirmed": "hand-over"}
CYCLE_NEXT = {"announced": "open", "open": "close", "closed": "plan", "planned": "decide"}


class OnwardWalk(TenderWalk, PlanningWalk, FileWalk):
    """Tenders, cycles and files on their way."""

    @precondition(lambda self: self.there is not None and self.has(*NEXT, "invited"))
    @rule(number=numbers, times=st.integers(1, 3), answers=st.lists(st.integers(0, 19), min_size=5, max_size=5))
    def tender_goes_on(self, number: int, times: int, answers: list[int]) -> None:
        """The next steps of one that is under way; now and then a member declines or proposes something."""
        under_way = [key for key, row in self.state.tenders.items() if row.status in (*NEXT, "invited")]
        key = under_way[number % len(under_way)]
        for _ in range(times):
            status = self.state.tenders[key].status
            if status == "under-review":
                self.change_it("planner", key, "facts", {"facts": dict(FACTS)}, "right")
            if status in NEXT:
                due = {"due": model.days_from(self.now.made.clock.now, 20)} if status == "under-review" else {}
                self.step("planner", key, NEXT[status], "right", must=not due, reason="it is time", **due)
            elif status == "invited":
                self.answers_come_in(key, answers)

    @precondition(lambda self: self.there is not None and self.has("invited"))
    @rule(number=numbers, gone=st.integers(0, 4), pick=numbers, how=st.sampled_from(["decline", "change", "volumes"]))
    def one_leaves_and_it_is_repaired(self, number: int, gone: int, pick: int, how: str) -> None:
        """A member declines, wants another start or has other volumes; a repair is looked for and taken."""
        invited = [key for key, row in self.state.tenders.items() if row.status == "invited"]
        key = invited[number % len(invited)]
        members = sorted(code for of, code in self.state.members if of == key)
        code = members[gone % len(members)]
        self.answer(f"coordinator of {code}", key, code, self.said(key, code, how), "right")
        if self.look_for_repairs("planner", key):
            self.apply_it("planner", key, pick, "right", 14)

    def answers_come_in(self, key: UUID, answers: list[int]) -> None:
        """Those who have not answered do; where all have, it is decided."""
        waiting = [
            code for (of, code), (said, _) in self.state.members.items() if of == key and said in model.UNSETTLED
        ]
        if not waiting:
            self.confirm_it("planner", key, "right", "all have answered")
        for code, number in zip(sorted(waiting), answers, strict=False):
            kind = {0: "decline", 1: "change", 2: "volumes", 3: "conditions"}.get(number, "commit")
            self.answer(f"coordinator of {code}", key, code, self.said(key, code, kind), "right")

    @rule(code=codes, times=st.integers(1, 3), then=st.booleans(), by=st.sampled_from(["run", "grid", "reopening"]))
    def cycle_goes_on(self, code: str, times: int, then: bool, by: str) -> None:
        """The next steps of a cycle, or one back; one that is not there is announced."""
        for _ in range(times):
            status = self.state.cycles.get(code, (None, 0))[0]
            if status is None:
                self.announce("planner", code, "right")
            elif status == "closed" and by == "reopening":
                self.cycle_goes("planner", code, "reopen", "right")
            elif status == "closed":
                known = self.planned("planner", code) if by == "run" else self.one_of_a_grid("planner", code, 0)
                if known is not None and then:
                    self.propose_it("planner", code, known, "right")
            elif status in CYCLE_NEXT:
                self.cycle_goes("planner", code, CYCLE_NEXT[status], "right")

    @precondition(lambda self: self.there is not None and not self.merged)
    @rule(code=regions, category=categories, cycle=codes)
    def demand_comes_from_a_system(self, code: str, category: str, cycle: str) -> None:
        """For a cycle that is open by the region, for one that is closed by a planner, who says why."""
        status = self.state.cycles.get(cycle, (None, 0))[0]
        late = status in ("closed", "planned")
        self.push("planner" if late else f"coordinator of {code}", code, category, cycle, late=late)

    @precondition(lambda self: self.there is not None and not self.merged)
    @rule(code=regions, category=categories, again=st.booleans(), then=st.booleans())
    def demand_comes_as_a_file(self, code: str, category: str, again: bool, then: bool) -> None:
        """A region's file by its own coordinator, stored; sent again it takes the place of the first; withdrawn."""
        name = f"coordinator of {code}"
        for _ in range(1 + again):
            key = self.sent(name, code, category, "good", None)
            if key is not None:
                self.go_on(name, key, "confirm", "right")
                assert self.state.uploads[key][0] == "loaded", f"the file of {name} is {self.state.uploads[key]}"
        mine = [
            key
            for key, each in self.state.submissions.items()
            if each.status == "accepted" and each.source is None and each.whose == frozenset({code})
        ]
        if then and mine:
            self.withdraw_it(name, mine[-1], "right")
