"""Notices over HTTP: what one was told, and what of it one has read."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get, transition
from pooling.notices import queries
from pooling.notices.queries import Shown
from pooling.notices.views import NoticePage, NoticeView, notice_view, version_of
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit

Unread = FromQuery[Annotated[bool, QueryParameter(description="true: only those that you have not read")]]
Told = FromQuery[
    Annotated[str | None, QueryParameter(max_length=40, description="what this participant was told, instead of you")]
]


class NoticeController(Controller):
    """What one was told."""

    path = "/v1/notices"
    tags = ("notices",)

    @get("/", "notices.list", "Notices")
    def list_notices(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        unread: Unread = False,
        participant: Told = None,
    ) -> Response[NoticePage]:
        """To you, to those you act for, and to planners where you are one; the latest first."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = queries.notices(call.session, call.who, window, unread=unread, participant=participant)
            page = page_of(found, window, key=lambda each: (each.row.created_at, each.row.id))
            return call.page(page, NoticePage, view=notice_view)

        return handling.read(request, work)

    @get("/{notice_id:uuid}", "notices.read", "A notice")
    def read(self, request: Asked, handling: Handled, notice_id: FromPath[UUID]) -> Response[NoticeView]:
        """What happened, by when something is to be done, and where to look."""
        return handling.read(request, lambda call: _shown(queries.notice(call.session, call.who, notice_id)))

    @transition("/{notice_id:uuid}/read", "notices.mark-read", "Mark a notice as read", needs_version=False)
    def mark_read(self, request: Asked, handling: Handled, notice_id: FromPath[UUID]) -> Response[NoticeView]:
        """By you; others who were told it still have it unread. Needs no If-Match: doing it twice changes nothing."""

        def work(call: Call) -> Reply:
            call.expect_if_sent(version_of(queries.notice(call.session, call.who, notice_id)))
            return _shown(queries.mark_read(call.session, call.who, notice_id, now=call.now))

        return handling.write(request, work)


def _shown(shown: Shown) -> Reply:
    return Reply(notice_view(shown), version=version_of(shown))


ROUTES: tuple[ControllerRouterHandler, ...] = (NoticeController,)
