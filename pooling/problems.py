"""How a refusal looks over HTTP: RFC 9457 problems. The one place that knows status codes."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap, Scope
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pooling.errors import BadInput, BadSetting, NotFound, PoolingError
from pooling.paging import InvalidCursor

LOG = logging.getLogger("pooling.requests")
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class UnknownParameter(BadInput):
    """The address holds a query parameter that the resource does not have."""

    code = "unknown-parameter"


class NotReady(PoolingError):
    """The service cannot answer yet: its database is unreachable or not at the schema of this version."""

    code = "not-ready"


class Fault(msgspec.Struct, frozen=True):
    """One place in a request that must be corrected."""

    pointer: Annotated[str, msgspec.Meta(description="parameter or JSON pointer")]
    detail: str


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


STATUSES: Mapping[type[PoolingError], int] = {
    InvalidCursor: 400,
    UnknownParameter: 400,
    BadInput: 422,
    NotFound: 404,
    BadSetting: 422,  # over HTTP a policy or mapping that was sent: the service's own settings are read at its start
    NotReady: 503,
    PoolingError: 500,
}
"""Status by class of refusal; a subclass that is not named has its parent's."""

CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("not-authenticated", "Who is asking is not known"),
    403: ("not-allowed", "Whoever is asking may not do this"),
    404: ("not-found", "Nothing is here"),
    405: ("method-not-allowed", "The resource has no such method"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The request's content type is not read here"),
    422: ("bad-input", "The data must be corrected"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "The service failed"),
    503: ("not-ready", "The service cannot answer now"),
}
"""Code and title by status, for what the framework refuses."""

RESPONSES = {
    status: ResponseSpec(Problem, generate_examples=False, media_type=MEDIA_TYPE, description=CODES[status][1])
    for status in (400, 500, 503)
}
"""What every handler may answer besides its own, for the API description."""


def request_id(scope: Scope) -> str:
    """The id of a request, made when first asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: str = state.setdefault("request_id", uuid4().hex)
    return found


def _answer(
    request: Request[Any, Any, Any],
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Problem]:
    problem = Problem(
        type=f"urn:pooling:problem:{code}",
        title=CODES.get(status, ("", "The request was refused"))[1],
        status=status,
        detail=detail,
        instance=request.url.path,
        code=code,
        request_id=request_id(request.scope),
        errors=errors or [],
    )
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _refusal(request: Request[Any, Any, Any], refusal: PoolingError) -> Response[Problem]:
    status = next(STATUSES[parent] for parent in type(refusal).__mro__ if parent in STATUSES)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return _answer(request, status=status, code=refusal.code, detail=str(refusal), headers=headers)


def _framework(request: Request[Any, Any, Any], refusal: HTTPException) -> Response[Problem]:
    status = refusal.status_code
    code = CODES.get(status, (f"http-{status}", ""))[0]
    extra = refusal.extra if isinstance(refusal.extra, list) else []
    errors = [Fault(str(each.get("key", "")), str(each.get("message", ""))) for each in extra if isinstance(each, dict)]
    detail = refusal.detail if status < 500 else f"request {request_id(request.scope)} failed; the log has the reason"
    kept = {name: value for name, value in (refusal.headers or {}).items() if name.lower() in ("allow", "retry-after")}
    return _answer(request, status=status, code=code, detail=detail, errors=errors, headers=kept)


def _unreachable(request: Request[Any, Any, Any], failure: Exception) -> Response[Problem]:
    _log(request, failure)
    return _refusal(request, NotReady(f"the database does not answer; try again in {RETRY_AFTER_S} seconds"))


def _failed(request: Request[Any, Any, Any], failure: Exception) -> Response[Problem]:
    _log(request, failure)
    detail = f"request {request_id(request.scope)} failed; the log has the reason"
    return _answer(request, status=500, code="internal", detail=detail)


def _log(request: Request[Any, Any, Any], failure: Exception) -> None:
    LOG.error("request %s %s failed", request_id(request.scope), request.url.path, exc_info=failure)


HANDLERS: ExceptionHandlersMap = {
    PoolingError: _refusal,
    HTTPException: _framework,
    OperationalError: _unreachable,
    PoolTimeout: _unreachable,
    500: _failed,
}
"""For the application: everything that can be raised becomes a problem."""
