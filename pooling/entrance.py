"""What holds for a request before its handler is chosen or asked: HEAD is a GET, and nobody comes in unnamed."""

from typing import Any

from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from pooling.access.matrix import MATRIX
from pooling.access.service import bearer
from pooling.limits import check_request

HANDLER = "route_handler"
"""Where the framework notes in a request's scope who answers it."""


async def heads_as_gets(app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer with ``app``; a HEAD as the GET of the same address, without the body (RFC 9110, 9.3.2)."""
    if scope["method"] != HttpMethod.HEAD:
        await app(scope, receive, send)
        return
    asked: Any = {**scope, "method": HttpMethod.GET.value}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    scope.setdefault("state", {})  # one for both scopes: the log tells what is noted there
    asked["state"] = scope["state"]
    try:
        await app(asked, receive, sent)
    finally:
        noted: Any = scope
        noted[HANDLER] = asked.get(HANDLER)


async def check(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Before each handler: raises NotAuthenticated, and what `check_request` does, without reading a body before."""
    refuse_unnamed(request)
    return await check_request(request)


def refuse_unnamed(request: Request[Any, Any, Any]) -> None:
    """Raises NotAuthenticated where nobody is named and the operation is not for everybody."""
    row = MATRIX.get(str(request.route_handler.operation_id))
    if row is not None and not row.public:
        bearer(request.headers.get("Authorization"))
