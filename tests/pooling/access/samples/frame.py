"""The frame itself: where the resources are."""

from typing import TYPE_CHECKING

from tests.pooling.access.samples import Sample, Sent

if TYPE_CHECKING:
    from tests.pooling.access.world import World


def plant(world: "World") -> None:
    """Nothing: it has no figures."""


SAMPLES = (Sample("start.list", "GET", lambda world, place: Sent("/v1")),)
