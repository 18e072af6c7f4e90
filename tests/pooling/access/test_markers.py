"""Every figure in an answer of the API says who may see it."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.app import create_app
from pooling.settings import Settings
from tests.pooling.access.models import handlers, marker_faults, response_models

APP = create_app(Settings(database_url="sqlite:///unused.db"))
MODELS = response_models(APP)


def test_there_are_models_of_every_operation() -> None:
    assert len(MODELS) > 5
    assert all(handler.operation_id for handler in handlers(APP))


@pytest.mark.parametrize("model", sorted(MODELS, key=lambda model: model.__name__), ids=lambda model: model.__name__)
def test_figures_are_marked(model: type[msgspec.Struct]) -> None:
    assert marker_faults(model) == []


class Inner(msgspec.Struct):
    unit_price: str


class Outer(msgspec.Struct):
    owner: ClassVar[str] = "participant"
    participant: str
    a: int
    b: list[float | None]
    c: dict[str, Decimal]
    d: dict[str, Any]
    e: Inner
    name: str
    flag: bool
    right: Annotated[int, OPEN]
    own: Annotated[int, OWN] | UnsetType = UNSET


class Ownerless(msgspec.Struct):
    quantity: Annotated[int, OWN] | UnsetType = UNSET


class Stuck(msgspec.Struct):
    quantity: Annotated[int, PLANNERS]


class Whole(msgspec.Struct):
    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    gain: float


class Holding(msgspec.Struct):
    gain: Whole


def test_a_figure_without_a_marker_is_found() -> None:
    found = [told.split(" is a figure")[0] for told in marker_faults(Outer)]
    assert found == ["Outer.a", "Outer.b", "Outer.c", "Outer.d", "Inner.unit_price"]


def test_other_faults_of_markers_are_found() -> None:
    assert "nothing says whose" in marker_faults(Ownerless)[0]
    assert "must be able to be absent" in marker_faults(Stuck)[0]
    assert "must be able to be absent" in marker_faults(Holding)[0]
    assert marker_faults(Whole) == []
