"""A real server on loopback for tests: uvicorn in a thread, started and stopped within seconds."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import uvicorn
from litestar.handlers import HTTPRouteHandler

from pooling.settings import Settings
from tests.pooling.idle_apps import app_over

LIMIT_S = 15.0


@contextmanager
def served(database_url: str, *more: HTTPRouteHandler, settings: Settings | None = None) -> Iterator[httpx.Client]:
    """A client of the application over ``database_url``, with ``more`` handlers that a test brings along."""
    chosen = replace(settings or Settings(), database_url=database_url)
    with socket.socket() as listener, app_over(chosen, *more) as app:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            until = time.monotonic() + LIMIT_S
            while not server.started:
                assert thread.is_alive(), "the server ended while starting"
                assert time.monotonic() < until, "the server did not start in time"
                time.sleep(0.01)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10.0, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(LIMIT_S)
            assert not thread.is_alive(), "the server did not stop in time"
