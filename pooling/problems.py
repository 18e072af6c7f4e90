"""How a refusal looks over HTTP: RFC 9457 problems. The one place that knows status codes."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pooling.errors import (
    BadFields,
    BadInput,
    BadSetting,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PoolingError,
    TooManyAttempts,
    WrongState,
)
from pooling.faults import Fault, fault_at, faults_of
from pooling.idempotency import BadKey, KeyReused, NotReplayable, StillRunning
from pooling.limits import BadText, TooDeep, TooSlow, UnknownParameter, allow
from pooling.paging import InvalidCursor
from pooling.preconditions import PreconditionFailed, PreconditionMissing
from pooling.quota import POLICY, QuotaExceeded
from pooling.tracing import new_id, request_id

OK = 200
CREATED = 201
ACCEPTED = 202
NO_CONTENT = 204
NOT_MODIFIED = 304
"""Statuses of what is no refusal, for controllers and the wrapper around them."""

LOG = logging.getLogger("pooling.requests")
MEDIA_TYPE = "application/problem+json"
QUOTA_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The one problem that is registered for all APIs; every other type is urn:pooling:problem:CODE."""
RETRY_AFTER_S = 5
UNAVAILABLE = 503
FAILED = 500


class NotReady(PoolingError):
    """The service cannot answer yet: its database is unreachable or not at the schema of this version."""

    code = "not-ready"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details."""

    type: Annotated[str, msgspec.Meta(description="urn:pooling:problem:CODE")]
    title: str
    status: int
    detail: str
    instance: Annotated[str, msgspec.Meta(description="path of the request")]
    code: Annotated[str, msgspec.Meta(description="stable; what a program may depend on")]
    request_id: Annotated[str, msgspec.Meta(description="also in the header X-Request-Id")]
    errors: list[Fault] = []
    violated_policies: Annotated[list[str], msgspec.Meta(description="with quota-exceeded: of RateLimit-Policy")] = (
        msgspec.field(default_factory=list, name="violated-policies")
    )


STATUSES: Mapping[type[PoolingError], int] = {
    InvalidCursor: 400,
    UnknownParameter: 400,
    BadKey: 400,
    TooDeep: 400,
    BadText: 400,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    TooSlow: 408,
    StillRunning: 409,
    NotReplayable: 409,
    WrongState: 409,
    PreconditionFailed: 412,
    BadInput: 422,
    KeyReused: 422,
    BadSetting: 422,  # over HTTP a policy or mapping that was sent: the service's own settings are read at its start
    PreconditionMissing: 428,
    TooManyAttempts: 429,
    QuotaExceeded: 429,
    NotReady: UNAVAILABLE,
    PoolingError: FAILED,
}
"""Status by class of refusal; a subclass that is not named has its parent's."""

CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("not-authenticated", "Who is asking is not known"),
    403: ("not-allowed", "Whoever is asking may not do this"),
    404: ("not-found", "Nothing is here"),
    405: ("method-not-allowed", "The resource has no such method"),
    408: ("request-timeout", "The request did not arrive in time"),
    409: ("conflict", "Another request is in the way"),
    412: ("precondition-failed", "The resource has changed since it was seen"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The request's content type is not read here"),
    422: ("bad-input", "The data must be corrected"),
    428: ("precondition-missing", "The change needs the version it is based on"),
    429: ("too-many-requests", "Too many requests"),
    FAILED: ("internal", "The service failed"),
    UNAVAILABLE: ("not-ready", "The service cannot answer now"),
}
"""Code and title by status, for what the framework refuses."""

REMEDIES: Mapping[int, str] = {
    404: "nothing is at this address; / names the resources",
    405: "the resource has no such method; the header Allow names those it has",
    413: "the body is larger than is taken here; send less at a time",
}
"""What to do where the framework says only what is wrong."""

RESPONSES = {
    status: ResponseSpec(Problem, generate_examples=False, media_type=MEDIA_TYPE, description=CODES[status][1])
    for status in (400, FAILED, UNAVAILABLE)
}
"""What every handler may answer besides its own, for the API description; `description.complete` adds the others."""


def status_of(refusal: type[PoolingError]) -> int:
    """The status of a class of refusal: its own or its nearest parent's."""
    return next(STATUSES[parent] for parent in refusal.__mro__ if parent in STATUSES)


def _answer(
    request: Request[Any, Any, Any],
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Problem]:
    exceeded = code == QuotaExceeded.code
    problem = Problem(
        type=QUOTA_TYPE if exceeded else f"urn:pooling:problem:{code}",
        title=CODES.get(status, ("", "The request was refused"))[1],
        status=status,
        detail=detail,
        instance=request.url.path,
        code=code,
        request_id=request_id(request.scope),
        errors=errors or [],
        violated_policies=[POLICY] if exceeded else [],
    )
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _refusal(request: Request[Any, Any, Any], refusal: PoolingError) -> Response[Problem]:
    status = status_of(type(refusal))
    if status == FAILED:
        return _failed(request, refusal)
    errors = []
    if isinstance(refusal, BadFields):
        errors = [fault_at(*fault) for fault in refusal.faults]
    headers = _headers(status, refusal)
    return _answer(request, status=status, code=refusal.code, detail=str(refusal), errors=errors, headers=headers)


def _headers(status: int, refusal: PoolingError) -> dict[str, str]:
    """What a refusal says besides its body: how to come in, when to come again, what the version is now."""
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    after = getattr(refusal, "retry_after_s", RETRY_AFTER_S if status == UNAVAILABLE else None)
    if after is not None:
        headers["Retry-After"] = str(after)
    if isinstance(refusal, QuotaExceeded):
        headers |= refusal.state.headers
    if isinstance(refusal, PreconditionFailed) and refusal.current is not None:
        headers["ETag"] = refusal.current
    return headers


def _framework(request: Request[Any, Any, Any], refusal: HTTPException) -> Response[Problem]:
    status = refusal.status_code
    if status == FAILED:
        return _failed(request, refusal)
    code = CODES.get(status, (f"http-{status}", ""))[0]
    given = {name.lower(): value for name, value in (refusal.headers or {}).items()}
    kept = {name: value for name, value in given.items() if name == "retry-after"}
    if "allow" in given:
        kept["allow"] = allow(each.strip() for each in given["allow"].split(","))
    errors = faults_of(refusal.extra)
    said = REMEDIES.get(status, refusal.detail)
    detail = said if not errors else "; ".join(f"{fault.place}: {fault.detail}" for fault in errors)
    return _answer(request, status=status, code=code, detail=detail, errors=errors, headers=kept)


def _unreachable(request: Request[Any, Any, Any], failure: Exception) -> Response[Problem]:
    _log(request, failure)
    return _refusal(request, NotReady(f"the database does not answer; try again in {RETRY_AFTER_S} seconds"))


def _unstorable(request: Request[Any, Any, Any], failure: Exception) -> Response[Problem]:
    """A value that no column takes: it should have been refused before, so it is logged as a failure of ours."""
    _log(request, failure)
    detail = "the request holds a value that cannot be stored; correct it"
    return _answer(request, status=400, code=CODES[400][0], detail=detail)


def _failed(request: Request[Any, Any, Any], failure: Exception) -> Response[Problem]:
    _log(request, failure)
    detail = f"request {request_id(request.scope)} failed; the log has the reason"
    return _answer(request, status=FAILED, code=CODES[FAILED][0], detail=detail)


def unreadable() -> Problem:
    """What is answered to bytes that are no HTTP request: nobody knows for which address they were meant."""
    problem = Problem(
        type="urn:pooling:problem:bad-request",
        title=CODES[400][1],
        status=400,
        detail="this is no HTTP request: the method, the address or a header cannot be read; correct it",
        instance="",
        code=CODES[400][0],
        request_id=new_id(),
    )
    LOG.warning("request %s cannot be read as HTTP", problem.request_id)
    return problem


def _log(request: Request[Any, Any, Any], failure: Exception) -> None:
    LOG.error("request %s %s failed", request_id(request.scope), request.url.path, exc_info=failure)


HANDLERS: ExceptionHandlersMap = {
    PoolingError: _refusal,
    HTTPException: _framework,
    OperationalError: _unreachable,
    DataError: _unstorable,
    PoolTimeout: _unreachable,
    FAILED: _failed,
}
"""For the application: everything that can be raised becomes a problem."""
