"""The API's description (OpenAPI 3.1): what holds for every operation is added here, once for all controllers."""

from copy import deepcopy
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from pooling.access.matrix import MATRIX
from pooling.health import service_version
from pooling.problems import ACCEPTED, CODES, MEDIA_TYPE, NO_CONTENT, NOT_MODIFIED

PROBLEM = "#/components/schemas/Problem"
ALWAYS = (400, 500, 503)
SIGNED_IN = (401, 403, 404, 429)
WRITING = (409, 422)
NAMED_VERSION = (412,)
NEEDED_VERSION = (412, 428)
WITH_BODY = (408, 413, 415, 422)

TEXT = {"type": "string"}
HEADERS = {
    "X-Request-Id": ("Id of the request, also in problems, the log and the audit.", TEXT),
    "ETag": ("Version of what is shown, for If-Match and If-None-Match.", TEXT),
    "Location": ("Address of what was made, or of the operation that goes on.", TEXT),
    "Retry-After": ("Seconds to wait before asking again.", {"type": "integer", "minimum": 0}),
    "Idempotent-Replayed": ("true: the answer of the first request with this key.", TEXT),
    "Preference-Applied": ("respond-async: the work goes on as an operation.", TEXT),
}
PARAMETERS = {
    "IfNoneMatch": ("If-None-Match", False, "ETag last seen; 304 where nothing changed."),
    "IfMatch": ("If-Match", False, "ETag last seen; 428 without it, 412 where the resource has changed since."),
    "MayMatch": ("If-Match", False, "ETag last seen, if you like; 412 where the resource has changed since."),
    "IdempotencyKey": ("Idempotency-Key", False, "16 to 255 characters; the same request again has one effect."),
    "NeededKey": ("Idempotency-Key", True, "16 to 255 characters; the same request again has one effect."),
    "Prefer": ("Prefer", False, "respond-async: answer at once with an operation to follow."),
}
JSON = RequestEncodingType.JSON
LARGEST = 2**63 - 1
"""Integer that a database keeps."""
KEY_PATTERN = '^("[!#-~]{16,255}"|[!#-~]{16,255})$'


class Description(JsonRenderPlugin):
    """Serves the description at /schema and /schema/openapi.json."""

    def __init__(self) -> None:
        super().__init__(path=["/", "/openapi.json"])
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The description as JSON, worked out once."""
        if self._made is None:
            made = described(openapi_schema, kinds_of(request.app), bodies_of(request.app))
            self._made = self.render_json(request, made)
        return self._made


def config() -> OpenAPIConfig:
    """For the application."""
    return OpenAPIConfig(
        title="Nordic Pooling",
        version=service_version(),
        description="Demand of Nordic health regions, pooled into joint green tenders.",
        use_handler_docstrings=True,
        render_plugins=[Description()],
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, dto=None, return_dto=None, after_request=_no_pages
        ),
    )


def _no_pages(response: Response[Any]) -> Response[Any]:
    """The framework answers unknown pages under /schema in HTML; here they are problems like all others."""
    if response.status_code == NotFoundException.status_code:
        raise NotFoundException
    return response


def kinds_of(app: Litestar) -> dict[str, frozenset[str]]:
    """What the handlers of operations say of themselves in ``opt``: reads, transition, conditional."""
    found: dict[str, frozenset[str]] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler.operation_id, str):
                found[handler.operation_id] = frozenset({"reads", "transition", "conditional"} & handler.opt.keys())
    return found


def bodies_of(app: Litestar) -> dict[str, Any]:
    """The models of JSON bodies as their decoder takes them.

    The framework's own lose bounds within lists, objects and choices, and tell an integer to be one of two numbers.
    """
    found = set()
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            data = handler.parsed_fn_signature.parameters.get("data")
            if data is not None and getattr(data.kwarg_definition, "media_type", JSON) == JSON:
                found.add(data.annotation)
    return msgspec.json.schema_components(found, ref_template="#/components/schemas/{name}")[1]


def described(
    schema: dict[str, Any], kinds: dict[str, frozenset[str]], bodies: dict[str, Any] | None = None
) -> dict[str, Any]:
    """``schema`` with what operations have in common (credentials, headers, problems), and the models of ``bodies``."""
    made = deepcopy(schema)
    components = made.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key (npk_…) or a token of an issuer."}
    }
    components["headers"] = {name: {"description": text, "schema": kind} for name, (text, kind) in HEADERS.items()}
    components["parameters"] = {name: _parameter(name) for name in PARAMETERS}
    components["responses"] = {str(status): _problem(status) for status in CODES}
    components["schemas"] |= deepcopy(bodies or {})
    for name in _models_of_bodies(made):
        model = components["schemas"][name]
        if "properties" in model:
            model["additionalProperties"] = False  # every model of a body forbids unknown fields; a test holds it so
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                _mend(operation, components["schemas"])
                own = kinds.get(operation.get("operationId", ""), frozenset())
                _complete(operation, method, own, signed_in=path.startswith("/v1/"))
    return made


def _mend(operation: dict[str, Any], models: dict[str, Any]) -> None:
    """Say of whole numbers in the address and of fields of a form what is true, where the framework does not."""
    for parameter in operation.get("parameters", ()):
        schema = parameter.get("schema", {})
        if schema.get("type") == "integer" and "maximum" in schema:
            schema["maximum"] = min(int(schema["maximum"]), LARGEST)  # it went through a float
    form = operation.get("requestBody", {}).get("content", {}).get(RequestEncodingType.MULTI_PART, {}).get("schema", {})
    properties = models.get(form.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
    for name, schema in properties.items():
        kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
        if len(kinds) == 1:  # a field of a form is there or not, but never null
            properties[name] = {**{key: value for key, value in schema.items() if key != "oneOf"}, **kinds[0]}


def _models_of_bodies(schema: dict[str, Any]) -> set[str]:
    """The names of all models that requests can hold, models within models too."""
    found: set[str] = set()
    waiting: list[Any] = [
        operation["requestBody"]
        for item in schema["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "requestBody" in operation
    ]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schema["components"]["schemas"][name])
    return found


def _parameter(name: str) -> dict[str, Any]:
    header, required, text = PARAMETERS[name]
    kind: dict[str, Any] = {"type": "string"}
    if header == "Idempotency-Key":
        kind |= {"maxLength": 257, "pattern": KEY_PATTERN}
    return {"name": header, "in": "header", "required": required, "description": text, "schema": kind}


def _problem(status: int) -> dict[str, Any]:
    code, title = CODES[status]
    made: dict[str, Any] = {
        "description": f"{title}; without a code of its own: {code}",
        "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM}}},
        "headers": _headers("X-Request-Id"),
    }
    if status in (409, 429, 503):
        made["headers"] |= _headers("Retry-After")
    if status == 412:
        made["headers"] |= _headers("ETag")
    return made


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _complete(operation: dict[str, Any], method: str, kinds: frozenset[str], *, signed_in: bool) -> None:
    reads = method == "get" or "reads" in kinds
    responses = operation.setdefault("responses", {})
    if signed_in:
        _complete_successes(responses, reads=reads)
    statuses = [*ALWAYS, *(SIGNED_IN if signed_in else ()), *(() if reads else WRITING)]
    statuses += {"IfMatch": NEEDED_VERSION, "MayMatch": NAMED_VERSION}.get(_condition(method, kinds) or "", ())
    statuses += WITH_BODY if "requestBody" in operation else ()
    for status in statuses:
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if not signed_in:
        return
    row = MATRIX.get(str(operation.get("operationId")))
    operation["security"] = [] if row is not None and row.public else [{"bearer": []}]
    if method == "get":
        responses[str(NOT_MODIFIED)] = {"description": "Nothing changed since", "headers": _headers("ETag")}
    names = _parameters(method, kinds, reads=reads, waits=str(ACCEPTED) in responses)
    operation["parameters"] = [
        *operation.get("parameters", []),
        *({"$ref": f"#/components/parameters/{name}"} for name in names),
    ]


def _complete_successes(responses: dict[str, Any], *, reads: bool) -> None:
    for status, response in responses.items():
        if not status.startswith("2"):
            continue
        if status == str(NO_CONTENT):
            response.pop("content", None)  # the framework says null, which is a text of four letters
        names = ["X-Request-Id"]
        names += ["ETag"] if status != str(NO_CONTENT) else []
        names += ["Idempotent-Replayed"] if not reads else []
        names += ["Location"] if status in ("201", str(ACCEPTED)) else []
        names += ["Retry-After", "Preference-Applied"] if status == str(ACCEPTED) else []
        response["headers"] = {**_headers(*names), **response.get("headers", {})}


def _condition(method: str, kinds: frozenset[str]) -> str | None:
    """How an operation takes the version it is based on, as a name of PARAMETERS; None: not at all."""
    if method in ("put", "patch", "delete") or "conditional" in kinds:
        return "IfMatch"
    return "MayMatch" if "transition" in kinds else None


def _parameters(method: str, kinds: frozenset[str], *, reads: bool, waits: bool) -> list[str]:
    if method == "get":
        return ["IfNoneMatch"]
    if reads:
        return []
    names = ["NeededKey"] if method == "post" and "transition" not in kinds else ["IdempotencyKey"]
    condition = _condition(method, kinds)
    names += [condition] if condition else []
    return [*names, "Prefer"] if waits else names
