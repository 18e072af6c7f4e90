"""Agreements: one of the coordinator's region and another's, one of others alone, and a call-off of each. What buyers
may call off and have called off are the figures that must not travel."""

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import text

from pooling.access.rules import EVERYONE
from pooling.agreements import service
from pooling.agreements.service import Ordered
from pooling.tenders.tables import Tender
from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.agreements.given import Bought, Given, LotGiven, agreement, cycle

if TYPE_CHECKING:
    from tests.pooling.access.world import World

THIRD = "NO-HV"
OFFER = "gloves-green"
ANY_VERSION = {"If-Match": "*"}


def plant(world: "World") -> None:
    """Each buyer's call-off is below its estimate, and that below its maximum."""
    ordered = {place: world.canary(place) for place in PLACES}
    buyers = {str(world.participant(place)): _bought(world, place) for place in PLACES}
    theirs = {str(world.participant("others")): _bought(world, "others"), THIRD: _bought(world, "others")}
    start = f"{world.now:%Y-%m}"
    with world.written() as opened:
        for place, each in (("own", buyers), ("others", theirs)):
            given = Given((LotGiven(each),), cycle="agreed", start=start, term_months=12)
            world.planted["agreement", place] = agreement(opened.session, given)
        opened.session.add(cycle("gridded"))
        own = {str(world.participant("own")): Bought(1000), THIRD: Bought(2000)}
        given = Given((LotGiven(own),), cycle="agreed", start=start, term_months=12)
        world.planted["led", "own"] = agreement(opened.session, given)
        opened.session.get_one(Tender, world.planted["led", "own"]).lead = str(world.participant("own"))
        world.planted["led", "others"] = world.planted["agreement", "others"]
    for place in PLACES:
        world.planted["call_off", place] = _call_off(world, place, ordered[place])


def _bought(world: "World", place: Place) -> Bought:
    return Bought(world.canary(place), world.canary(place))


def _call_off(world: "World", place: Place, quantity: int = 1) -> UUID:
    tender = _agreement(world, place)
    with world.written() as opened:
        ordered = Ordered(str(world.participant(place)), OFFER, quantity, str(uuid4()), made_on=_first(world))
        by = world.principals["planner"]
        return service.place_call_off(opened.session, tender, ordered, sees=EVERYONE, by=by, now=world.now)


def _agreement(world: "World", place: Place) -> UUID:
    """It is handed over still, whatever other samples did to all tenders."""
    with world.written() as opened:
        opened.session.connection().execute(text("UPDATE tender SET status = 'handed-over' WHERE cycle = 'agreed'"))
    key: UUID = world.planted["agreement", place]
    return key


def _first(world: "World") -> date:
    """Of the month: a day of the agreement wherever it is run."""
    return world.now.date().replace(day=1)


def _create(world: "World", place: Place) -> Sent:
    body = {"participant": world.participant(place), "offer": OFFER, "quantity": 1, "reference": str(uuid4())}
    path = f"/v1/tenders/{_agreement(world, place)}/call-offs"
    return Sent(path, json={**body, "made_on": _first(world).isoformat()})


def _notice(world: "World", place: Place) -> Sent:
    """Of a tender that the coordinator's region leads, with a buyer whose figures the notice tells; and of another."""
    _agreement(world, place)
    return Sent(f"/v1/tenders/{world.planted['led', place]}/notice")


PLACES: tuple[Place, ...] = ("own", "others")
SAMPLES = (
    Sample("tender-notices.read", "GET", _notice, places=PLACES),
    Sample(
        "allowances.read",
        "GET",
        lambda world, place: Sent(f"/v1/tenders/{_agreement(world, place)}/allowances"),
        places=PLACES,
    ),
    Sample("call-offs.create", "POST", _create, places=PLACES),
    Sample("call-offs.list", "GET", lambda world, place: Sent("/v1/call-offs?limit=500&cancelled=true")),
    Sample(
        "call-offs.read",
        "GET",
        lambda world, place: Sent(f"/v1/call-offs/{world.planted['call_off', place]}"),
        places=PLACES,
    ),
    Sample(
        "call-offs.cancel",
        "POST",
        lambda world, place: Sent(
            f"/v1/call-offs/{_call_off(world, place)}/cancel", json={"reason": "ordered twice"}, headers=ANY_VERSION
        ),
        places=PLACES,
    ),
    Sample(
        "cycle-scenarios.create",
        "POST",
        lambda world, place: Sent(
            "/v1/cycles/gridded/scenarios", json={"name": "more", "grid": {"pool_cost_eur": [1]}}
        ),
    ),
    Sample("effect.read", "GET", lambda world, place: Sent("/v1/effect?by=participant")),
    Sample("public-effect.read", "GET", lambda world, place: Sent("/v1/public/effect?by=country")),
)
