"""What requests about demand name, and who sends."""

from typing import Annotated

from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter

from pooling.access.rules import Principal
from pooling.calls import Call
from pooling.demand import queries, shown, views
from pooling.demand.sender import Sender
from pooling.demand.views import LineDetail

LARGEST_ID = 2**63 - 1

LineId = FromPath[Annotated[int, PathParameter(ge=1, le=LARGEST_ID)]]
SourceName = FromPath[Annotated[str, PathParameter(pattern=views.SOURCE, max_length=60)]]
ExternalId = FromPath[Annotated[str, PathParameter(pattern=views.EXTERNAL_ID, max_length=120)]]
OfSource = FromQuery[Annotated[str | None, QueryParameter(max_length=60, description="forecasts of this system alone")]]
OfCycle = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="sent for this cycle alone")]]
Partial = FromQuery[Annotated[bool, QueryParameter(description="true: keep the good ones where others have faults")]]


def sender_of(who: Principal) -> Sender:
    """Whoever sends, and for whom: planners for everybody."""
    return Sender(who.id, None if who.sees.all else who.sees.participants)


def line_of(call: Call, line_id: int) -> LineDetail:
    """A line with what is known of it; raises NotFound."""
    row = queries.line(call.session, call.who.sees, line_id)
    doubts, successions = queries.flags(call.session, [line_id]), queries.successions(call.session, line_id)
    return shown.line_detail(row, doubts.get(line_id, ()), successions)
