"""The API over loopback: its rate beside a bare handler's, 64 clients at once, memory, an upload, a plan meanwhile.

`BENCH_SECONDS` is how long the memory is watched, ten minutes unless it is set. Rates are medians of pairs, the bare
server and ours in turn, so that what else the machine does weighs on both.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import httpx

from tests.benchmarks.api_load import Answers, Asking, Load, answers_to
from tests.benchmarks.api_world import (
    ITEMS,
    SENT,
    Server,
    World,
    bare,
    database_pids,
    make_demonstration,
    policy_of,
    served,
    statements,
    worlds,
)
from tests.benchmarks.processes import keep_to, processors, tree_bytes
from tests.pooling.demand.api_world import HEADERS, ROW, forecast

SECTIONS = ("rates", "clients", "memory", "upload", "planning")
KINDS = ("sqlite", "postgresql")
TARGET_RATIO = 0.60
PAIRS = 5
PAIR_S = 2.0
PEERS = ("same", "list")
AT_ONCE = 16
"""Clients of the rates: enough to keep the server at work all the time."""
MANY = 64
STALL_MS = 1000.0
"""A request that takes longer than this has been left standing."""
MEMORY_S = float(os.environ.get("BENCH_SECONDS", "600"))
GROWTH_BYTES = 10_000_000
UPLOAD_LINES = 10_000
UPLOAD_S = 120.0
PLAN_S = 40.0
PLANNED_P95 = 5.0
"""Times the idle p95 that lists may take at p95 while a plan is made."""
SEED = 20270101


def lists(world: World, role: str) -> dict[str, Asking]:
    """The requests of both lists."""
    headers = world.headers(role)
    return {name: Asking(f"/v1/{name}?limit={ITEMS}", headers) for name in ("lines", "pools")}


def rates(world: World, _folder: Path) -> bool:
    """Both lists as coordinator and as planner, each in turn with bare handlers: of all their SQL, and of the least.

    All their SQL: who asks, the list itself, and the entry that others' figures were read, in the same transactions.
    The server that is asked has one processor to itself, as far as there are two; clients and database have the other.
    """
    met = True
    paths: dict[str, list[Any]] = {}
    for role in world.seen:
        asked = {name: asking.path for name, asking in lists(world, role).items()}
        for name, transactions in statements(world, role, asked).items():
            paths[f"/same/{role}/{name}"] = transactions
            paths[f"/list/{role}/{name}"] = [transactions[0][-1:]]
    own, others = processors()
    with bare(world, paths) as peer, served(world) as server:
        for role in world.seen:
            for name, asking in lists(world, role).items():
                load = partial(Load, clients=AT_ONCE, seconds=PAIR_S, processor=others)
                same, alone = (load(peer.port, [Asking(f"/{which}/{role}/{name}", {})]) for which in PEERS)
                loads = (same, load(server.port, [asking]), alone)
                trios = []
                for _ in range(PAIRS + 1):
                    trios.append([_none_failed(answers_to(each)).rate for each in loads])
                    keep_to(own, (peer.pid, server.pid))
                    keep_to(others, database_pids(world))
                trios = trios[1:]  # the first warmed all three up, and opened their connections
                ratios = sorted(mine / other for other, mine, _ in trios)
                ratio = median(ratios)
                met &= ratio >= TARGET_RATIO
                print(
                    f"api rates {world.kind} {role} {name}: median ratio {ratio:.2f} ({ratios[0]:.2f} to"
                    f" {ratios[-1]:.2f}; target {TARGET_RATIO:.2f} or more) to a bare handler of the same SQL,"
                    f" {median(trio[1] for trio in trios):,.0f} of {median(trio[0] for trio in trios):,.0f} a second;"
                    f" {median(mine / least for _, mine, least in trios):.2f} of one that runs the list's statement"
                    f" alone; {AT_ONCE} clients: {_told(ratio >= TARGET_RATIO)}",
                    flush=True,
                )
    return met


def clients(world: World, _folder: Path) -> bool:
    """Many clients at once on both lists in both roles."""
    with served(world) as server:
        found = answers_to(Load(server.port, _all_lists(world), MANY, 10.0))
    met = not found.errors and found.longest < STALL_MS
    print(f"api clients {world.kind}: {MANY} at once, {_times(found)}: {_told(met)}", flush=True)
    return met


def memory(world: World, _folder: Path) -> bool:
    """Mixed requests for long: what the server holds in the last fifth of the time beside the second fifth."""
    watched: list[tuple[float, int]] = []
    with served(world) as server:
        step = max(1.0, MEMORY_S / 60)
        first, errors, count, began = 1, 0, 0, time.monotonic()
        while (passed := time.monotonic() - began) < MEMORY_S:
            found = answers_to(Load(server.port, _mixed(world), 8, step, first=first))
            first, errors, count = first + found.count, errors + found.errors, count + found.count
            watched.append((passed / MEMORY_S, tree_bytes(server.pid)))
    early = median(held for share, held in watched if 0.2 <= share < 0.4)
    late = median(held for share, held in watched if share >= 0.8)
    met = not errors and late - early <= GROWTH_BYTES
    print(
        f"api memory {world.kind}: {early / 1e6:.1f} MB in the second fifth, {late / 1e6:.1f} MB in the last of"
        f" {MEMORY_S:.0f} s (may grow by {GROWTH_BYTES / 1e6:.0f} MB), {count:,} mixed requests, {errors} errors:"
        f" {_told(met)}",
        flush=True,
    )
    return met


def upload(world: World, _folder: Path) -> bool:
    """A file of ten thousand lines: accepted, looked at, confirmed, stored."""
    content = _file(UPLOAD_LINES)
    with served(world, worker=True) as server, _client(server, world, "planner") as client:
        began = time.perf_counter()
        sent = client.post("/v1/uploads", files={"file": ("demand.csv", content, "text/csv")}, headers=_once())
        accepted = time.perf_counter() - began
        _expect(sent, 202)
        path = f"/v1/uploads/{sent.json()['id']}"
        ready = _until(client, path, "ready")
        looked = time.perf_counter() - began
        again = time.perf_counter()
        confirmed = client.post(f"{path}/confirm", json={}, headers={"If-Match": ready.headers["ETag"]})
        _expect(confirmed, 202)
        confirming = time.perf_counter() - again
        loaded = _until(client, path, "loaded")
        stored = time.perf_counter() - again
        kept = client.get(f"/v1/submissions/{loaded.json()['submission']}")
        _expect(kept, 200)
    made = kept.json()["lines_made"]
    met = made == UPLOAD_LINES and accepted < 1.0 and confirming < 1.0
    print(
        f"api upload {world.kind}: {UPLOAD_LINES:,} lines accepted in {accepted:.2f} s (target under 1), looked at"
        f" after {looked:.1f} s; confirmed in {confirming:.2f} s, {made:,} stored after {stored:.1f} s: {_told(met)}",
        flush=True,
    )
    return met


def planning(world: World, folder: Path) -> bool:
    """Lists while a job plans the demonstration anew, beside the same lists before."""
    load = partial(Load, requests=_all_lists(world), clients=4, pause_s=0.02)
    with served(world, worker=True) as server, _client(server, world, "planner") as client:
        answers_to(load(server.port, seconds=2.0))
        idle = answers_to(load(server.port, seconds=10.0))
        asked = {"policy": policy_of(folder), "time_limit_s": PLAN_S, "seed": 7, "gap": 0.0001}
        run = client.post("/v1/runs", json=asked, headers=_once())
        _expect(run, 202)
        _until(client, f"/v1/runs/{run.json()['id']}", "running")
        busy = answers_to(load(server.port, seconds=PLAN_S / 2))
        state = client.get(f"/v1/runs/{run.json()['id']}").json()["status"]
        client.post(f"/v1/runs/{run.json()['id']}/cancel", json={"plan": "discard"}, headers=_once())
    errors = idle.errors + busy.errors
    met = not errors and busy.p95 <= PLANNED_P95 * idle.p95 and busy.longest < STALL_MS and state == "running"
    print(
        f"api planning {world.kind}: p95 {busy.p95:.1f} ms while the demonstration is planned ({_times(busy)}), idle"
        f" {idle.p95:.1f} ms ({_times(idle)}); at most {PLANNED_P95:.0f} times; the run is {state}: {_told(met)}",
        flush=True,
    )
    return met


def _all_lists(world: World) -> list[Asking]:
    return [asking for role in world.seen for asking in lists(world, role).values()]


def _mixed(world: World) -> list[Asking]:
    """What goes on in a day: lists, single things, repeated reads, refusals of no harm, and forecasts that change."""
    coordinator = world.headers("coordinator")
    body = httpx.Request("PUT", "http://localhost", json=forecast(participant=SENT)).content.decode()
    return [
        *_all_lists(world),
        Asking("/v1/me", coordinator),
        Asking("/v1/categories", coordinator),
        Asking("/v1/participants?limit=500", coordinator),
        Asking("/v1/plans", coordinator),
        Asking("/v1/submissions", world.headers("planner")),
        Asking("/v1/forecasts/benchmark/{n}", world.headers("partner"), "PUT", body),
        Asking("/health/ready", {}),
    ]


def _file(rows: int) -> bytes:
    """A demand file with our own headers, no two rows alike."""
    chance = random.Random(SEED)
    made = [";".join(HEADERS)]
    place, price = HEADERS.index("Quantity per year"), HEADERS.index("Unit price")
    for number in range(rows):
        cells = list(ROW)
        cells[place], cells[price] = str(1000 + number), f"1.{chance.randint(10, 99)}"
        made.append(";".join(cells))
    return ("\n".join(made) + "\n").encode()


def _client(server: Server, world: World, role: str) -> httpx.Client:
    base = f"http://127.0.0.1:{server.port}"
    return httpx.Client(base_url=base, headers=world.headers(role), timeout=60.0, trust_env=False)


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _until(client: httpx.Client, path: str, status: str) -> httpx.Response:
    """The answer once it says ``status``."""
    until = time.monotonic() + UPLOAD_S
    while time.monotonic() < until:
        found = client.get(path)
        _expect(found, 200)
        if found.json()["status"] == status:
            return found
        time.sleep(0.05)
    raise SystemExit(f"api benchmark: {path} is {found.json()['status']} after {UPLOAD_S:.0f} s, not {status}")


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise SystemExit(f"api benchmark: {answer.url} answered {answer.status_code}: {answer.text[:500]}")


def _none_failed(found: Answers) -> Answers:
    if found.errors:
        raise SystemExit(f"api benchmark: {dict(found.statuses)}")
    return found


def _times(found: Answers) -> str:
    shares = f"p50 {found.p50:.1f}, p95 {found.p95:.1f}, p99 {found.p99:.1f}, longest {found.longest:.1f} ms"
    return f"{found.count:,} answers, {found.errors} errors, {shares}"


def _told(met: bool) -> str:
    return "met" if met else "MISSED"


def _load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def run(*sections: str) -> bool:
    """Print every figure; whether all targets are met."""
    parts: dict[str, Callable[[World, Path], bool]] = {
        "rates": rates,
        "clients": clients,
        "memory": memory,
        "upload": upload,
        "planning": planning,
    }
    with tempfile.TemporaryDirectory(prefix="api-demonstration-") as name:
        folder = Path(name) / "demonstration"
        make_demonstration(folder)
        return measured([parts[section] for section in sections or SECTIONS], folder, KINDS)


def measured(parts: Sequence[Callable[[World, Path], bool]], folder: Path, kinds: Sequence[str]) -> bool:
    """Each part on each kind of database."""
    print(f"api: load of the machine before {_load()}", flush=True)
    with worlds(folder, kinds) as made:
        met = [part(world, folder) for part in parts for world in made]
    print(f"api: load of the machine after {_load()}", flush=True)
    return all(met)
