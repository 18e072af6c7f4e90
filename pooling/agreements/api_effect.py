"""The effect of agreements over HTTP, inside and for everybody."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromQuery, QueryParameter

from pooling.access.rules import EVERYONE
from pooling.agreements import effect_queries
from pooling.agreements.effect import rows
from pooling.agreements.effect_views import By, Effect, PublicBy, PublicEffect, effect_view
from pooling.agreements.public import public_effect
from pooling.calls import Asked, Call, Reply
from pooling.cycles import service as cycles
from pooling.endpoints import get
from pooling.parameters import Handled
from pooling.reference import service as reference

OfCycle = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="only this cycle's agreements")]]
Side = FromQuery[Annotated[By, QueryParameter(description="what a row is")]]
PublicSide = FromQuery[Annotated[PublicBy, QueryParameter(description="what a row is")]]


class EffectController(Controller):
    """What agreements come to."""

    path = "/v1/effect"
    tags = ("agreements",)

    @get("/", "effect.read", "The effect")
    def read(self, request: Asked, handling: Handled, by: Side = "category", cycle: OfCycle = None) -> Response[Effect]:
        """Planned and called off: spend, cash saving, CO2e, criteria met, units free of substances. Planners and
        auditors are shown all, others their own participants' part."""

        def work(call: Call) -> Reply:
            if cycle is not None:
                cycles.cycle_of(call.session, cycle)
            found = effect_queries.entries(call.session, call.who.sees, cycle=cycle)
            standing = [entry for entry in found if entry.until is None]
            return Reply(effect_view(by, cycle, *rows(standing, by), reference.criteria(call.session)))

        return handling.read(request, work)


class PublicController(Controller):
    """What everybody may know."""

    path = "/v1/public"
    tags = ("agreements",)

    @get("/effect", "public-effect.read", "The effect, for everybody")
    def read(self, request: Asked, handling: Handled, by: PublicSide = "category") -> Response[PublicEffect]:
        """The same as it stood when the quarter began, in sums over at least three participants: whichever takes its
        own part off, no other has more than 80 % of what is left. Needs no credentials."""

        def work(call: Call) -> Reply:
            return Reply(public_effect(effect_queries.entries(call.session, EVERYONE), by, now=call.now))

        return handling.public(request, work)
