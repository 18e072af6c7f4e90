"""Participants, signing bodies, categories and criteria: nobody's in particular, and without secrets."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.reference.test_api import BODIES

if TYPE_CHECKING:
    from tests.pooling.access.world import World

READ = {"participants": "SE-M", "signing-bodies": "SE-M", "categories": "insulin-syringes", "criteria": "uhm-basic"}


def plant(world: "World") -> None:
    """Nothing: reference data has no secrets."""


def _of(kind: str) -> tuple[Sample, ...]:
    def write(world: "World", place: Place) -> Sent:
        return Sent(f"/v1/{kind}/t{uuid4().hex[:20]}", json=dict[str, Any](BODIES[kind]))

    return (
        Sample(f"{kind}.list", "GET", lambda world, place: Sent(f"/v1/{kind}")),
        Sample(f"{kind}.read", "GET", lambda world, place: Sent(f"/v1/{kind}/{READ[kind]}")),
        Sample(f"{kind}.write", "PUT", write),
    )


SAMPLES = tuple(sample for kind in BODIES for sample in _of(kind))
