"""Rules of the walk: call-offs under agreements."""

from uuid import UUID, uuid4

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.workflow import model, sums
from tests.e2e.workflow.model import FROZEN, Deed
from tests.e2e.workflow.walk import Walk, matches, names, numbers
from tests.e2e.workflow.world import Actor

amounts = st.sampled_from(["some", "much", "all", "beyond"])


class AgreementWalk(Walk):
    """What buyers order, and take back."""

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
    @rule(number=numbers, hows=st.lists(amounts, min_size=6, max_size=6), back=st.booleans())
    def everybody_orders(self, number: int, hows: list[str], back: bool) -> None:
        """Each buyer by its own coordinator; the last one takes the order back."""
        key = self.tender(number, "handed-over")
        for pick, how in enumerate(hows):
            places = self.places(key)
            if pick < len(places):
                self.order(f"coordinator of {places[pick].participant}", key, places[pick], how)
        stand = [row for row in self.state.call_offs.values() if row.cancelled_at is None]
        if back and stand:
            self.cancel_it(f"coordinator of {stand[-1].participant}", stand[-1].id, "right")

    def order_one(self, name: str, key: UUID, code: str) -> None:
        """For a region, of one that may be no agreement."""
        places = [place for place in self.places(key) if place.participant == code]
        if places and key in self.state.tenders:
            self.order(name, key, places[0], "some")
            return
        deed = Deed("call-off", self.actor(name).id, self.actor(name).acts_for(code))
        body = {"participant": code, "offer": "gloves-green", "quantity": self.fresh(), "reference": str(uuid4())}
        answer = self.write(name, "POST", f"/v1/tenders/{key}/call-offs", deed, version=None, json=body)
        assert not answer.is_success, f"{code} has ordered of {key}, where it has no place: {answer.text}"

    def order(self, name: str, key: UUID, place: sums.Place, how: str) -> None:
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
        if self.stopped(key, actor, answer):
            return
        assert answer.is_success == (can and quantity <= left and deed.allowed), told
        if can and deed.allowed and quantity > left:
            assert answer.json()["code"] == "maximum-reached", told
            self.held.add(key)

    def stopped(self, tender: UUID, actor: Actor, answer: httpx.Response) -> bool:
        """Whether it is refused until a planner enters an order: somebody has come upon what others left, or drawn an
        order back."""
        found = not answer.is_success and answer.json().get("code") == "planner-needed"
        assert not found or (tender in self.held and not actor.plans), f"{actor.name} of {tender}: {answer.text}"
        return found

    def places(self, key: UUID) -> list[sums.Place]:
        """What each buyer of a tender may call off of each lot and has not."""
        with self.look() as run:
            return sums.places(run, key)

    @precondition(lambda self: self.there is not None and self.state.call_offs)
    @rule(name=names, pick=numbers, match=matches, known=st.sampled_from([True, True, False]))
    def cancel(self, name: str, pick: int, match: str, known: bool) -> None:
        """Take an order back."""
        found = list(self.state.call_offs.values())
        row = found[-1 - pick % len(found)]
        self.cancel_it(f"coordinator of {row.participant}" if known else name, row.id, match)

    def cancel_it(self, name: str, key: UUID, match: str) -> None:
        """Once, by whoever may."""
        actor, row = self.actor(name), self.state.call_offs.get(key)
        deed = Deed("cancel", actor.id, row is not None and actor.acts_for(row.participant))
        path, body, version = f"/v1/call-offs/{key}/cancel", {"reason": "ordered twice"}, row.version if row else 1
        answer = self.write(name, "POST", path, deed, version=version, match=match, json=body)
        if row is not None and self.stopped(row.tender, actor, answer):
            return
        can = deed.allowed and row is not None and row.cancelled_at is None and match in ("right", "any")
        assert answer.is_success == can, f"{row} by {name}, {match}: {answer.text}"
        if row is not None and can:
            self.held.add(row.tender)
