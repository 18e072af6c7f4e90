"""Reference data over HTTP: who takes part, what can be bought together, what can be demanded."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, PathParameter
from sqlmodel import Session

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get, put
from pooling.errors import NotFound, did_you_mean
from pooling.paging import DEFAULT_LIMIT, page_of_all
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import CREATED
from pooling.reference import service, writing
from pooling.reference.views import (
    CategoryBody,
    CategoryPage,
    CategoryView,
    CriterionBody,
    CriterionPage,
    CriterionView,
    ParticipantBody,
    ParticipantPage,
    ParticipantView,
    SigningBodyBody,
    SigningBodyPage,
    SigningBodyView,
    criterion_view,
    participant_view,
    same,
    signing_body_view,
)

Code = FromPath[Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", max_length=40)]]
Slug = FromPath[Annotated[str, PathParameter(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", max_length=80)]]
Views = Callable[[Session], dict[str, Any]]


def _participants(session: Session) -> dict[str, ParticipantView]:
    bodies, versions = _signing_bodies(session), service.versions(session, "participants")
    return {code: participant_view(each, bodies, versions) for code, each in service.participants(session).items()}


def _signing_bodies(session: Session) -> dict[str, SigningBodyView]:
    versions = service.versions(session, "signing-bodies")
    return {code: signing_body_view(each, versions) for code, each in service.signing_bodies(session).items()}


def _categories(session: Session) -> dict[str, CategoryView]:
    versions = service.versions(session, "categories")
    found = service.categories(session)
    return {code: same(each, CategoryView, version=versions[code]) for code, each in found.items()}


def _criteria(session: Session) -> dict[str, CriterionView]:
    implications, versions = service.implications(session), service.versions(session, "criteria")
    return {code: criterion_view(each, implications, versions) for code, each in service.criteria(session).items()}


def _one(session: Session, views: Views, key: str) -> Reply:
    known = views(session)
    if key not in known:
        raise NotFound(f"{key!r} is not known; {did_you_mean(key, known, 'the list names those that are')}")
    return Reply(known[key], version=known[key].version)


Put = Callable[..., None]


def _set(call: Call, put_one: Put, views: Views, *, key: str, data: msgspec.Struct) -> Reply:
    """Set one row and answer it as it is then: 201 where it is new."""

    def show(_: None) -> Reply:
        call.session.expire_all()
        return _one(call.session, views, key)

    return call.put(lambda expect: put_one(call.session, key, msgspec.structs.asdict(data), expect=expect), show)


class ParticipantController(Controller):
    """Bodies with demand of their own."""

    path = "/v1/participants"
    tags = ("reference",)

    @get("/", "participants.list", "Participants")
    def list_all(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[ParticipantPage]:
        """Bodies with demand of their own, with dates, successors and who signs for them."""
        return handling.read(
            request,
            lambda call: call.page(
                page_of_all(_participants(call.session), call.window(cursor, limit)), ParticipantPage
            ),
        )

    @get("/{code:str}", "participants.read", "A participant")
    def read(self, request: Asked, handling: Handled, code: Code) -> Response[ParticipantView]:
        """One participant by its code."""
        return handling.read(request, lambda call: _one(call.session, _participants, code))

    @put("/{code:str}", "participants.write", "Set a participant", also={CREATED: ParticipantView})
    def write(
        self, request: Asked, handling: Handled, code: Code, data: JSONBody[ParticipantBody]
    ) -> Response[ParticipantView]:
        """Adds it, or replaces it whole with If-Match. From then on it is yours: an upgrade leaves it alone."""
        return handling.write(
            request, lambda call: _set(call, writing.put_participant, _participants, key=code, data=data)
        )


class SigningBodyController(Controller):
    """Bodies that sign for participants."""

    path = "/v1/signing-bodies"
    tags = ("reference",)

    @get("/", "signing-bodies.list", "Signing bodies")
    def list_all(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[SigningBodyPage]:
        """Bodies that sign, with the law that a pool they lead follows."""
        return handling.read(
            request,
            lambda call: call.page(
                page_of_all(_signing_bodies(call.session), call.window(cursor, limit)), SigningBodyPage
            ),
        )

    @get("/{code:str}", "signing-bodies.read", "A signing body")
    def read(self, request: Asked, handling: Handled, code: Code) -> Response[SigningBodyView]:
        """One signing body by its code."""
        return handling.read(request, lambda call: _one(call.session, _signing_bodies, code))

    @put("/{code:str}", "signing-bodies.write", "Set a signing body", also={CREATED: SigningBodyView})
    def write(
        self, request: Asked, handling: Handled, code: Code, data: JSONBody[SigningBodyBody]
    ) -> Response[SigningBodyView]:
        """Adds it, or replaces it whole with If-Match."""
        return handling.write(
            request, lambda call: _set(call, writing.put_signing_body, _signing_bodies, key=code, data=data)
        )


class CategoryController(Controller):
    """What can be bought together."""

    path = "/v1/categories"
    tags = ("reference",)

    @get("/", "categories.list", "Categories")
    def list_all(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[CategoryPage]:
        """What can be bought together, with CPV, EMDN and units."""
        return handling.read(
            request,
            lambda call: call.page(page_of_all(_categories(call.session), call.window(cursor, limit)), CategoryPage),
        )

    @get("/{key:str}", "categories.read", "A category")
    def read(self, request: Asked, handling: Handled, key: Slug) -> Response[CategoryView]:
        """One category by its id."""
        return handling.read(request, lambda call: _one(call.session, _categories, key))

    @put("/{key:str}", "categories.write", "Set a category", also={CREATED: CategoryView})
    def write(
        self, request: Asked, handling: Handled, key: Slug, data: JSONBody[CategoryBody]
    ) -> Response[CategoryView]:
        """Adds it, or replaces it whole with If-Match. Its base unit stays: volumes are counted in it."""
        return handling.write(request, lambda call: _set(call, writing.put_category, _categories, key=key, data=data))


class CriterionController(Controller):
    """Green and social demands."""

    path = "/v1/criteria"
    tags = ("reference",)

    @get("/", "criteria.list", "Criteria")
    def list_all(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[CriterionPage]:
        """Green and social demands, with the eForms codes they are published as."""
        return handling.read(
            request,
            lambda call: call.page(page_of_all(_criteria(call.session), call.window(cursor, limit)), CriterionPage),
        )

    @get("/{code:str}", "criteria.read", "A criterion")
    def read(self, request: Asked, handling: Handled, code: Slug) -> Response[CriterionView]:
        """One criterion by its code."""
        return handling.read(request, lambda call: _one(call.session, _criteria, code))

    @put("/{code:str}", "criteria.write", "Set a criterion", also={CREATED: CriterionView})
    def write(
        self, request: Asked, handling: Handled, code: Slug, data: JSONBody[CriterionBody]
    ) -> Response[CriterionView]:
        """Adds it, or replaces it whole with If-Match, with what it implies."""
        return handling.write(request, lambda call: _set(call, writing.put_criterion, _criteria, key=code, data=data))


ROUTES = (ParticipantController, SigningBodyController, CategoryController, CriterionController)
