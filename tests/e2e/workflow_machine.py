"""Random people at random work: a machine that walks through the workflow over HTTP, right and wrong alike."""

from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pooling.access.rules import Role
from tests.e2e import workflow_model as model
from tests.e2e.workflow_demand import DemandWalk
from tests.e2e.workflow_model import FROZEN, Deed
from tests.e2e.workflow_tenders import TenderWalk
from tests.e2e.workflow_walk import matches, names, numbers, regions
from tests.e2e.workflow_world import AFTER, ENDS, FIRST, KEYS_LAST

amounts = st.sampled_from(["some", "much", "all", "beyond"])


class Workflow(DemandWalk, TenderWalk):
    """All of it: agreements, time and looking around too."""

    @precondition(lambda self: self.there is not None and self.has(*FROZEN))
    @rule(name=names, number=numbers, pick=numbers, how=amounts)
    def call_off(self, name: str, number: int, pick: int, how: str) -> None:
        """Orders: some, most of what is left, all of it, one unit more."""
        key = self.tender(number, "handed-over")
        places = self.places(key)
        if places:
            place = places[pick % len(places)]
            self.order(self.mostly(name, place.participant, number), key, place, how)

    @precondition(lambda self: self.there is not None and self.has("handed-over"))
    @rule(number=numbers, hows=st.lists(amounts, min_size=6, max_size=6))
    def everybody_orders(self, number: int, hows: list[str]) -> None:
        """Each buyer by its own coordinator."""
        key = self.tender(number, "handed-over")
        for pick, how in enumerate(hows):
            places = self.places(key)
            if pick < len(places):
                self.order(f"coordinator of {places[pick].participant}", key, places[pick], how)

    def order(self, name: str, key: UUID, place: model.Place, how: str) -> None:
        """What can be ordered must be, and nothing else."""
        actor, row, left = self.actor(name), self.state.tenders[key], min(place.left, place.lot_left)
        quantity = {"some": min(self.fresh(), left), "much": left * 9 // 10, "all": left, "beyond": left + 1}[how]
        if quantity < 1:
            return
        made_on = self.now.made.clock.now.astimezone(model.COPENHAGEN).date()
        first, after = model.term(row.start, place.term_months)
        deed = Deed("call-off", actor.id, actor.acts_for(place.participant))
        body = {"participant": place.participant, "offer": place.offer, "quantity": quantity, "reference": str(uuid4())}
        answer = self.write(name, "POST", f"/v1/tenders/{key}/call-offs", deed, version=None, json=body)
        can = row.status == "handed-over" and row.depth in model.BUYING and first <= made_on < after
        told = f"{quantity} of {place}, {row}, on {made_on}: {answer.status_code} {answer.text}"
        assert answer.is_success == (can and quantity <= left and deed.allowed), told
        if can and deed.allowed and quantity > left:
            assert answer.json()["code"] == "maximum-reached", told

    def places(self, key: UUID) -> list[model.Place]:
        """What each buyer of a tender may call off of each lot and has not."""
        with self.look() as run:
            return model.places(run, key)

    @precondition(lambda self: self.there is not None and self.state.call_offs)
    @rule(name=names, pick=numbers, match=matches, known=st.booleans())
    def cancel(self, name: str, pick: int, match: str, known: bool) -> None:
        """Take an order back."""
        found = list(self.state.call_offs.values())
        row = found[-1 - pick % len(found)]
        actor = self.actor(f"coordinator of {row.participant}" if known else name)
        deed = Deed("cancel", actor.id, actor.acts_for(row.participant))
        path, body = f"/v1/call-offs/{row.id}/cancel", {"reason": "ordered twice"}
        answer = self.write(actor.name, "POST", path, deed, version=row.version, match=match, json=body)
        can = deed.allowed and row.cancelled_at is None and match in ("right", "any")
        assert answer.is_success == can, f"{row} by {actor.name}, {match}: {answer.text}"

    @rule(hours=st.sampled_from([1, 13, 24, 24 * 9, 24 * 45]), work=st.sampled_from([True, True, False]))
    def wait(self, hours: int, work: bool) -> None:
        """Time goes by, and the clock's jobs are done."""
        clock = self.now.made.clock
        clock.now = min(clock.now + timedelta(hours=hours), FIRST + timedelta(days=KEYS_LAST - 1))
        if work:
            self.jobs()

    @precondition(lambda self: self.there is not None and not self.merged)
    @rule(
        name=st.sampled_from(["administrator"] * 3 + ["planner", f"coordinator of {ENDS}"]),
        days=st.integers(0, 20),
        then=st.booleans(),
    )
    def end_participant(self, name: str, days: int, then: bool) -> None:
        """A region is merged into another within days; perhaps that day comes now."""
        actor, path = self.actor(name), f"/v1/participants/{ENDS}"
        there = self.read("administrator", path).json()
        on = model.days_from(self.now.made.clock.now, days)
        kept = {key: value for key, value in there.items() if key not in ("code", "version") and value is not None}
        body = {**kept, "signing_body": there["signing_body"]["code"], "valid_to": on, "successor": AFTER}
        deed = Deed("end", actor.id, actor.role is Role.ADMINISTRATOR)
        self.merged = self.write(name, "PUT", path, deed, version=there["version"], json=body).is_success
        if self.merged and then:
            self.wait(hours=24 * (days + 1), work=True)

    @rule(name=names, number=numbers, code=regions, pick=st.integers(0, 40))
    def look_around(self, name: str, number: int, code: str, pick: int) -> None:
        """One of all the things there are to see."""
        paths = self.paths(self.tender(number), code)
        self.read(name, paths[pick % len(paths)])

    @precondition(lambda self: self.there is not None and self.state.call_offs)
    @rule()
    def add_the_effect_up(self) -> None:
        self.check_effect()
