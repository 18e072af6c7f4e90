"""The short way to a handler that reads: addresses that were understood before are not taken apart again.

What an address means is found by the framework's own model of the handler's parameters, once; whatever is not plainly
right goes the framework's way, which says what is wrong.
"""

from collections.abc import Hashable
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from pooling.entrance import refuse_unnamed
from pooling.limits import LimitedRequest, query_parameters
from pooling.problems import NO_CONTENT, NOT_MODIFIED

LONGEST_QUERY = 512
MOST_KNOWN = 128
"""Addresses that are remembered of one handler."""
WITHOUT_BODY = (NO_CONTENT, NOT_MODIFIED)


class Shortcut:
    """Around one handler of ``request``, ``handling`` and parameters of the address; ``app`` is the framework's way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._known: dict[Hashable, dict[str, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; raises what the handler does."""
        request = LimitedRequest(scope, receive, send)
        app: Any = scope["litestar_app"]
        given = {"request": request, "handling": app.parts.handling}
        named = self._named(request, given)
        if named is None:
            await self._app(scope, receive, send)
            return
        refuse_unnamed(request)
        await _send(await request.route_handler.fn(**given, **named), send)

    def _named(self, request: LimitedRequest, given: dict[str, Any]) -> dict[str, Any] | None:
        """What the address gives the handler, by name; None: more than that is to be said of it."""
        query = request.scope["query_string"]
        key = (query, *request.scope["path_params"].items())
        named = self._known.get(key)
        if named is None and len(query) <= LONGEST_QUERY:
            named = _understood(request, given)
            if named is not None:
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[key] = named
        return named


def _understood(request: LimitedRequest, given: dict[str, Any]) -> dict[str, Any] | None:
    """The same by the framework's model of the handler; None where anything is unknown, repeated or out of bounds."""
    scope, known = request.scope, query_parameters(request)
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    single = {name: value for name, value in asked if name in known and not known[name].is_sequence}
    if len(single) < len(asked) or "\0" in scope["path"] or any("\0" in value for value in single.values()):
        return None
    told = {**scope["path_params"], **{known[name].field_name: value for name, value in single.items()}, **given}
    model: Any = request.route_handler.signature_model
    try:
        found: dict[str, Any] = model.parse_values_from_connection_kwargs(connection=request, kwargs=told)
    except HTTPException:
        return None
    return {name: value for name, value in found.items() if name not in given}


async def _send(response: Response[Any], send: Send) -> None:
    """Send an answer whose content is bytes or nothing."""
    body = response.content or b""
    status = response.status_code or 200
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if status not in WITHOUT_BODY:
        kind = str(response.media_type)
        headers.append((b"content-type", (f"{kind}; charset=utf-8" if kind.startswith("text/") else kind).encode()))
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
