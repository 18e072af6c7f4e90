"""The API's description: OpenAPI 3.1, every operation with all it may answer."""

from collections.abc import Iterator
from inspect import getsource
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from litestar import get
from litestar.datastructures import UploadFile
from msgspec import inspect

from pooling.access.policy import MATRIX
from pooling.app import create_app
from pooling.problems import CODES
from pooling.settings import Settings
from tests.pooling.api_client import api

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def described(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("description") / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    with api(f"sqlite:///{path}") as app:
        answer = app.nobody().get("/schema")
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        assert app.nobody().get("/schema/openapi.json").json() == answer.json()
        found: dict[str, Any] = answer.json()
        return found


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_it_is_openapi_31_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    found = set(references(described))
    assert len(found) > 20
    for reference in found:
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]


def test_every_operation_of_the_api_has_an_id_a_row_in_the_matrix_and_words(described: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(ids) == len(set(ids))
    assert len(ids) > 20
    for path, method, operation in operations(described):
        if path.startswith("/v1/"):
            assert operation["operationId"] in MATRIX, f"{method} {path}"
            public = MATRIX[operation["operationId"]].public
            assert operation["security"] == ([] if public else [{"bearer": []}])
        assert operation["summary"], f"{method} {path}"
        assert operation["tags"], f"{method} {path}"


def test_every_operation_shows_its_answers(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if not path.startswith("/v1/"):
            continue
        place = f"{method} {path}"
        answers = operation["responses"]
        assert {"400", "401", "403", "404", "429", "500", "503"} <= set(answers), place
        assert set(answers) <= {*map(str, CODES), "200", "201", "202", "204", "304"}, place
        good = [answers[status] for status in answers if status.startswith("2")]
        assert good, place
        for status in set(answers) & {"200", "201", "202"}:
            assert answers[status]["content"], f"{place}: {status} has no model"
        parameters = {each["$ref"].rpartition("/")[2] for each in operation["parameters"] if "$ref" in each}
        if method == "get":
            assert "304" in answers, place
            assert "IfNoneMatch" in parameters, place
        if "requestBody" in operation:
            assert {"408", "413", "415", "422"} <= set(answers), place


def test_writes_show_how_they_are_made_safe(described: dict[str, Any]) -> None:
    seen = set()
    for _, method, operation in operations(described):
        parameters = {each["$ref"].rpartition("/")[2] for each in operation.get("parameters", []) if "$ref" in each}
        seen |= parameters
        if method in ("put", "patch", "delete"):
            assert "IfMatch" in parameters
            assert {"409", "412", "428"} <= set(operation["responses"])
    assert {"NeededKey", "IdempotencyKey", "IfMatch", "IfNoneMatch"} <= seen


def test_a_version_is_asked_for_where_it_is_needed_and_nowhere_else(described: dict[str, Any]) -> None:
    conditions, named = {}, {}
    for _, method, operation in operations(described):
        parameters = {each["$ref"].rpartition("/")[2] for each in operation.get("parameters", []) if "$ref" in each}
        conditions[operation.get("operationId")] = sorted({"412", "428"} & set(operation["responses"]))
        named[operation.get("operationId")] = sorted(parameters & {"IfMatch", "MayMatch"})
        if method == "get":
            assert not conditions[operation.get("operationId")]
    for operation_id, statuses in conditions.items():
        wanted = {(): [], ("412",): ["MayMatch"], ("412", "428"): ["IfMatch"]}[tuple(statuses)]
        assert named[operation_id] == wanted, operation_id
    assert conditions["forecasts.load"] == conditions["keys.create"] == conditions["runs.create"] == []
    assert {name for name, wanted in named.items() if wanted == ["MayMatch"]} == {
        "operations.cancel",
        "notices.mark-read",
        "runs.cancel",
    }
    for needy in ("me.contact", "tenders.propose", "tenders.confirm", "keys.revoke", "forecasts.write"):
        assert conditions[needy] == ["412", "428"], needy


def test_models_of_bodies_have_the_bounds_that_are_enforced(described: dict[str, Any]) -> None:
    models = described["components"]["schemas"]
    assert models["NewScenarios"]["properties"]["grid"]["minProperties"] == 1
    assert models["PolicyDocument"]["properties"]["stability_eur"]["minimum"] == 0
    assert models["PolicyDocument"]["properties"]["green_floor"]["items"]["minLength"] == 1
    assert models["NewScenarios"]["additionalProperties"] is False


def test_an_answer_without_content_has_no_model(described: dict[str, Any]) -> None:
    empty = [each["responses"]["204"] for _, _, each in operations(described) if "204" in each["responses"]]
    assert empty
    assert all("content" not in each for each in empty)


def test_every_problem_is_one_model(described: dict[str, Any]) -> None:
    for status, response in described["components"]["responses"].items():
        assert set(response["content"]) == {"application/problem+json"}, status
        assert response["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
    model = described["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(model["required"])


class Inner(msgspec.Struct):
    """Planted: open everywhere."""

    number: int
    text: Annotated[str, msgspec.Meta(min_length=1)] | None
    texts: list[Annotated[str, msgspec.Meta(max_length=3)]]
    mapping: dict[str, Annotated[float, msgspec.Meta(ge=0)]]


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    """Planted: closed itself."""

    inner: Annotated[list[Inner], msgspec.Meta(max_length=3)]
    choice: Literal["a"]
    number: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0


def unbounded(kind: Any, place: str, seen: frozenset[type] = frozenset()) -> Iterator[str]:  # noqa: C901 one case a type
    """Places in what a request may hold that take a number, text or list of any size, or unknown fields."""
    match kind:
        case inspect.StructType():
            if kind.cls in seen:
                return
            if not kind.forbid_unknown_fields:
                yield f"{place}: unknown fields"
            for field in kind.fields:
                yield from unbounded(field.type, f"{place}.{field.encode_name}", seen | {kind.cls})
        case inspect.UnionType():
            for each in kind.types:
                yield from unbounded(each, place, seen)
        case inspect.IntType() | inspect.FloatType():
            if (kind.ge is None and kind.gt is None) or (kind.le is None and kind.lt is None):
                yield f"{place}: number"
        case inspect.StrType():
            if kind.max_length is None and kind.pattern is None:
                yield f"{place}: text"
        case inspect.CollectionType():
            if kind.max_length is None:
                yield f"{place}: list"
            yield from unbounded(kind.item_type, f"{place}[]", seen)
        case inspect.DictType():
            if kind.max_length is None:
                yield f"{place}: object"
            yield from unbounded(kind.key_type, f"{place}{{key}}", seen)
            yield from unbounded(kind.value_type, f"{place}{{}}", seen)
        case inspect.Metadata():
            yield from unbounded(kind.type, place, seen)
        case inspect.CustomType(cls=cls) if cls is UploadFile:
            return  # bounded by the bytes of the whole body
        case inspect.AnyType() | inspect.DecimalType() | inspect.CustomType():
            yield f"{place}: anything"


def test_the_check_of_bounds_finds_what_is_open() -> None:
    assert sorted(unbounded(inspect.type_info(Outer), "o")) == [
        "o.inner[].mapping: object",
        "o.inner[].mapping{key}: text",
        "o.inner[].mapping{}: number",
        "o.inner[].number: number",
        "o.inner[].text: text",
        "o.inner[].texts: list",
        "o.inner[]: unknown fields",
    ]


def test_everything_a_body_can_hold_is_bounded() -> None:
    found = {}
    app = create_app(Settings())
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            data = handler.parsed_fn_signature.parameters.get("data")
            if data is not None:
                found[handler.operation_id] = list(unbounded(inspect.type_info(data.annotation), handler.operation_id))
    assert len(found) > 10
    assert [place for places in found.values() for place in places] == []


def open_parameter(schema: dict[str, Any]) -> bool:
    """Whether a parameter takes a number, text or list of any size; bounds may stand beside a choice of types."""
    kinds = [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]
    for kind in kinds:
        bounds = {**schema, **kind}
        if {"enum", "const"} & set(bounds):
            continue
        if kind.get("type") == "string" and not {"maxLength", "pattern", "format"} & set(bounds):
            return True
        if kind.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= set(bounds):
            return True
        if kind.get("type") == "array" and "maxItems" not in bounds:
            return True
    return False


def test_everything_an_address_can_hold_is_bounded(described: dict[str, Any]) -> None:
    assert open_parameter({"oneOf": [{"type": "string"}, {"type": "null"}]})
    assert open_parameter({"type": "integer", "minimum": 0})
    assert not open_parameter({"oneOf": [{"type": "string"}, {"type": "null"}], "maxLength": 3})
    open_ones = [
        f"{method} {path} {each['name']}"
        for path, method, operation in operations(described)
        for each in operation.get("parameters", [])
        if "$ref" not in each and open_parameter(each["schema"])
    ]
    assert open_ones == []


def goes_through_the_wrapper(handler: Any) -> bool:
    """Whether a handler's work is done by `Handling`, where access, projection and audit are."""
    function = handler.fn
    while hasattr(function, "func"):  # the framework wraps it to run in a thread
        function = function.func
    source = getsource(function)
    return any(f"handling.{way}(" in source for way in ("read", "write", "public"))


@get("/v1/planted", operation_id="planted.read", sync_to_thread=False)
def planted() -> dict[str, str]:
    """Goes past the wrapper."""
    return {}


def test_every_operation_goes_through_the_wrapper() -> None:
    app = create_app(Settings())
    handlers = {
        handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if route.path.startswith("/v1/") and handler.operation_id
    }
    assert len(handlers) > 20
    assert [handler.operation_id for handler in handlers if not goes_through_the_wrapper(handler)] == []
    assert not goes_through_the_wrapper(planted)
