"""How every request is handled: one transaction, who is asking, may they, the work, what they may see of it, the audit.

A controller's method is one call of `Handling.read` or `Handling.write` with the work to do; see docs/api.md.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.params import FromQuery, QueryParameter
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pooling import audit, idempotency, preconditions
from pooling.access import policy, projection
from pooling.access import service as access
from pooling.access.matrix import MATRIX
from pooling.access.rules import Principal
from pooling.access.tokens import Issuers
from pooling.database import Reading, looking, transaction
from pooling.deeds import Deed
from pooling.idempotency import Kept, Running, Scope
from pooling.limits import body_digest, boundary_of
from pooling.paging import MAX_LIMIT, Cursors, Page, Window, bound_to
from pooling.problems import ACCEPTED, CREATED, NO_CONTENT, NOT_MODIFIED, OK
from pooling.quota import Quotas
from pooling.signing import Secret
from pooling.tracing import PRINCIPAL, QUOTA, request_id
from pooling.transactions import attribute

Asked = Request[Any, Any, Any]
Cursor = FromQuery[
    Annotated[
        str | None, QueryParameter(max_length=1000, description="next_cursor of the page before; none: first page")
    ]
]
Limit = FromQuery[Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="how many items at most")]]
"""Parameters of every list: ``cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT``."""
Clock = Callable[[], datetime]
Item = TypeVar("Item")
Done = TypeVar("Done")
JSON = "application/json"
TRIES = 3
"""How often a write is begun again that the database broke off because of another one."""
RETRY_AFTER_S = 2
ANYBODY = Principal(id=UUID(int=0), kind="person", roles=frozenset())
"""Whoever asks for what is public; owns and sees nothing."""


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
        query = [(name, value) for name, value in self.request.query_params.multi_items() if name != "cursor"]
        link = f'<{self.request.scope["path"]}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
        return Reply(model(items, cursor), headers={"Link": link})

    def _bound(self) -> str:
        return bound_to(self.request.scope["path"], self.request.query_params.dict())


Work = Callable[[Call], Any]
"""Does what is asked inside the open transaction; answers a body or a `Reply`."""


class Handling:
    """Handles requests over one database; runs in the handler's thread."""

    def __init__(self, engine: Engine, *, clock: Clock, issuers: Issuers, secret: Secret, quotas: Quotas) -> None:
        self.engine = engine
        self._quotas = quotas
        self._clock = clock
        self._issuers = issuers
        self._reads = audit.ReadLog(engine)
        self._running = Running()
        self._secret = secret

    def read(self, request: Asked, work: Work) -> Response[Any]:
        """Answer without changing anything; others' confidential figures leave only after that is entered.

        A POST that reads says so: ``opt={"reads": True}``.
        """
        if request.method != "GET" and "reads" not in request.route_handler.opt:
            raise TypeError(f'{request.route_handler}: a {request.method} that only reads has opt={{"reads": True}}')
        self._cursors()  # found or made before a transaction is open
        with self._visit(request) as visit:
            with looking(self.engine) as opened:
                call = self._call(opened, request, visit)
                reply = _reply(work(call))
                answer = _ready(reply, call, reply.body)
            if _unchanged(request, answer):
                return _sent(Kept(NOT_MODIFIED, answer.headers, b""))
            if answer.owners:
                audit.read(self._reads, _deed(call), path=request.scope["path"], participants=answer.owners)
            return _sent(answer)

    def public(self, request: Asked, work: Work) -> Response[Any]:
        """Answer whoever asks, looking at no credentials: a GET of what the access matrix names public.

        The projection shows what is open to all. Requests are counted by address.
        """
        operation = str(request.route_handler.operation_id)
        row = MATRIX.get(operation)
        if row is None or not row.public:
            raise TypeError(f"{operation}: only a row of the access matrix that is public is answered to anybody")
        self._cursors()
        address = request.client.host if request.client else ""
        request.scope["state"][QUOTA] = self._quotas.take(f"address {address}")
        with looking(self.engine) as opened:
            call = Call(opened, ANYBODY, self._clock(), operation, request, self._cursors)
            reply = _reply(work(call))
            answer = _ready(reply, call, reply.body)
        if _unchanged(request, answer):
            return _sent(Kept(NOT_MODIFIED, answer.headers, b""))
        return _sent(answer)

    def write(self, request: Asked, work: Work) -> Response[Any]:
        """Change something: effect, audit, feed and stored answer are kept together, or nothing is."""
        key = idempotency.key_of(request.headers.get("Idempotency-Key"), needed=_needs_key(request))
        self._cursors()
        authorization = request.headers.get("Authorization", "")
        parts = (authorization, str(request.method), request.url.path, key or "")
        with self._running.hold(*parts) if key else nullcontext(), self._visit(request) as visit:
            for left in reversed(range(TRIES)):
                try:
                    return self._written(request, work, key, visit)
                except DBAPIError as broken:
                    if not left or not _collided(broken):
                        raise
            raise AssertionError("the last try returns or raises")

    def _written(self, request: Asked, work: Work, key: str | None, visit: access.Visit) -> Response[Any]:
        with transaction(self.engine) as session:
            call = self._call(session, request, visit)
            mark = projection.mark(call.who)
            scope = Scope(str(call.who.id), call.operation, key) if key else None
            print_ = _fingerprint(request) if key else ""
            if scope:
                kept = idempotency.find(session, scope, fingerprint=print_, mark=mark, now=call.now)
                if kept:
                    _enter_reading(session, call, kept)
                    return _sent(replace(kept, headers={**kept.headers, "Idempotent-Replayed": "true"}))
            attribute(session, _deed(call))
            reply = _reply(work(call))
            session.flush()
            answer = _ready(reply, call, reply.body)
            _enter_reading(session, call, answer)
            if scope and reply.refusal is None:
                again = answer if reply.replay is None else _ready(reply, call, reply.replay)
                idempotency.keep(session, scope, again, fingerprint=print_, mark=mark, now=call.now)
        if reply.refusal is not None:
            raise reply.refusal
        return _sent(answer)

    def _visit(self, request: Asked) -> AbstractContextManager[access.Visit]:
        address = request.client.host if request.client else ""
        credentials = access.Credentials(request.headers.get("Authorization"), address)
        return access.visit(self.engine, credentials, now=self._clock(), issuers=self._issuers)

    def _call(self, opened: Session | Reading, request: Asked, visit: access.Visit) -> Call:
        operation = request.route_handler.operation_id
        if not isinstance(operation, str):
            raise TypeError(f"{request.route_handler}: give it an operation_id, such as lines.read")
        who = visit.identify(opened)
        request.scope["state"][PRINCIPAL] = str(who.id)
        request.scope["state"][QUOTA] = self._quotas.take(str(who.id))
        policy.permit(who, operation)
        return Call(opened, who, visit.now, operation, request, self._cursors)

    @functools.cached_property
    def _made_cursors(self) -> Cursors:
        return Cursors(self._secret.get())

    def _cursors(self) -> Cursors:
        return self._made_cursors


def _needs_key(request: Asked) -> bool:
    """Whether a repeated request would have a second effect; a transition is held by If-Match."""
    return request.method == "POST" and "transition" not in request.route_handler.opt


def _deed(call: Call) -> Deed:
    return Deed(str(call.who.id), call.operation, call.now, call.request_id)


def _reply(made: Any) -> Reply:
    return made if isinstance(made, Reply) else Reply(made)


def _enter_reading(session: Session, call: Call, answer: Kept) -> None:
    """Enter with a write that its answer shows others' confidential figures, each time that it is given."""
    if answer.owners:
        audit.read(session, _deed(call), path=call.request.url.path, participants=answer.owners)


def _ready(reply: Reply, call: Call, body: Any) -> Kept:
    """The reply as the reader may see it, in bytes and headers."""
    shown, owners = (None, frozenset[str]()) if body is None else projection.project(body, call.who)
    headers = dict(reply.headers)
    if reply.location:
        headers["Location"] = reply.location
    if reply.status == ACCEPTED and call.prefers_async:
        headers["Preference-Applied"] = "respond-async"
    if isinstance(shown, projection.File):
        headers |= {"Content-Type": shown.media_type, "Content-Disposition": f'attachment; filename="{shown.name}"'}
        content = shown.content
    else:
        headers["Content-Type"] = JSON
        content = b"" if shown is None else msgspec.json.encode(shown)
    if reply.version is not None:
        headers["ETag"] = preconditions.etag(reply.version, projection.mark(call.who))
    elif reply.status == OK and call.request.method == "GET":
        headers["ETag"] = preconditions.etag_of(content, projection.mark(call.who))
    return Kept(reply.status, headers, content, owners)


def _unchanged(request: Asked, answer: Kept) -> bool:
    etag = answer.headers.get("ETag")
    return etag is not None and preconditions.matches(request.headers.get("If-None-Match"), etag)


def _sent(kept: Kept) -> Response[Any]:
    headers = dict(kept.headers)
    media_type = headers.pop("Content-Type", JSON)
    content = kept.body or None
    return Response(content, status_code=kept.status, headers=headers, media_type=media_type)


def _fingerprint(request: Asked) -> str:
    content_type = request.headers.get("Content-Type", "")
    boundary = boundary_of(request)
    if boundary:
        content_type = content_type.replace(boundary, "")
    query = request.query_params.multi_items()
    return idempotency.fingerprint(request.url.path, query, content_type, body_digest(request))


def _collided(broken: DBAPIError) -> bool:
    """Whether the database broke the write off because of another one: deadlock, serialisation, two equal inserts."""
    return getattr(broken.orig, "sqlstate", None) in ("40001", "40P01", "23505")
