"""Offers and dialogue records over HTTP."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from pooling.calls import Asked, Call, Reply, created
from pooling.endpoints import get, post, put, transition
from pooling.market import dialogues, offering, queries, views
from pooling.market.api_risk_areas import RiskAreaController
from pooling.market.dialogues import Said
from pooling.market.views import (
    DialogueBody,
    DialoguePage,
    DialogueView,
    OfferBody,
    OfferPage,
    OfferView,
    dialogue_view,
    offer_view,
)
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import CREATED

OfferId = FromPath[Annotated[str, PathParameter(pattern=views.OFFER, max_length=120)]]
OfCategory = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="id of a category")]]
Withdrawn = FromQuery[Annotated[bool, QueryParameter(description="true: those too that were withdrawn")]]


class OfferController(Controller):
    """What the market can supply, from which volume on and at what price."""

    path = "/v1/offers"
    tags = ("market",)

    @get("/", "offers.list", "Offers")
    def list_offers(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        category: OfCategory = None,
        withdrawn: Withdrawn = False,
    ) -> Response[OfferPage]:
        """Offers with CO2e; prices and volumes are suppliers' secrets, for planners and auditors."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = queries.offers(call.session, window, category=category, withdrawn=withdrawn)
            return call.page(page_of(found, window, key=lambda each: (each.row.id,)), OfferPage, view=offer_view)

        return handling.read(request, work)

    @get("/{offer_id:str}", "offers.read", "An offer")
    def read(self, request: Asked, handling: Handled, offer_id: OfferId) -> Response[OfferView]:
        """An offer; each figure with its range, its source and the date it was stated."""
        return handling.read(request, lambda call: _offer(call, offer_id))

    @put("/{offer_id:str}", "offers.write", "Set an offer", also={CREATED: OfferView})
    def write(
        self, request: Asked, handling: Handled, offer_id: OfferId, data: JSONBody[OfferBody]
    ) -> Response[OfferView]:
        """Adds it, or replaces it whole with If-Match; one that was withdrawn stands again."""

        def work(call: Call) -> Reply:
            document = msgspec.to_builtins(data)
            return call.put(
                lambda expect: offering.put(
                    call.session, offer_id, document, data.dialogues, now=call.now, expect=expect
                ),
                lambda _: _offer(call, offer_id),
            )

        return handling.write(request, work)

    @transition("/{offer_id:str}/withdraw", "offers.withdraw", "Withdraw an offer")
    def withdraw(self, request: Asked, handling: Handled, offer_id: OfferId) -> Response[OfferView]:
        """No plan takes it from then on. Needs If-Match."""

        def work(call: Call) -> Reply:
            offering.withdraw(call.session, offer_id, now=call.now, expect=call.expect)
            return _offer(call, offer_id)

        return handling.write(request, work)


def _offer(call: Call, offer_id: str) -> Reply:
    shown = queries.offer(call.session, offer_id)
    return Reply(offer_view(shown), version=shown.row.version)


class DialogueController(Controller):
    """Talks with the market."""

    path = "/v1/dialogues"
    tags = ("market",)

    @get("/", "dialogues.list", "Dialogue records")
    def list_dialogues(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        category: OfCategory = None,
    ) -> Response[DialoguePage]:
        """Who was talked to, when, what was learnt, what is still to be asked; the latest talk first."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = dialogues.latest_first(call.session, window, category=category)
            page = page_of(found, window, key=lambda each: (each.row.held_on, each.row.id))
            return call.page(page, DialoguePage, view=dialogue_view)

        return handling.read(request, work)

    @get("/{dialogue_id:uuid}", "dialogues.read", "A dialogue record")
    def read(self, request: Asked, handling: Handled, dialogue_id: FromPath[UUID]) -> Response[DialogueView]:
        """A record, and the offers that rest on it."""
        return handling.read(request, lambda call: _dialogue(call, dialogue_id))

    @post("/", "dialogues.create", "Record a dialogue")
    def create(self, request: Asked, handling: Handled, data: JSONBody[DialogueBody]) -> Response[DialogueView]:
        """Writes a talk down."""

        def work(call: Call) -> Reply:
            made = dialogues.record(call.session, _said(data), by=call.who.id, now=call.now)
            shown = _dialogue(call, made)
            return created(shown.body, location=f"/v1/dialogues/{made}", version=shown.version)

        return handling.write(request, work)

    @put("/{dialogue_id:uuid}", "dialogues.write", "Change a dialogue record")
    def write(
        self, request: Asked, handling: Handled, dialogue_id: FromPath[UUID], data: JSONBody[DialogueBody]
    ) -> Response[DialogueView]:
        """Replaces the record whole. Needs If-Match."""

        def work(call: Call) -> Reply:
            told = _said(data)
            dialogues.change(call.session, dialogue_id, told, by=call.who.id, now=call.now, expect=call.expect)
            return _dialogue(call, dialogue_id)

        return handling.write(request, work)


def _dialogue(call: Call, dialogue_id: UUID) -> Reply:
    kept = dialogues.one(call.session, dialogue_id)
    return Reply(dialogue_view(kept), version=kept.row.version)


def _said(data: DialogueBody) -> Said:
    return Said(data.held_on, data.participants, tuple(data.categories), data.learnt, tuple(data.open_questions))


ROUTES = (OfferController, DialogueController, RiskAreaController)
