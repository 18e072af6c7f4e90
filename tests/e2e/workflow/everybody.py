"""Every change of the workflow, as somebody tries it who mostly may not: for the ends of random walks."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from tests.e2e.workflow import model
from tests.e2e.workflow.world import AFTER, ENDS, FACTS, LATER
from tests.e2e.workflow.world import CYCLE as NOW
from tests.pooling.planning.demand import GLOVES

ONE = "FO"
"""A region that all of them try to act for."""
Try = Callable[[Any, str], Any]
"""The walk, and the name of who tries."""


def _decide(step: str, **body: str) -> Try:
    return lambda walk, name: walk.decide(name, 1, step, "right", must=False, **body)


def _cycle(step: str) -> Try:
    return lambda walk, name: walk.cycle_goes(name, NOW, step, "right")


def _update(what: str) -> Try:
    return lambda walk, name: walk.change_it(name, walk.tender(1, *model.OPEN), what, {what: UPDATES[what]}, "right")


UPDATES: Mapping[str, Any] = {
    "lead": ONE,
    "depth": "framework",
    "locked": True,
    "note": "seen",
    "due": "2026-12-20",
    "facts": dict(FACTS),
}


def _answer(kind: str) -> Try:
    def attempt(walk: Any, name: str) -> None:
        key = walk.tender(1, "invited")
        walk.answer(name, key, ONE, walk.said(key, ONE, kind), "right")

    return attempt


def _first(there: Mapping[UUID, Any]) -> UUID:
    return next(iter(there), UUID(int=1))


EVERY: Mapping[str, Try] = {
    "review": _decide("review", reason="r"),
    "invite": _decide("invite", due="2028-03-01", reason="r"),
    "confirm": _decide("confirm", reason="r"),
    "hand-over": _decide("hand-over", reason="r"),
    "reject": _decide("reject", reason="no need"),
    **{f"update {what}": _update(what) for what in UPDATES},
    "repairs": lambda walk, name: walk.look_for_repairs(name, walk.tender(1, *model.OPEN)),
    "apply repair": lambda walk, name: walk.apply_it(name, walk.tender(1, *model.OPEN), 1, "right", 9),
    "answer commit": _answer("commit"),
    "answer decline": _answer("decline"),
    "answer change": _answer("change"),
    "answer volumes": _answer("volumes"),
    "ask again": lambda walk, name: walk.ask_it_again(name, walk.tender(1, "invited"), ONE, "right", None),
    "cycle write": lambda walk, name: walk.announce(name, LATER[0], "right"),
    "cycle open": _cycle("open"),
    "cycle close": _cycle("close"),
    "cycle reopen": _cycle("reopen"),
    "cycle decide": _cycle("decide"),
    "propose": lambda walk, name: walk.propose_it(name, NOW, (*walk.now.plans, UUID(int=7))[0], "right"),
    "runs": lambda walk, name: walk.planned(name, NOW),
    "scenarios": lambda walk, name: walk.one_of_a_grid(name, NOW, 0),
    "scenario plan": lambda walk, name: walk.store_point(name, walk.grid, 0),
    "forecast": lambda walk, name: walk.put_forecast(name, ONE, GLOVES, "right"),
    "forecast delete": lambda walk, name: walk.drop_forecast(name, ONE, GLOVES, "right"),
    "sent": lambda walk, name: walk.push(name, ONE, GLOVES, NOW, late=False),
    "correction": lambda walk, name: walk.push(name, ONE, GLOVES, NOW, late=True),
    "upload": lambda walk, name: walk.sent(name, ONE, GLOVES, "good", None),
    "confirm upload": lambda walk, name: walk.go_on(name, _first(walk.state.uploads), "confirm", "right"),
    "discard upload": lambda walk, name: walk.go_on(name, _first(walk.state.uploads), "discard", "right"),
    "withdraw": lambda walk, name: walk.withdraw_it(name, _first(walk.state.submissions), "right"),
    "read notice": lambda walk, name: walk.mark_read(name, 1, known=False),
    "call-off": lambda walk, name: walk.order_one(name, walk.tender(1, "handed-over"), ONE),
    "cancel": lambda walk, name: walk.cancel_it(name, _first(walk.state.call_offs), "right"),
    "end": lambda walk, name: walk.end_it(name, ENDS, AFTER, "2028-06-01"),
}
"""By the name of the change; what is not there is tried all the same."""
