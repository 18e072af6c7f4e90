"""What a tender's contract notice states, over HTTP."""

from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get
from pooling.parameters import Handled
from pooling.tenders.notice import TenderNotice, notice


class NoticeController(Controller):
    """What the lead of a tender publishes."""

    path = "/v1/tenders/{tender_id:uuid}"
    tags = ("tenders",)

    @get("/notice", "tender-notices.read", "What its notice states")
    def read(self, request: Asked, handling: Handled, tender_id: FromPath[UUID]) -> Response[TenderNotice]:
        """Buyers by name with estimate and maximum for each, lots, value with options, what the law asks: for the lead
        of a tender that was handed over, planners and auditors."""

        def work(call: Call) -> Reply:
            found = notice(call.session, call.who.sees, tender_id)
            return Reply(found, version=found.version)

        return handling.read(request, work)
