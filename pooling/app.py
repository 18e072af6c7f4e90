"""The web application: the only module that knows every part."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from litestar import Litestar, get
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Message, Scope
from sqlalchemy import Engine

from pooling.commandline import as_called
from pooling.database import connect, schema_gap
from pooling.problems import HANDLERS, RESPONSES, NotReady, UnknownParameter, request_id
from pooling.reference.api import ReferenceController
from pooling.settings import Settings

MAX_BODY_BYTES = 1_000_000
THREADS = 15
"""Handlers at work at once: as many as the engine has connections (5 kept, 10 more), so none waits for one."""


class Health(msgspec.Struct, frozen=True):
    """How the service is: live (it answers) or ready (its database does too)."""

    status: str


class Service(msgspec.Struct, frozen=True):
    """What answers here, and where to go on."""

    name: str
    version: str
    links: dict[str, str]


LINKS = {
    "description": "/schema",
    "participants": "/v1/participants",
    "categories": "/v1/categories",
    "criteria": "/v1/criteria",
    "ready": "/health/ready",
}


@get(["/", "/v1"], sync_to_thread=False, responses=RESPONSES, tags=["start"], summary="Where to begin")
def start() -> Service:
    """The resources there are; all that can be asked is described at /schema."""
    return Service("Nordic Pooling", _version(), LINKS)


@get("/health/live", sync_to_thread=False, responses=RESPONSES, tags=["health"], summary="The process answers")
def live() -> Health:
    """Answers without touching the database."""
    return Health("live")


@get(
    "/health/ready",
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


def create_app(settings: Settings) -> Litestar:
    """The application over one database; it opens nothing until the first request."""
    engine = connect(settings.database_url)
    return Litestar(
        [start, live, ready, ReferenceController],
        dependencies={"engine": Provide(lambda: engine, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        guards=[only_known_parameters],
        before_send=[add_headers],
        lifespan=[partial(running, engine=engine)],
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Nordic Pooling",
            version=_version(),
            description="Reference data of joint green tenders of Nordic health regions.",
            use_handler_docstrings=True,
            path="/schema",
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        ),
    )


def _version() -> str:
    try:
        return version("nordic-pooling")
    except PackageNotFoundError:  # run from its folder, not installed
        return "0"


@asynccontextmanager
async def running(_: Litestar, *, engine: Engine) -> AsyncIterator[None]:
    """While the application runs: threads for the handlers; at the end, connections are closed."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="handler") as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        try:
            yield
        finally:
            engine.dispose()


def only_known_parameters(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse query parameters that the resource does not have: a misspelt one must not be passed over."""
    known = handler.opt.get("query", frozenset())
    for name in connection.query_params:
        if name not in known:
            instead = f"known here: {', '.join(sorted(known))}" if known else "none is known here"
            raise UnknownParameter(f"query parameter {name!r} is not known; {instead}")


async def add_headers(message: Message, scope: Scope) -> None:
    """Headers of every answer, problems too."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers["X-Request-Id"] = request_id(scope)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "private, no-cache")
