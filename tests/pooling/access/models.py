"""The response models of the API, and what is wrong with their markers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler

from pooling.access.markers import Level, Unprojectable, level_of, model_of, parts
from pooling.problems import Problem

FIGURE_WORDS = frozenset({"amount", "benefit", "bid", "budget", "cost", "eur", "gain", "gap", "money", "objective"}) | {
    *("price", "quantity", "rate", "saving", "savings", "share", "total", "turnover", "value", "volume", "worth"),
}
"""In the name of a text field these say that it is a figure."""
UNTYPED = (Any, object, dict, list, tuple, set, frozenset)
NUMBERS = (int, float, Decimal)


def response_models(app: Litestar) -> dict[type[msgspec.Struct], str]:
    """Every model that an operation under /v1 answers with, and an operation that does."""
    found: dict[type[msgspec.Struct], str] = {}
    for handler in handlers(app):
        for hint in answers(handler):
            for each in parts(hint):
                if isinstance(each, type) and issubclass(each, msgspec.Struct) and each is not Problem:
                    found.setdefault(each, str(handler.operation_id))
    return found


def handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    """The handlers under /v1, without the framework's own."""
    for route in app.routes:
        if route.path == "/v1" or route.path.startswith("/v1/"):
            found = (each for each in route.route_handlers if isinstance(each, HTTPRouteHandler))
            yield from (each for each in found if each.http_methods != {"OPTIONS"})


def answers(handler: HTTPRouteHandler) -> Iterator[Any]:
    """The annotations of a handler's answers: returned, and described by status."""
    returned = handler.parsed_fn_signature.return_type.raw
    origin = getattr(returned, "__origin__", None)
    yield from returned.__args__ if origin is Response else (returned,)
    yield from (spec.data_container for spec in (handler.responses or {}).values() if spec.data_container)


def marker_faults(kind: type[msgspec.Struct], *, owned: bool = False, seen: frozenset[Any] = frozenset()) -> list[str]:
    """What is wrong with the markers of a model and of those in it, in words. ``owned``: within one that has an owner.

    A figure without a marker, one that must and cannot be absent, and one of the owner's where no owner is named.
    """
    if kind in seen:
        return []
    try:
        model = model_of(kind)
    except Unprojectable as refusal:
        return [str(refusal)]
    owned = owned or model.owners is not None
    told = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if name not in kind.__struct_fields__:
            continue
        level = level_of(hint)
        if level is None and model.whole == Level.OPEN and is_figure(name, hint):
            told.append(f"{kind.__name__}.{name} is a figure without a marker: OPEN, OWN or PLANNERS")
        if level == Level.OWN and not owned:
            told.append(f"{kind.__name__}.{name} is OWN and nothing says whose: name the owner")
        for each in parts(hint):
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                told += marker_faults(each, owned=owned, seen=seen | {kind})
    return told


def is_figure(name: str, hint: Any) -> bool:
    """Whether a field can hold a figure: a number, something untyped, or a text whose name says so."""
    kinds = list(parts(hint))
    if any(each in NUMBERS or each in UNTYPED for each in kinds):
        return True
    return str in kinds and bool(FIGURE_WORDS & set(name.split("_")))
