"""The web application: the only module that knows every part."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from litestar import Litestar
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler
from sqlalchemy import Engine

from pooling import description, health, logs, metrics, working
from pooling.access import tokens
from pooling.access.api import ROUTES as ACCESS
from pooling.agreements.api import ROUTES as AGREEMENTS
from pooling.cycles.api import ROUTES as CYCLES
from pooling.database import connect
from pooling.demand.api import ROUTES as DEMAND
from pooling.demand.upload_api import ROUTES as UPLOADS
from pooling.entrance import check, heads_as_gets
from pooling.handling import Clock, Handling
from pooling.health import Links
from pooling.limits import MAX_BODY_BYTES, METHODS, LimitedRequest, allow
from pooling.market.api import ROUTES as MARKET
from pooling.metrics import Metrics
from pooling.notices.api import ROUTES as NOTICES
from pooling.observing import observed
from pooling.operations import ROUTES as OPERATIONS
from pooling.planning.api import ROUTES as PLANNING
from pooling.problems import HANDLERS
from pooling.quota import Quotas
from pooling.reference.api import ROUTES as REFERENCE
from pooling.settings import Settings
from pooling.signing import CURSORS, Secret
from pooling.tenders.api import ROUTES as TENDERS
from pooling.threads import THREADS, Threads

ROUTES: tuple[ControllerRouterHandler, ...] = (
    health.start,
    health.start_of_version,
    health.live,
    health.ready,
    metrics.metrics_page,
    *ACCESS,
    *REFERENCE,
    *NOTICES,
    *CYCLES,
    *DEMAND,
    *UPLOADS,
    *MARKET,
    *PLANNING,
    *TENDERS,
    *AGREEMENTS,
    *OPERATIONS,
)
SPARE_CONNECTIONS = 5
"""Beyond one for each thread: for what runs beside the handlers."""
AT_ONCE = {"sqlite": 1, "postgresql": 8}
"""Handlers that read at a time: more would only take the interpreter from each other. PostgreSQL works beside it."""
BESIDE = 2
"""Threads for what is asked of the process itself: whether it is ready, its figures."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work with. ``worker``: do jobs in threads of this process too, while it runs."""

    settings: Settings
    engine: Engine
    handling: Handling
    metrics: Metrics
    worker: bool


class Service(Litestar):
    """The application with its observer around it, so that refusals of the router are seen too."""

    parts: Parts

    def over(self, settings: Settings, *, clock: Clock = utc_now, worker: bool = False) -> None:
        """Work over the database that ``settings`` name from now on; not while it runs. Raises BadSetting."""
        engine = connect(
            settings.database_url,
            connections=settings.threads + SPARE_CONNECTIONS,
            statement_time_s=settings.statement_seconds,
        )
        handling = Handling(
            engine,
            clock=clock,
            issuers=tokens.from_file(settings.issuers_file),
            secret=Secret(engine, CURSORS, given=settings.secret),
            quotas=Quotas(settings.requests_per_minute),
        )
        self.parts = Parts(settings, engine, handling, Metrics(engine, settings.threads), worker)
        self.state["body_time_s"] = settings.body_seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the application runs: threads for the handlers, and a worker; at the end, connections are closed.

        A worker that stops finishes its jobs or gives them back.
        """
        parts = self.parts
        handlers = Threads(parts.settings.threads, at_once=AT_ONCE[parts.engine.dialect.name])
        with ThreadPoolExecutor(BESIDE) as beside, handlers as threads, ExitStack() as held:
            asyncio.get_running_loop().set_default_executor(beside)
            self.state[THREADS] = threads
            if parts.worker:
                await asyncio.to_thread(held.enter_context, working.embedded(parts.settings.database_url))
            try:
                yield
            finally:
                await asyncio.to_thread(held.close)
                parts.engine.dispose()
                logs.write_out()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or live through one life of the process."""
        if scope["type"] == ScopeType.HTTP:
            answer = partial(heads_as_gets, super().__call__)
            await observed(answer, scope, receive, send, metrics=self.parts.metrics)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, *, clock: Clock = utc_now, worker: bool = False) -> Service:
    """The application over one database; it opens nothing until the first request. Raises BadSetting."""
    links = Links()
    parts: dict[str, Callable[[], Any]] = {
        "engine": lambda: app.parts.engine,
        "handling": lambda: app.parts.handling,
        "metrics": lambda: app.parts.metrics,
        "links": lambda: links,
    }
    app = Service(
        list(ROUTES),
        dependencies={name: Provide(part, sync_to_thread=False) for name, part in parts.items()},
        exception_handlers=HANDLERS,
        lifespan=[lambda _: app.running()],
        before_request=check,
        request_class=LimitedRequest,
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        openapi_config=description.config(),
    )
    app.over(settings, clock=clock, worker=worker)
    app.state[METHODS] = _methods(app)
    links.update(_links(app))
    return app


def _methods(app: Litestar) -> dict[str, str]:
    """The methods of each path, as the header Allow names them."""
    return {route.path_format: allow(route.methods) for route in app.routes if isinstance(route, HTTPRoute)}


def _links(app: Litestar) -> dict[str, str]:
    """The resources that can be asked for without knowing an id, by name."""
    paths = {route.path for route in app.routes if "GET" in getattr(route, "methods", ()) and "{" not in route.path}
    resources = {path.removeprefix("/v1/"): path for path in sorted(paths) if path.startswith("/v1/")}
    return {"description": "/schema", **resources, "ready": "/health/ready"}
