"""How every request is handled: one transaction, who is asking, may they, the work, what they may see of it, the audit.

A controller's method is one call of `Handling.read` or `Handling.write` with the work to do; see docs/api.md.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pooling import audit, idempotency, preconditions
from pooling.access import policy, projection
from pooling.access import service as access
from pooling.access.matrix import MATRIX
from pooling.access.rules import Principal
from pooling.access.tokens import Issuers
from pooling.calls import Asked, Call, Reply, Work
from pooling.database import transaction
from pooling.deeds import Deed
from pooling.idempotency import Kept, Running, Scope
from pooling.limits import body_digest, boundary_of
from pooling.looking import Reading, looking
from pooling.paging import Cursors
from pooling.problems import ACCEPTED, NOT_MODIFIED, OK
from pooling.quota import Quotas
from pooling.signing import Secret
from pooling.threads import give_way
from pooling.tracing import PRINCIPAL, QUOTA
from pooling.transactions import attribute

Clock = Callable[[], datetime]
JSON = "application/json"
TRIES = 3
"""How often a write is begun again that the database broke off because of another one."""
ANYBODY = Principal(id=UUID(int=0), kind="person", roles=frozenset())
"""Whoever asks for what is public; owns and sees nothing."""


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
                give_way()  # those who come at the same time are entered together
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
        give_way()  # who writes waits for others who write
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
