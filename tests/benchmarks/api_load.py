"""Clients of the API in a process of their own: each sends a request, reads the answer, sends the next.

Written on bare sockets so that the clients cost little beside the server: `python -m tests.benchmarks.api_load` reads a
`Load` as JSON from standard input and writes what came of it to standard output.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

PATIENCE_S = 30.0
"""A client that has waited so long for an answer gives up: a stall."""
_LENGTH = b"\r\ncontent-length: "


@dataclass(frozen=True, slots=True)
class Asking:
    """One request; ``{n}`` in its path, headers or body is another number each time."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: str = ""

    def ready(self, number: int) -> bytes:
        """The bytes to send."""
        body = self.body.replace("{n}", str(number)).encode()
        head = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        if body:
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*head, "", ""]).replace("{n}", str(number)).encode() + body


@dataclass(frozen=True, slots=True)
class Load:
    """Clients that go round the same requests for some seconds, each from another place."""

    port: int
    requests: Sequence[Asking]
    clients: int
    seconds: float
    pause_s: float = 0.0
    first: int = 0
    """where ``{n}`` begins"""
    processor: int | None = None
    """that the clients keep to"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of a load. ``statuses``: how many answers of each; 0: none came. Times in milliseconds."""

    seconds: float
    statuses: Mapping[str, int]
    p50: float
    p95: float
    p99: float
    longest: float
    count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", sum(self.statuses.values()))

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    @property
    def errors(self) -> int:
        """Answers that are neither 2xx nor 304, and requests without an answer."""
        return sum(number for status, number in self.statuses.items() if status[0] != "2" and status != "304")


def answers_to(load: Load) -> Answers:
    """Put a load on a server, from a process of its own."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.api_load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=load.seconds + 3 * PATIENCE_S,
    )
    return Answers(**json.loads(made.stdout))


class _Client(asyncio.Protocol):
    def __init__(self, done: asyncio.Queue[int]) -> None:
        self.done = done
        self.held = b""
        self.whole = 0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.held += data
        if not self.whole:
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return
            at = self.held.lower().find(_LENGTH, 0, end)
            length = int(self.held[at + len(_LENGTH) : self.held.index(b"\r", at + 2)]) if at >= 0 else 0
            self.whole = end + 4 + length
        if len(self.held) >= self.whole:
            status = int(self.held[9:12])
            self.held, self.whole = self.held[self.whole :], 0
            self.done.put_nowait(status)

    def connection_lost(self, _: Exception | None) -> None:
        self.done.put_nowait(0)


class _Run:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.times: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.number = load.first

    async def client(self, place: int, until: float) -> None:
        """One client, until its time is up; it connects anew where the server closed."""
        done: asyncio.Queue[int] = asyncio.Queue()
        transport: asyncio.Transport | None = None
        while (began := time.perf_counter()) < until:
            if transport is None or transport.is_closing():
                done = asyncio.Queue()
                connection = asyncio.get_running_loop().create_connection(
                    partial(_Client, done), "127.0.0.1", self.load.port
                )
                transport, _ = await connection
            asked = self.load.requests[place % len(self.load.requests)]
            place += 1
            self.number += 1
            transport.write(asked.ready(self.number))
            try:
                status = await asyncio.wait_for(done.get(), PATIENCE_S)
            except TimeoutError:
                status = 0
            if not status:
                transport.close()
            self.times.append(time.perf_counter() - began)
            self.statuses[str(status)] += 1
            if self.load.pause_s:
                await asyncio.sleep(self.load.pause_s)
        if transport is not None:
            transport.close()

    async def all(self) -> dict[str, Any]:
        """Every client at once; the figures."""
        began = time.perf_counter()
        until = began + self.load.seconds
        await asyncio.gather(*(self.client(place, until) for place in range(self.load.clients)))
        seconds = time.perf_counter() - began
        times = sorted(self.times)
        shares = {f"p{share}": times[min(len(times) - 1, len(times) * share // 100)] * 1000 for share in (50, 95, 99)}
        return {"seconds": seconds, "statuses": dict(self.statuses), "longest": times[-1] * 1000, **shares}


def main() -> None:
    """Read a load, put it on, tell what came of it."""
    told = json.load(sys.stdin)
    requests = tuple(Asking(**each) for each in told.pop("requests"))
    load = Load(requests=requests, **told)
    if load.processor is not None:
        os.sched_setaffinity(0, {load.processor})
    print(json.dumps(asyncio.run(_Run(load).all())))


if __name__ == "__main__":
    main()
