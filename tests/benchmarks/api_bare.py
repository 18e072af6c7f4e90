"""The least that can answer a list: a Litestar handler that runs the same SQL by the driver and encodes the rows.

Nobody is refused, nothing is left out, converted or logged, no header is set. `python -m tests.benchmarks.api_bare PORT
FILE`: the file is JSON of the database and of each path's transactions, each of statements with their parameters, and
of the columns of the list, which is the last statement of the first transaction.
"""

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
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
        self.sqlite = database.startswith("sqlite:///")
        driver: Any
        if self.sqlite:
            driver = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None, timeout=30.0)
            driver.execute("PRAGMA synchronous=FULL")
            self.commit = partial(driver.execute, "COMMIT")
        else:
            driver = psycopg.connect(database)
            driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self.commit = driver.commit
        self.execute = driver.execute

    def run(self, statements: Sequence[Any]) -> list[Any]:
        """One transaction; the rows of its last statement."""
        if self.sqlite:
            self.execute("BEGIN IMMEDIATE" if statements[-1]["statement"].startswith("INSERT") else "BEGIN")
        rows: list[Any] = []
        for each in statements:
            found = self.execute(each["statement"], each["parameters"])
            rows = found.fetchall() if each["columns"] else []
        self.commit()
        return rows


def handler(path: str, transactions: Sequence[Any], held: Connections) -> HTTPRouteHandler:
    """The handler at ``path``: the rows of the first transaction as JSON objects; the others are run as well."""
    row: Callable[..., Any] = msgspec.defstruct("Row", transactions[0][-1]["columns"])
    encode = msgspec.json.Encoder().encode

    @get(path, sync_to_thread=True, name=path)
    def answer() -> Response[bytes]:
        rows, *_ = [held.run(statements) for statements in transactions]
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
    for each in (statement for path in told["paths"].values() for made in path for statement in made):
        each["parameters"] = _parameters(each["parameters"])
    handlers = [handler(path, transactions, held) for path, transactions in told["paths"].items()]
    app = Litestar(handlers, lifespan=[_threads], logging_config=None, openapi_config=None)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _parameters(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
