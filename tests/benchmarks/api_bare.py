"""The least that can answer a list: a Litestar handler that runs one statement by the driver and encodes the rows.

No one is asked who they are, nothing is left out, nothing entered, no header set, nothing logged. `python -m
tests.benchmarks.api_bare PORT FILE`: the file is JSON of the database and of each path's statement and columns.
"""

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import uvicorn
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

THREADS = 15


class Connections(threading.local):
    """A connection of the driver for each thread, opened at first use."""

    def __init__(self, database: str) -> None:
        if database.startswith("sqlite:///"):
            self.execute: Any = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None).execute
        else:
            self.execute = psycopg.connect(database, autocommit=True).execute


def handler(path: str, statement: str, parameters: Any, columns: Sequence[str], held: Connections) -> HTTPRouteHandler:
    """The handler at ``path``: the statement's rows as JSON objects."""
    row: Callable[..., Any] = msgspec.defstruct("Row", columns)
    encode = msgspec.json.Encoder().encode

    @get(path, sync_to_thread=True, name=path)
    def answer() -> Response[bytes]:
        rows = held.execute(statement, parameters).fetchall()
        return Response(encode([row(*each) for each in rows]), media_type="application/json")

    return answer


@asynccontextmanager
async def _threads(_: Litestar) -> AsyncIterator[None]:
    with ThreadPoolExecutor(THREADS) as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        yield


def main(port: int, file: Path) -> None:
    """Serve until ended."""
    told = json.loads(file.read_text())
    held = Connections(told["database"])
    handlers = [
        handler(path, each["statement"], _parameters(each["parameters"]), each["columns"], held)
        for path, each in told["paths"].items()
    ]
    app = Litestar(handlers, lifespan=[_threads], logging_config=None, openapi_config=None)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _parameters(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
