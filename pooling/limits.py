"""Limits on what a request may cost before anything is done with it: bytes, seconds until it is here, nesting."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Iterable
from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response
from litestar.enums import HttpMethod, RequestEncodingType
from litestar.exceptions import HTTPException, SerializationException
from litestar.status_codes import HTTP_204_NO_CONTENT, HTTP_415_UNSUPPORTED_MEDIA_TYPE

from pooling.bodies import refuse_endless, refuse_repeated
from pooling.errors import BadInput, PoolingError

MAX_BODY_BYTES = 10_000_000
"""Of any request; a handler may have a lower or higher one of its own."""
BODY_TIME_S = 30.0
"""Within which the body must be here, whole."""
MAX_DEPTH = 32
"""Levels of objects and arrays in JSON."""

JSON = "application/json"
_QUERY = "known_query"
_DIGEST = "body_sha256"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BRACKET = re.compile(rb"[\[\]{}]")


class UnknownParameter(BadInput):
    """The address holds a query parameter that the resource does not have, or has it twice."""

    code = "unknown-parameter"


class BadText(BadInput):
    """The request holds the character NUL, which no name, code or figure has and databases refuse, or is no text."""

    code = "bad-text"


class TooSlow(PoolingError):
    """The request's body did not arrive in time; send it again."""

    code = "request-timeout"


class TooDeep(PoolingError):
    """The JSON is nested deeper than any request needs."""

    code = "too-deep"


class LimitedRequest(Request[Any, Any, Any]):
    """A request whose body comes in time, is hashed as it comes, is JSON where it should be and not nested without end.

    Bytes are counted by the framework: an announced length beyond the limit is refused before anything is read.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in chunks; raises TooSlow."""
        digest = BodyDigest(boundary_of(self).encode("latin-1"))
        try:
            async with asyncio.timeout(self.app.state.get("body_time_s", BODY_TIME_S)):
                async for chunk in super().stream():
                    digest.update(chunk)
                    yield chunk
        except TimeoutError:
            raise TooSlow("the body did not arrive in time; send it again, in smaller parts if need be") from None
        self.scope["state"][_DIGEST] = digest.hexdigest()

    async def json(self) -> Any:
        """The decoded body; raises TooDeep and ValidationException, and refuses another content type than JSON."""
        kind = self.content_type[0]
        if kind != JSON and not kind.endswith("+json"):
            raise UnsupportedMediaType(f"content type {kind or '(none)'!r} is not read here; send {JSON}")
        body = await self.body()
        refuse_deep(body)
        if b"\\u0000" in body and _NUL.search(body):
            raise BadText("the body holds the character NUL; leave it out")
        try:
            found = await super().json()
        except SerializationException:
            refuse_endless(body)
            raise
        refuse_repeated(body, found)
        return found


class UnsupportedMediaType(HTTPException):
    """The body is of a kind that is not read here."""

    status_code = HTTP_415_UNSUPPORTED_MEDIA_TYPE


METHODS = "methods"
"""Of the application's state: the methods of each path."""


async def check_request(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Before each handler: raises BadText, UnknownParameter. Answers OPTIONS itself."""
    scope = request.scope
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise BadText("the address holds the character NUL; leave it out")
    if scope["query_string"]:
        refuse_unknown(request)
    if _takes_form(request):
        await refuse_unreadable(request)
    return allowed(request) if request.method == HttpMethod.OPTIONS else None


def allow(methods: Iterable[str]) -> str:
    """The header Allow: ``methods``, and HEAD where there is GET."""
    named = set(methods)
    return ", ".join(sorted(named | {HttpMethod.HEAD} if HttpMethod.GET in named else named))


def allowed(request: Request[Any, Any, Any]) -> Response[None]:
    """What can be asked of a path. The framework's own answer leaves out whatever was registered after the first."""
    methods = request.app.state[METHODS][request.scope["path_template"]]
    return Response(None, status_code=HTTP_204_NO_CONTENT, headers={"Allow": methods}, media_type=MediaType.TEXT)


def _takes_form(request: Request[Any, Any, Any]) -> bool:
    data = request.route_handler.parsed_fn_signature.parameters.get("data")
    multipart = RequestEncodingType.MULTI_PART
    return (
        data is not None and getattr(data.kwarg_definition, "media_type", None) == multipart == request.content_type[0]
    )


async def refuse_unreadable(request: Request[Any, Any, Any]) -> None:
    """Raises BadText where a field of a form is not of the characters that it says; the form is read once."""
    try:
        await request.form()
    except (UnicodeDecodeError, LookupError) as wrong:
        raise BadText(f"a field of the form cannot be read: {wrong}; send UTF-8") from wrong


def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Raises UnknownParameter: a misspelt or repeated query parameter must not be passed over in silence."""
    known = query_parameters(request)
    seen: set[str] = set()
    for name, _ in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name not in known:
            instead = f"known here: {', '.join(sorted(known))}" if known else "none is known here"
            raise UnknownParameter(f"query parameter {name!r} is not known; {instead}")
        if name in seen and not known[name].is_sequence:
            raise UnknownParameter(f"query parameter {name!r} is given twice; give it once")
        seen.add(name)


def query_parameters(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The query parameters that the handler takes, by their names in the address, as the framework has them.

    ``is_sequence``: whether it may be repeated; ``field_name``: what the handler calls it. Worked out once.
    """
    handler: Any = request.route_handler
    if _QUERY not in handler.opt:
        model = handler.create_kwargs_model(path_parameters=request.scope["path_params"])
        handler.opt[_QUERY] = {each.field_alias: each for each in model.expected_query_params}
    found: dict[str, Any] = handler.opt[_QUERY]
    return found


def boundary_of(request: Request[Any, Any, Any]) -> str:
    """What parts the parts of a multipart body; empty for any other body."""
    kind, options = request.content_type
    return options.get("boundary", "") if kind.startswith("multipart/") else ""


class BodyDigest:
    """SHA-256 of a body as it comes, without the boundary of a form: whoever sends one again draws another."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._held = b""
        self._sha256 = hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        """The next bytes; the last of them may be the beginning of a boundary."""
        if not self._boundary:
            self._sha256.update(chunk)
            return
        held = (self._held + chunk).replace(self._boundary, b"")
        whole = max(0, len(held) - len(self._boundary) + 1)
        self._sha256.update(held[:whole])
        self._held = held[whole:]

    def hexdigest(self) -> str:
        """Of all that came."""
        self._sha256.update(self._held)
        self._held = b""
        return self._sha256.hexdigest()


def body_digest(request: Request[Any, Any, Any]) -> str:
    """SHA-256 of the body that was read (a form's without its boundary), in hexadecimal; of nothing where none was."""
    found: str = request.scope["state"].get(_DIGEST, hashlib.sha256().hexdigest())
    return found


def refuse_deep(body: bytes) -> None:
    """Raises TooDeep where JSON is nested deeper than MAX_DEPTH; says nothing of whether it is JSON."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if found[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise TooDeep(f"the JSON is nested deeper than {MAX_DEPTH} levels; send it flatter")
