"""Reference data over HTTP, read only and public: who takes part, what can be bought together, what can be demanded."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from sqlalchemy import Engine

from pooling.database import reading
from pooling.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, page_of
from pooling.problems import RESPONSES
from pooling.reference import service
from pooling.reference.rules import CriterionRecord, ParticipantRecord, SigningBodyRecord, closure

Cursor = FromQuery[
    Annotated[
        str | None, QueryParameter(max_length=400, description="next_cursor of the page before; none: first page")
    ]
]
Limit = FromQuery[Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="how many items at most")]]


class SigningBody(msgspec.Struct, frozen=True):
    """The body that signs; a pool led by one of its participants follows its law."""

    code: str
    name: str
    country: str
    law: str
    language: str
    complaint_board: str
    source: str


class Participant(msgspec.Struct, frozen=True):
    """A body with demand of its own; ``valid_to`` is the first day it no longer exists."""

    code: str
    name: str
    country: str
    currency: str
    contracting_authority: bool
    may_lead: bool
    signing_body: SigningBody
    valid_from: date | None
    valid_to: date | None
    successor: str | None
    population: int | None
    population_year: int | None
    population_overlaps: bool
    population_within: str | None
    organisation_id: str | None
    source: str


class Category(msgspec.Struct, frozen=True):
    """What can be bought together; volumes are pooled in ``base_unit`` (UNECE Rec 20)."""

    id: str
    family: str
    name: str
    cpv: str | None
    cpv_name: str | None
    emdn: str | None
    unit: str
    base_unit: str
    source: str


class Criterion(msgspec.Struct, frozen=True):
    """A green or social demand; ``implies`` holds all that whoever meets it meets too."""

    code: str
    name: str
    framework: str
    level: str | None
    eforms_list: str
    eforms_code: str
    proof: str
    implies: list[str]
    source: str


class ParticipantPage(msgspec.Struct, frozen=True):
    """Participants by code, ended and future ones too."""

    items: list[Participant]
    next_cursor: str | None


class CategoryPage(msgspec.Struct, frozen=True):
    """Categories by id."""

    items: list[Category]
    next_cursor: str | None


class CriterionPage(msgspec.Struct, frozen=True):
    """Criteria by code."""

    items: list[Criterion]
    next_cursor: str | None


class ReferenceController(Controller):
    """Lists in pages; unknown query parameters are refused."""

    path = "/v1"
    tags = ("reference",)
    opt = {"query": frozenset({"cursor", "limit"})}  # noqa: RUF012 Litestar reads a plain dict

    @get("/participants", sync_to_thread=True, responses=RESPONSES, summary="Participants")
    def participants(
        self,
        request: Request[Any, Any, Any],
        engine: NamedDependency[Engine],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[ParticipantPage]:
        """Bodies with demand of their own, with dates, successors and who signs for them."""
        with reading(engine) as session:
            bodies = service.signing_bodies(session)
            page = page_of(service.participants(session), kind="participants", cursor=cursor, limit=limit)
        items = [_participant(record, bodies) for record in page.items]
        return _paged(request, page, ParticipantPage(items, page.next_cursor))

    @get("/categories", sync_to_thread=True, responses=RESPONSES, summary="Categories")
    def categories(
        self,
        request: Request[Any, Any, Any],
        engine: NamedDependency[Engine],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[CategoryPage]:
        """What can be bought together, with CPV, EMDN and units."""
        with reading(engine) as session:
            page = page_of(service.categories(session), kind="categories", cursor=cursor, limit=limit)
        items = [_same(record, Category) for record in page.items]
        return _paged(request, page, CategoryPage(items, page.next_cursor))

    @get("/criteria", sync_to_thread=True, responses=RESPONSES, summary="Criteria")
    def criteria(
        self,
        request: Request[Any, Any, Any],
        engine: NamedDependency[Engine],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[CriterionPage]:
        """Green and social demands, with the eForms codes they are published as."""
        with reading(engine) as session:
            implications = service.implications(session)
            page = page_of(service.criteria(session), kind="criteria", cursor=cursor, limit=limit)
        items = [_criterion(record, implications) for record in page.items]
        return _paged(request, page, CriterionPage(items, page.next_cursor))


def _paged(request: Request[Any, Any, Any], page: Page[Any], body: Any) -> Response[Any]:
    if page.next_cursor is None:
        return Response(body)
    query = urlencode({**dict(request.query_params.items()), "cursor": page.next_cursor})
    return Response(body, headers={"Link": f'<{request.url.path}?{query}>; rel="next"'})


def _same(record: Any, answer: type[Any], **more: Any) -> Any:
    """``answer`` filled from the fields of the same name; only fields it names can leave."""
    names = [field.name for field in msgspec.structs.fields(answer)]
    return answer(**{name: more[name] if name in more else getattr(record, name) for name in names})


def _participant(record: ParticipantRecord, bodies: Mapping[str, SigningBodyRecord]) -> Participant:
    body: SigningBody = _same(bodies[record.signing_body], SigningBody)
    made: Participant = _same(record, Participant, signing_body=body)
    return made


def _criterion(record: CriterionRecord, implications: Mapping[str, frozenset[str]]) -> Criterion:
    implied = sorted(closure({record.code}, implications) - {record.code})
    made: Criterion = _same(record, Criterion, implies=implied)
    return made
