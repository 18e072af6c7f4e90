"""Whether the service lives and is ready, and where a client begins."""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy import Engine

from pooling.commandline import as_called
from pooling.problems import RESPONSES, NotReady
from pooling.schema import schema_gap


class Health(msgspec.Struct, frozen=True):
    """How the service is: live (it answers) or ready (its database does too)."""

    status: Literal["live", "ready"]


class Service(msgspec.Struct, frozen=True):
    """What answers here, and where to go on."""

    name: str
    version: str
    links: dict[str, str]


class Links(dict[str, str]):
    """Resources by name, for the first page."""


def service_version() -> str:
    """The installed version; 0 where it is run from its folder."""
    try:
        return version("nordic-pooling")
    except PackageNotFoundError:
        return "0"


@get(
    "/", operation_id="start.read", sync_to_thread=False, responses=RESPONSES, tags=["start"], summary="Where to begin"
)
def start(links: NamedDependency[Links]) -> Service:
    """The resources there are; all that can be asked is described at /schema."""
    return Service("Nordic Pooling", service_version(), links)


@get("/v1", operation_id="start.list", sync_to_thread=False, responses=RESPONSES, tags=["start"], summary="The same")
def start_of_version(links: NamedDependency[Links]) -> Service:
    """The resources there are, as at /."""
    return Service("Nordic Pooling", service_version(), links)


@get(
    "/health/live",
    operation_id="health.live",
    sync_to_thread=False,
    responses=RESPONSES,
    tags=["health"],
    summary="The process answers",
)
def live() -> Health:
    """Answers without touching the database."""
    return Health("live")


@get(
    "/health/ready",
    operation_id="health.ready",
    sync_to_thread=True,
    responses=RESPONSES,
    tags=["health"],
    summary="The database answers and is at this version",
)
def ready(engine: NamedDependency[Engine]) -> Health:
    """503 until the database is reachable and migrated to the schema of this version."""
    gap = schema_gap(engine)
    if gap is not None:
        raise NotReady(as_called(f"{gap}; run `pooling database migrate`"))
    return Health("ready")
