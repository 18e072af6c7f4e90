"""Operations: own where whoever asks made them, another's where somebody else did, nobody's where the service did."""

from typing import TYPE_CHECKING
from uuid import UUID

from pooling import jobs
from tests.pooling.access.samples import Place, Sample, Sent

if TYPE_CHECKING:
    from tests.pooling.access.world import World


def plant(world: "World") -> None:
    """Nothing: each request makes its own operation."""


def _operation(world: "World", place: Place) -> UUID:
    asking = world.principals.get(world.asking or "")
    actor = asking if place == "own" else world.principals["planner-revoked"]
    with world.written() as opened:
        return jobs.enqueue(opened.session, "tests.wait", {}, now=opened.now, actor=actor)


SAMPLES = (
    Sample("operations.list", "GET", lambda world, place: Sent("/v1/operations")),
    Sample(
        "operations.read",
        "GET",
        lambda world, place: Sent(f"/v1/operations/{_operation(world, place)}"),
        places=("own", "others"),
    ),
    Sample(
        "operations.cancel",
        "POST",
        lambda world, place: Sent(f"/v1/operations/{_operation(world, place)}/cancel"),
        places=("own", "others"),
    ),
)
