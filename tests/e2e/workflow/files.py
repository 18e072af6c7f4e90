"""Rules of the walk: files that are looked at, confirmed or discarded; submissions withdrawn; notices read."""

from typing import Any
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from pooling.access.rules import Role
from pooling.demand import uploads
from tests.e2e.story_given import file_of
from tests.e2e.workflow import model
from tests.e2e.workflow.demand import CLOSES, DemandWalk
from tests.e2e.workflow.model import UPLOAD, Deed
from tests.e2e.workflow.walk import categories, codes, matches, names, numbers, regions

SENDERS = (Role.PLANNER, Role.COORDINATOR, Role.PARTNER)
LOOKED = UPLOAD["ready"] | UPLOAD["unreadable"]
STORED = UPLOAD["loaded"] | UPLOAD["refused"]
whats = st.sampled_from(["good"] * 5 + ["dirty", "dirty", "no table", "empty"])
thens = st.sampled_from(["confirm"] * 4 + ["partial", "partial", "discard", "leave"])
cycles = st.one_of(st.none(), st.none(), codes)


class FileWalk(DemandWalk):
    """Files, submissions and notices."""

    def file(self, code: str, category: str, what: str) -> bytes:
        """A region's demand as a file; one that is dirty has a row that cannot be."""
        if what in ("empty", "no table"):
            return b"" if what == "empty" else b"\x00\x01\x02"
        rows = []
        for wrong in (False, True)[: 1 + (what == "dirty")]:
            line = self.line(code, category)
            low, quantity, high = (line[name] for name in ("quantity_low", "quantity", "quantity_high"))
            price = (line["unit_price"], line["currency"], "ex VAT", "2026-10-01", "2027-08-31", "3")
            rows.append(
                ";".join((code, category, "many" if wrong else str(quantity), f"{low};{high}", "piece", *price))
            )
        return file_of(*rows)

    @rule(
        name=names,
        by=names,
        number=numbers,
        code=regions,
        category=categories,
        what=whats,
        cycle=cycles,
        then=thens,
    )
    def upload(
        self, name: str, by: str, number: int, code: str, category: str, what: str, cycle: str | None, then: str
    ) -> None:
        """A file is sent and looked at; what becomes of it is said by whoever sent it, or by another."""
        sender = self.mostly(name, code, number)
        key = self.sent(sender, code, category, what, cycle)
        if key is not None and then != "leave":
            self.go_on(sender if number % 5 else by, key, then, "right")

    def sent(self, name: str, code: str, category: str, what: str, cycle: str | None) -> UUID | None:
        """A file is sent and looked at; None where it was not taken."""
        actor, late = self.actor(name), self.state.cycles.get(cycle or "", ("open", 0))[0] != "open"
        fields = {"series": code} | ({"cycle": cycle} if cycle else {})
        fields |= {"correction_reason": "late"} if cycle and late else {}
        file = {"file": ("demand.csv", self.file(code, category, what), "text/csv")}
        deed = Deed("upload", actor.id, actor.role in SENDERS, uploads={None: UPLOAD["create"]})
        answer = self.write(name, "POST", "/v1/uploads", deed, version=None, files=file, data=fields)
        assert what != "empty" or not answer.is_success, "an empty file was taken"
        if not answer.is_success:
            assert cycle or what == "empty" or not deed.allowed, f"a file of {name} was refused: {answer.text}"
            return None
        key = UUID(answer.json()["id"])
        self.work(Deed("upload looked at", actor.id, cycles=CLOSES, uploads={key: LOOKED}), uploads.PREVIEW_JOB)
        self.check_looked_at(name, key, code, what)
        return key

    def check_looked_at(self, name: str, key: UUID, code: str, what: str) -> None:
        """Whoever sent it is told what it would do; the series of a region is not for others to go on with."""
        found = self.read(name, f"/v1/uploads/{key}").json()
        taken = (found["problem"] or {}).get("code") == "series-taken"
        assert not (taken and self.sends_for(self.actor(name), code)), f"{name} may send for {code}: {found}"
        assert found["status"] == ("unreadable" if taken or what == "no table" else "ready"), found
        if what == "dirty" and not taken:
            assert found["preview"]["rows_refused"] >= 1, found

    @precondition(lambda self: self.there is not None and self.state.uploads)
    @rule(name=names, known=st.booleans(), pick=numbers, then=thens, match=matches)
    def go_on_with(self, name: str, known: bool, pick: int, then: str, match: str) -> None:
        """One that was sent before is confirmed or discarded."""
        keys = list(self.state.uploads)
        key = keys[-1 - pick % len(keys)]
        sender = next(each.name for each in self.now.cast.values() if each.id == self.state.uploads[key][2])
        self.go_on(sender if known else name, key, then, match)

    def go_on(self, name: str, key: UUID, then: str, match: str) -> None:
        """Confirmed, and stored by a job; or discarded."""
        actor = self.actor(name)
        _, version, sender = self.state.uploads.get(key, ("", 1, None))
        theirs = sender is not None and (actor.plans or (actor.id == sender and actor.role in SENDERS))
        if then == "discard":
            deed = Deed("discard upload", actor.id, theirs, uploads={key: UPLOAD["discard"]})
            self.write(name, "DELETE", f"/v1/uploads/{key}", deed, version=version, match=match)
            return
        deed = Deed("confirm upload", actor.id, theirs, cycles=CLOSES, uploads={key: UPLOAD["confirm"]})
        path, body = f"/v1/uploads/{key}/confirm", {"partial": then == "partial"}
        answer = self.write(name, "POST", path, deed, version=version, match=match, json=body)
        if answer.is_success:
            before = self.state.submissions
            stored = Deed(
                "upload stored", actor.id, cycles=CLOSES, submissions={None: model.SENT}, uploads={key: STORED}
            )
            self.work(stored, uploads.LOAD_JOB)
            self.check_senders(self.state.uploads[key][2], self.state.submissions.keys() - before.keys())

    def check_senders(self, sender: UUID, new: Any) -> None:
        """Nobody has sent lines for a region that is not theirs."""
        line = model.table_of("line")
        with self.look() as run:
            theirs = set(run.execute(select(line.sent_as).where(line.submission.in_(new))).scalars())
        actor = next(each for each in self.now.cast.values() if each.id == sender)
        assert all(self.sends_for(actor, code) for code in theirs), f"{actor.name} has sent lines for {theirs}"

    @precondition(lambda self: self.there is not None and self.state.submissions)
    @rule(name=names, known=st.booleans(), pick=numbers, match=matches)
    def withdraw(self, name: str, known: bool, pick: int, match: str) -> None:
        """A submission is taken back."""
        found = [key for key, each in self.state.submissions.items() if each.source is None or pick == 0]
        key = found[-1 - pick % len(found)] if found else UUID(int=pick)
        held = self.state.submissions.get(key)
        whose = (held.whose if held else None) or frozenset()
        self.withdraw_it(f"coordinator of {min(whose)}" if known and len(whose) == 1 else name, key, match)

    def withdraw_it(self, name: str, key: UUID, match: str) -> None:
        """By whoever may, and by nobody else."""
        held, actor = self.state.submissions.get(key), self.actor(name)
        whose = (held.whose if held else None) or frozenset()
        deed = Deed(
            "withdraw",
            actor.id,
            actor.plans or (bool(whose) and all(self.sends_for(actor, code) for code in whose)),
            submissions={key: model.WITHDRAWN},
            cycles=CLOSES,
        )
        version = held.version if held else 1
        answer = self.write(actor.name, "POST", f"/v1/submissions/{key}/withdraw", deed, version=version, match=match)
        can = held is not None and deed.allowed and match in ("right", "any")
        if can and held is not None and self.read(actor.name, f"/v1/submissions/{key}").is_success:
            stands = held.status == "accepted" and held.source is None
            assert answer.is_success == stands, f"{held} withdrawn by {actor.name}: {answer.text}"

    @rule(name=names, pick=numbers, known=st.sampled_from([True, True, False]))
    def read_notice(self, name: str, pick: int, known: bool) -> None:
        """A notice is marked as read: one's own, or another's."""
        self.mark_read(name, pick, known=known)

    def mark_read(self, name: str, pick: int, *, known: bool) -> None:
        """``known``: one's own, where there is one."""
        table, actor = model.table_of("notice"), self.actor(name)
        with self.look() as run:
            rows = run.execute(select(table.id, table.audience).order_by(table.created_at.desc(), table.id)).all()
        own = {f"participant:{code}" for code in actor.codes} | {f"principal:{actor.id}"}
        mine = [row for row in rows if actor.plans or row.audience in own]
        found = mine if known and mine else rows
        row = found[pick % len(found)] if found else None
        reads = actor.role in SENDERS and row in mine
        deed = Deed("read notice", actor.id, reads, again=True)
        path = f"/v1/notices/{row.id if row else UUID(int=pick)}/read"
        answer: httpx.Response = self.write(name, "POST", path, deed, version=None)
        assert answer.is_success == reads, f"{row} as {name}: {answer.text}"
