"""What a controller's method works with: the request as a `Call`, and the `Reply` that it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from litestar import Request
from sqlmodel import Session

from pooling import preconditions
from pooling.access import projection
from pooling.access.rules import Principal
from pooling.looking import Reading
from pooling.paging import Cursors, Listing, Page, Window, listing
from pooling.problems import ACCEPTED, CREATED, NO_CONTENT, OK
from pooling.tracing import request_id

Asked = Request[Any, Any, Any]
Item = TypeVar("Item")
Done = TypeVar("Done")
RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What the work of a request answers.

    ``version``: of the resource shown, for its ETag. ``location``: address of what was made, or of the operation.
    ``replay``: the body to keep for a repeated request where it must differ: a secret is shown once. ``refusal``: the
    fault that is answered instead, once what the work noted is kept.
    """

    body: Any = None
    status: int = OK
    version: int | str | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    replay: Any = None
    refusal: Exception | None = None


def created(body: Any, *, location: str, version: int | str | None = None, replay: Any = None) -> Reply:
    """Something was made and is at ``location``."""
    return Reply(body, CREATED, version=version, location=location, replay=replay)


def accepted(body: Any, *, operation: object) -> Reply:
    """The work goes on as the job ``operation``; ``body`` is what is known of it."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Reply(body, ACCEPTED, location=f"/v1/operations/{operation}", headers=headers)


def gone() -> Reply:
    """It was deleted; there is nothing to show."""
    return Reply(None, NO_CONTENT)


@dataclass(frozen=True, slots=True)
class Call:
    """One request being handled, inside its one transaction.

    ``opened``: the transaction as prepared queries take it (`pooling.prepared`), which need no session.
    """

    opened: Session | Reading
    who: Principal
    now: datetime
    operation: str
    request: Asked
    cursors: Callable[[], Cursors]

    @property
    def session(self) -> Session:
        """The open transaction."""
        return self.opened.session if isinstance(self.opened, Reading) else self.opened

    @property
    def request_id(self) -> str:
        """Also in the answer, the log and the audit."""
        return request_id(self.request.scope)

    @property
    def prefers_async(self) -> bool:
        """Whether the client asked for an answer at once and the work later (``Prefer: respond-async``)."""
        return "respond-async" in preconditions.preferences(self.request.headers.get("Prefer"))

    def expect(self, version: int | str) -> None:
        """Go on only where the client has seen ``version`` (``If-Match``); the row must be locked before.

        Raises PreconditionMissing, PreconditionFailed (with the current ETag).
        """
        current = preconditions.etag(version, projection.mark(self.who))
        preconditions.expect(self.request.headers.get("If-Match"), version=str(version), current=current)

    def expect_if_sent(self, version: int | str) -> None:
        """As `expect` for a change that needs no If-Match: where the client names a version, it must be this one."""
        if "If-Match" in self.request.headers:
            self.expect(version)

    def version_shown(self, body: Any) -> str:
        """The version of what keeps none of its own: of its content, as whoever asks may see it."""
        return preconditions.version_of(msgspec.json.encode(projection.project(body, self.who)[0]))

    def expect_absent(self) -> None:
        """For a PUT that finds nothing there: raises PreconditionFailed where the client named a version."""
        preconditions.expect_absent(self.request.headers.get("If-Match"))

    def put(self, keep: Callable[[Callable[[int | None], None]], Done], show: Callable[[Done], Reply]) -> Reply:
        """A resource made or replaced under the name in the address: 201 where nothing was there.

        ``keep(expect)`` stores it, and calls ``expect`` with the version that is there (None: nothing is) once its row
        is locked; ``show`` answers it as it is then.
        """
        found: list[int | None] = []

        def expect(version: int | None) -> None:
            found.append(version)
            if version is None:
                self.expect_absent()
            else:
                self.expect(version)

        shown = show(keep(expect))
        if found == [None]:
            return created(shown.body, location=self.request.url.path, version=shown.version)
        return shown

    def window(self, cursor: str | None, limit: int) -> Window:
        """The page asked for; raises InvalidCursor where the cursor is not one of this list with these filters."""
        return Window(limit, None if cursor is None else self.cursors().read(self._bound(), cursor))

    def page(self, page: Page[Item], model: Callable[[list[Any], str | None], Any], view: Any = None) -> Reply:
        """The answer with a page: ``model(items, next_cursor)`` with each item as ``view(item)``, and the link on."""
        items = list(page.items) if view is None else [view(item) for item in page.items]
        if page.last is None:
            return Reply(model(items, None))
        cursor = self.cursors().write(self._bound(), page.last)
        onward = self._list().onward
        return Reply(model(items, cursor), headers={"Link": f'<{onward}cursor={cursor}>; rel="next"'})

    def _bound(self) -> str:
        return self._list().bound

    def _list(self) -> Listing:
        return listing(self.request.scope["path"], self.request.scope["query_string"])


Work = Callable[[Call], Any]
"""Does what is asked inside the open transaction; answers a body or a `Reply`."""
