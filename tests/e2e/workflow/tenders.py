"""Rules of the walk: what planners decide on tenders, and what their members answer.

What must come of a deed is asserted where the model knows: a reviewed tender can be rejected, whoever is asked in time
can answer.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from tests.e2e.workflow import model
from tests.e2e.workflow.model import TENDER, Deed
from tests.e2e.workflow.walk import Walk, matches, names, numbers, planners, reasons, regions

ANSWERS = {"commit": "committed", "decline": "declined", "change": "change-proposed"}
ANSWERS_OF: Mapping[str, Any] = {
    "commit": {"answer": "commit"},
    "conditions": {"answer": "commit", "conditions": "by rail"},
    "decline": {"answer": "decline", "reason": "no need"},
    "change": None,
    "volumes": None,
}
STARTS = ("2027-11", "2028-01")
"""Another start that all lines can have, and one that none can."""
MOST_TRIED = 3
"""Tenders, at the end."""
kinds = st.sampled_from(["commit"] * 6 + ["volumes"] * 2 + sorted(ANSWERS_OF))


class TenderWalk(Walk):
    """Tenders and answers."""

    def decide(self, name: str, number: int, step: str, match: str, *, must: bool, **body: Any) -> httpx.Response:
        """A planner's step on a tender. ``must``: it has to come off where the tender is where the step begins."""
        key = self.tender(number, *(str(before) for before, _ in TENDER[step]))
        return self.step(name, key, step, match, must=must, **body)

    def step(self, name: str, key: UUID, step: str, match: str, *, must: bool, **body: Any) -> httpx.Response:
        """The same on a tender that is named."""
        actor, moves = self.actor(name), TENDER[step]
        deed = Deed(step, actor.id, actor.plans, {key: moves}, touches=(key,), reason=body.get("reason"))
        row = self.state.tenders.get(key)
        status, version = (row.status, row.version) if row else (None, 1)
        path = f"/v1/tenders/{key}/{step}"
        answer = self.write(name, "POST", path, deed, version=version, match=match, json=body)
        begins = status in {before for before, _ in moves}
        assert begins or not answer.is_success, f"{step} of a tender that is {status}: {answer.text}"
        if answer.is_success:
            assert (status, self.state.tenders[key].status) in moves
        elif must and begins and actor.plans and match in ("right", "any"):
            raise AssertionError(f"{step} of a tender that is {status} was refused: {answer.text}")
        return answer

    @rule(name=planners, number=numbers, match=matches, reason=reasons)
    def review(self, name: str, number: int, match: str, reason: str | None) -> None:
        self.decide(name, number, "review", match, must=True, reason=reason or "made up")

    @rule(name=planners, number=numbers, match=matches, days=st.integers(-2, 40))
    def invite(self, name: str, number: int, match: str, days: int) -> None:
        due = model.days_from(self.now.made.clock.now, days)
        answer = self.decide(name, number, "invite", match, must=False, due=due, reason="made up")
        assert days >= 0 or not answer.is_success, f"invited until {due}, which has gone by"

    @rule(name=planners, number=numbers, match=matches, reason=reasons)
    def confirm(self, name: str, number: int, match: str, reason: str | None) -> None:
        self.confirm_it(name, self.tender(number, "invited"), match, reason)

    def confirm_it(self, name: str, key: UUID, match: str, reason: str | None) -> None:
        """Only once everybody has committed or declined."""
        waiting = [
            code for (of, code), (said, _) in self.state.members.items() if of == key and said in model.UNSETTLED
        ]
        answer = self.step(name, key, "confirm", match, must=False, reason=reason or "made up")
        assert not (waiting and answer.is_success), f"confirmed while {waiting} had not answered"

    @rule(name=planners, number=numbers, match=matches, reason=reasons)
    def hand_over(self, name: str, number: int, match: str, reason: str | None) -> None:
        self.decide(name, number, "hand-over", match, must=True, reason=reason or "made up")

    @precondition(lambda self: self.there is not None and self.state.tenders)
    @rule(number=numbers)
    def try_what_cannot_be(self, number: int) -> None:
        """Every step of a tender that begins elsewhere is refused."""
        self.try_wrong(self.tender(number))

    def try_wrong(self, key: UUID) -> None:
        for step in ("review", "invite", "confirm", "hand-over", "reject"):
            if self.state.tenders[key].status not in {before for before, _ in TENDER[step]}:
                due = {"due": model.days_from(self.now.made.clock.now, 9)} if step == "invite" else {}
                self.step("planner", key, step, "right", must=False, reason="made up", **due)

    def at_the_end(self) -> None:
        """No tender can be brought where it cannot go."""
        for key in list(self.state.tenders)[-MOST_TRIED:]:
            self.try_wrong(key)
        super().at_the_end()

    @rule(name=planners, number=numbers, match=matches)
    def reject(self, name: str, number: int, match: str) -> None:
        self.decide(name, number, "reject", match, must=True, reason="made up")

    @rule(
        name=planners,
        number=numbers,
        match=matches,
        what=st.sampled_from(["lead", "depth", "locked", "note", "due", "facts"]),
        lead=regions,
        depth=st.sampled_from(["dialogue", "criteria", "framework", "joint"]),
        days=st.integers(-1, 30),
    )
    def change(self, name: str, number: int, match: str, what: str, lead: str, depth: str, days: int) -> None:
        """Lead, depth, lock, note, facts or due day; once it is decided neither lead nor depth nor lock."""
        due = model.days_from(self.now.made.clock.now, days)
        given = {"lead": lead, "depth": depth, "locked": number % 2 == 0, "note": f"note {days}", "due": due}
        given["facts"] = {"environment_weight": days / 50 if days > 0 else None}
        statuses = () if number % 4 == 0 else ("invited",) if what == "due" else model.OPEN
        self.change_it(name, self.tender(number, *statuses), what, {what: given[what]}, match)

    @rule(number=numbers, days=st.integers(0, 4))
    def set_another_day(self, number: int, days: int) -> None:
        """Members that were invited are given until another day."""
        key = self.tender(number, "invited")
        if key in self.state.tenders:
            due = model.days_from(self.now.made.clock.now, days)
            self.change_it("planner", key, "due", {"due": due}, "right")

    def change_it(self, name: str, key: UUID, what: str, given: dict[str, Any], match: str) -> None:
        """Of one that is decided neither lead nor depth nor lock."""
        actor, row = self.actor(name), self.state.tenders.get(key)
        deed = Deed(f"update {what}", actor.id, actor.plans, touches=(key,), reason="so it is")
        body = {**given, "reason": "so it is"}
        version = row.version if row else 1
        answer = self.write(name, "PATCH", f"/v1/tenders/{key}", deed, version=version, match=match, json=body)
        if answer.is_success and row is not None and row.status not in model.OPEN:
            after = self.state.tenders[key]
            assert (after.lead, after.depth, after.locked) == (row.lead, row.depth, row.locked), f"{row} -> {after}"

    def answer(self, name: str, key: UUID, code: str, body: Any, match: str) -> httpx.Response:
        actor, row = self.actor(name), self.state.tenders.get(key)
        what = "volumes" if body.get("volumes") else body["answer"]
        may = actor.answers_for(code, body["answer"])
        deed = Deed(f"answer {what}", actor.id, may, touches=(key,), reason=body.get("reason"))
        said = self.state.members.get((key, code))
        path, version = f"/v1/tenders/{key}/answers/{code}", said[1] if said else 1
        others = {place: held for place, held in self.state.members.items() if place != (key, code)}
        answer = self.write(name, "PUT", path, deed, version=version, match=match, json=body)
        assert others.items() <= self.state.members.items(), f"{code} answered, and so did others"
        status = row.status if row else None
        today = self.now.made.clock.now.astimezone(model.COPENHAGEN).date()
        in_time = row is not None and status == "invited" and row.answers_due >= today
        if answer.is_success:
            assert in_time, f"an answer to a tender that is {status}, due {row and row.answers_due}"
            assert said is not None, f"an answer of {code}, which is no member"
            assert self.state.members[key, code] == (ANSWERS[body["answer"]], said[1] + 1)
        elif in_time and said is not None and may and match in ("right", "any"):
            odd = "volumes" in body or "change" in body or (body["answer"] == "commit" and not self.brings(key, code))
            assert odd, f"an answer in time was refused: {answer.text}"
        return answer

    def brings(self, key: UUID, code: str) -> int:
        """What a member's lines in a tender come to; nothing where a repair went on without them."""
        part = model.table_of("tender_member_lot")
        with self.look() as run:
            mine = run.execute(select(part.quantity).where(part.tender == key, part.participant == code)).scalars()
            return sum(mine)

    @rule(name=names, number=numbers, code=regions, match=matches, kind=st.sampled_from(sorted(ANSWERS_OF)))
    def say(self, name: str, number: int, code: str, match: str, kind: str) -> None:
        """Somebody's answer for some region, mostly its own."""
        key = self.tender(number, "invited")
        self.answer(self.mostly(name, code, number), key, code, self.said(key, code, kind), match)

    @precondition(lambda self: self.there is not None and self.has("invited"))
    @rule(name=planners, number=numbers, pick=numbers, match=matches, days=st.integers(-2, 20))
    def ask_again(self, name: str, number: int, pick: int, match: str, days: int) -> None:
        """A member's answer is set aside; perhaps there is another last day."""
        key = self.tender(number, "invited")
        members = sorted(code for tender, code in self.state.members if tender == key)
        code = members[pick % len(members)] if members else "FO"
        self.ask_it_again(
            name, key, code, match, model.days_from(self.now.made.clock.now, days) if number % 2 else None
        )

    def ask_it_again(self, name: str, key: UUID, code: str, match: str, due: str | None) -> None:
        """By a planner alone; of the others those are asked too whose lots became dearer than they committed to."""
        actor, row, said = self.actor(name), self.state.tenders.get(key), self.state.members.get((key, code))
        deed = Deed("ask again", actor.id, actor.plans, touches=(key,), reason="the terms are unclear")
        body = {"reason": "the terms are unclear", **({"due": due} if due else {})}
        path, version = f"/v1/tenders/{key}/answers/{code}/ask-again", said[1] if said else 1
        others = {place: held for place, held in self.state.members.items() if place != (key, code)}
        asked = {
            place: ("none", held[1] + 1) for place, held in others.items() if place[0] == key and held[0] == "committed"
        }
        answer = self.write(name, "POST", path, deed, version=version, match=match, json=body)
        after = {place: held for place, held in self.state.members.items() if place != (key, code)}
        assert after.items() <= others.items() | asked.items(), f"{code} was asked again, and others were touched"
        assert answer.is_success or after == others, f"nobody was asked again, and others were touched: {answer.text}"
        if answer.is_success:
            assert row is not None, f"{code} was asked again about no tender"
            assert row.status == "invited", f"{code} was asked again: {row}"
            assert said is not None, f"{code}, which is no member, was asked again"
            assert said[0] in ("committed", "change-proposed"), f"{code} had said {said} and was asked again"
            assert self.state.members[key, code] == ("none", said[1] + 1)

    @precondition(lambda self: self.there is not None and self.has("invited"))
    @rule(number=numbers, kinds=st.lists(kinds, min_size=5, max_size=5), then=st.booleans())
    def everybody_answers(self, number: int, kinds: list[str], then: bool) -> None:
        """Each member of a tender by its own coordinator; a planner may try and decide on it."""
        key = self.tender(number, "invited")
        members = sorted(code for tender, code in self.state.members if tender == key)
        for code, kind in zip(members, kinds):
            self.answer(f"coordinator of {code}", key, code, self.said(key, code, kind), "right")
        if then:
            self.confirm_it("planner", key, "right", "all have answered")

    def said(self, key: UUID, code: str, kind: str) -> dict[str, Any]:
        """What a region says, with figures of its own."""
        if kind not in ("volumes", "change"):
            return dict(ANSWERS_OF[kind])
        table = model.table_of("tender_member_lot")
        with self.look() as run:
            mine = (table.tender == key, table.participant == code)
            lots = list(run.execute(select(table.lot).where(*mine).order_by(table.lot)).scalars())
        quantity = self.fresh()
        ranges = {"quantity_low": quantity - 3_000_017, "quantity": quantity, "quantity_high": quantity + 3_000_031}
        volumes = [{"lot": lot, **ranges} for lot in lots]
        if kind == "volumes":
            return {"answer": "commit", "volumes": volumes}
        return {
            "answer": "change",
            "change": {"start": STARTS[self.given % 2], "volumes": volumes},
            "reason": "too soon",
        }
