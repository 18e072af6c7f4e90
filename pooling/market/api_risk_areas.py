"""Risk areas over HTTP."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from pooling.access.projection import OPEN
from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get, put
from pooling.market import risk_areas
from pooling.market.risk_areas import Area, Known
from pooling.paging import DEFAULT_LIMIT, page_of_all
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import CREATED

AREA = "^[a-z0-9]+(-[a-z0-9]+)*$"
AreaId = FromPath[Annotated[str, PathParameter(pattern=AREA, max_length=80)]]
OfCategory = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="id of a category")]]
Word = Annotated[str, Meta(min_length=1, max_length=80)]


class RiskAreaBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An area as it shall be, whole. It is about its families' categories and its own; give some of either."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    risk: Annotated[str, Meta(min_length=1, max_length=2000, description="what may be wrong in the supply chain")]
    leads: Annotated[str, Meta(min_length=1, max_length=200, description="who leads on it, in words")]
    criteria: Annotated[list[Word], Meta(max_length=50, description="codes of those that answer it")]
    source: Annotated[str, Meta(min_length=1, max_length=400)]
    families: Annotated[list[Word], Meta(max_length=100)] = []
    categories: Annotated[list[Word], Meta(max_length=200)] = []
    source_date: date | None = None


class RiskAreaView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a supply chain is at risk, and the criteria that answer it."""

    id: str
    version: Annotated[int, OPEN]
    name: str
    risk: str
    leads: str
    criteria: list[str]
    families: list[str]
    categories: list[str]
    covers: Annotated[list[str], Meta(description="ids of all categories that it is about")]
    source: str
    source_date: date | None
    packaged: Annotated[bool, Meta(description="as shipped; false: set by a planner")]


class RiskAreaPage(msgspec.Struct, frozen=True):
    """Risk areas by id."""

    items: list[RiskAreaView]
    next_cursor: str | None


class RiskAreaController(Controller):
    """Supply chains at risk."""

    path = "/v1/risk-areas"
    tags = ("market",)

    @get("/", "risk-areas.list", "Risk areas")
    def list_areas(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        category: OfCategory = None,
    ) -> Response[RiskAreaPage]:
        """Where supply chains are at risk, which criteria answer it and who leads on it."""

        def work(call: Call) -> Reply:
            found = risk_areas.areas(call.session, category=category)
            return call.page(page_of_all(found, call.window(cursor, limit)), RiskAreaPage, view=area_view)

        return handling.read(request, work)

    @get("/{area_id:str}", "risk-areas.read", "A risk area")
    def read(self, request: Asked, handling: Handled, area_id: AreaId) -> Response[RiskAreaView]:
        """One area, with all categories that it is about."""
        return handling.read(request, lambda call: _shown(call, area_id))

    @put("/{area_id:str}", "risk-areas.write", "Set a risk area", also={CREATED: RiskAreaView})
    def write(
        self, request: Asked, handling: Handled, area_id: AreaId, data: JSONBody[RiskAreaBody]
    ) -> Response[RiskAreaView]:
        """Adds it, or replaces it whole with If-Match; a packaged one too, which then stands as you set it."""

        def work(call: Call) -> Reply:
            return call.put(
                lambda expect: risk_areas.put(call.session, area_id, _area(data), now=call.now, expect=expect),
                lambda _: _shown(call, area_id),
            )

        return handling.write(request, work)


def _area(data: RiskAreaBody) -> Area:
    return Area(
        name=data.name,
        risk=data.risk,
        leads=data.leads,
        criteria=tuple(data.criteria),
        source=data.source,
        families=tuple(data.families),
        categories=tuple(data.categories),
        source_date=data.source_date,
    )


def _shown(call: Call, key: str) -> Reply:
    found = risk_areas.one(call.session, key)
    return Reply(area_view(found), version=found.version)


def area_view(known: Known) -> RiskAreaView:
    """An area as it is shown."""
    area = known.area
    return RiskAreaView(
        id=known.id,
        version=known.version,
        name=area.name,
        risk=area.risk,
        leads=area.leads,
        criteria=list(area.criteria),
        families=list(area.families),
        categories=list(area.categories),
        covers=list(known.covers),
        source=area.source,
        source_date=area.source_date,
        packaged=known.packaged,
    )
