"""Clients of the service that write one after another, and repeat each request until it is answered.

Each is a principal of its own with resources of its own, and remembers what was acknowledged: what must be there in the
end. Whatever is answered otherwise than a client of a sound service expects is an AssertionError.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.pooling.access.samples.market import SAID, offer_body
from tests.pooling.api_client import Account
from tests.pooling.demand.api_world import csv, forecast

PATIENCE_S = 300.0
"""Within which a request is answered, through all the kills."""
FEW = 12
"""Resources that a client changes in turn, so that each has many versions."""
POLICY = {
    "as_of": "2026-11-01",
    "pool_cost_eur": 100,
    "lot_cost_eur": 10,
    "line_cost_eur": 1,
    "country_cost_eur": 20,
    "forecast_correlation": 0.0,
}


@dataclass(frozen=True)
class Signals:
    """What all clients are told: to finish what they began, or that there is no server any more."""

    stop: threading.Event = field(default_factory=threading.Event)
    abandon: threading.Event = field(default_factory=threading.Event)


@dataclass
class Writer:
    """One client. ``keyed``: its PUTs and DELETEs carry an Idempotency-Key too.

    ``acknowledged`` counts answered writes by operation, ``stored`` those with a key, ``cut`` connections that broke.
    ``state``: what an address must answer in the end: the quantity, text or status of its resource, None for 404.
    ``versions``: the version that a resource of the feed must have.
    """

    base: str
    account: Account
    signals: Signals
    keyed: bool = True
    acknowledged: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    stored: int = 0
    cut: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.base, headers=self.account.headers, timeout=30.0, trust_env=False)
        self._chance = random.Random(str(self.account.principal.id))

    def run(self, step: Callable[["Writer", int], None]) -> None:
        """Do step after step until told to stop; what goes wrong is kept in ``failure``."""
        try:
            for number in itertools.count():
                if self.signals.stop.is_set():
                    return
                step(self, number)
                time.sleep(self._chance.uniform(0, 0.02))
        except (AssertionError, LookupError, ValueError, httpx.HTTPError) as failure:  # raised where the threads end
            self.failure = failure
        finally:
            self._client.close()

    def answered(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, however often the server is killed before it gives one."""
        until = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < until, f"{method} {path}: no answer in {PATIENCE_S} s"
            try:
                answer = self._client.request(method, path, **more)
            except httpx.TransportError:
                assert not self.signals.abandon.is_set(), f"{method} {path}: the server is gone"
                self.cut += 1
                time.sleep(0.2)
                continue
            if answer.status_code == 409 and answer.json()["code"] == "still-running":
                time.sleep(0.05)  # the database has not noticed yet that the first one's server is gone
                continue
            assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text}"
            return answer

    def write(self, operation: str, method: str, path: str, *, expected: int, **more: Any) -> httpx.Response:
        """A write that is acknowledged with ``expected``."""
        headers = dict(more.pop("headers", {}))
        keyed = self.keyed or method == "POST"
        if keyed:
            headers["Idempotency-Key"] = str(uuid4())
        answer = self.answered(method, path, headers=headers, **more)
        if not keyed and answer.status_code == 412:
            answer = self._applied(method, path, **more)
        assert answer.status_code == expected or (not keyed and answer.status_code == 200), (
            f"{method} {path}: {answer.status_code} for {expected}: {answer.text}"
        )
        self.acknowledged[operation] += 1
        self.writes += 1
        self.stored += keyed
        return answer

    def _applied(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A write with If-Match but without a key that was refused: the client looks whether it was its own."""
        there = self.answered("GET", path)
        assert method == "PUT", f"{method} {path}: refused as stale"
        assert there.json()["sent"]["quantity"] == more["json"]["quantity"], f"PUT {path}: refused, and not there"
        return there

    def put(self, operation: str, path: str, *, kind: tuple[str, str], value: Any, **more: Any) -> None:
        """Make a resource of one's own, or change it with If-Match."""
        known = self.etags.get(path)
        headers = {} if known is None else {"If-Match": known}
        answer = self.write(operation, "PUT", path, expected=200 if known else 201, headers=headers, **more)
        self.etags[path] = answer.headers["ETag"]
        self.versions[kind] = self.versions.get(kind, 0) + 1
        assert answer.json()["version"] == self.versions[kind], f"{path}: {answer.text} after {self.versions[kind]}"
        self.state[path] = value

    def settled(self, path: str, *, over: tuple[str, ...], patient: bool = True) -> httpx.Response:
        """The resource once it has one of these statuses, or as it is when its job has failed: too many workers died.

        Not ``patient``: or as it is when all are told to stop.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.answered("GET", path)
            assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
            if answer.json()["status"] in over or (self.signals.stop.is_set() and not patient):
                return answer
            operation = self.answered("GET", f"/v1/operations/{answer.json()['operation'].rpartition('/')[2]}").json()
            if operation["status"] == "failed":
                assert operation["problem"]["code"] == "worker-lost", f"{path}: {operation}"
                return answer
            assert time.monotonic() < until, f"{path}: still {answer.json()['status']} after {PATIENCE_S} s"
            time.sleep(0.1)


def write_forecast(writer: Writer, number: int) -> None:
    """Set one of a few forecasts; now and then make one and delete it."""
    source = f"erp-{'keyed' if writer.keyed else 'plain'}"
    participant = min(writer.account.principal.participants)
    if writer.keyed and number % 7 == 6:
        key = f"gone-{number}"
        path = f"/v1/forecasts/{source}/{key}"
        body = forecast(participant=participant, item_code=key, quantity=number + 1)
        made = writer.write("forecasts.write", "PUT", path, expected=201, json=body)
        etag = {"If-Match": made.headers["ETag"]}
        writer.write("forecasts.delete", "DELETE", path, expected=204, headers=etag)
        writer.state[path] = None
        return
    key = f"kept-{number % FEW}"
    body = forecast(participant=participant, item_code=key, quantity=number + 1)
    kind = ("forecast", f"{source}/{key}")
    path = f"/v1/forecasts/{source}/{key}"
    writer.put("forecasts.write", path, kind=kind, value=number + 1, json=body)


def write_bulk(writer: Writer, number: int) -> None:
    """Set ten forecasts at once, all of them or none."""
    participant = min(writer.account.principal.participants)
    lines = [
        forecast(participant=participant, item_code=f"b{key}", external_id=f"b{key}", quantity=10 * (number + 1) + key)
        for key in range(10)
    ]
    writer.write("forecasts.load", "POST", "/v1/forecasts", expected=200, json={"source": "bulk", "lines": lines})
    for key in range(10):
        writer.state[f"/v1/forecasts/bulk/b{key}"] = 10 * (number + 1) + key
        writer.versions["forecast", f"bulk/b{key}"] = number + 1


def write_market(writer: Writer, number: int) -> None:
    """Set one of a few offers, or record a talk."""
    if number % 2:
        learnt = f"talk {number}"
        made = writer.write("dialogues.create", "POST", "/v1/dialogues", expected=201, json={**SAID, "learnt": learnt})
        writer.state[made.headers["Location"]] = learnt
        writer.versions["dialogue", made.json()["id"]] = 1
        return
    key, name = f"offer-{number % FEW}", f"offer in its wording {number}"
    body = offer_body(name=name, category="blood-gas-syringes")
    writer.put("offers.write", f"/v1/offers/{key}", kind=("offer", key), value=name, json=body)


def write_access(writer: Writer, number: int) -> None:
    """Let a system in and make it a key."""
    body = {"kind": "key", "name": f"system {number}", "roles": ["partner"], "participants": ["SE-M"]}
    made = writer.write("principals.create", "POST", "/v1/principals", expected=201, json=body)
    key = {"label": f"key {number}", "principal": made.json()["id"], "scopes": ["pools:read"]}
    kept = writer.write("keys.create", "POST", "/v1/keys", expected=201, json=key)
    writer.state[made.headers["Location"]] = f"system {number}"
    writer.state[kept.headers["Location"]] = f"key {number}"


def write_upload(writer: Writer, number: int) -> None:
    """Upload a file of the same series, have it looked at, confirm it, wait until it is stored."""
    participant = min(writer.account.principal.participants)
    rows = [{"Participant": participant, "Quantity per year": str(100 + 10 * number + row)} for row in range(3)]
    files = {"file": (f"{number}.csv", csv(*rows), "text/csv")}
    sent = writer.write(
        "uploads.create", "POST", "/v1/uploads", expected=202, files=files, data={"series": "killed uploads"}
    )
    path = f"/v1/uploads/{sent.json()['id']}"
    kind = ("upload", str(sent.json()["id"]))
    ready = writer.settled(path, over=("ready", "unreadable"))
    writer.state[path], writer.versions[kind] = ready.json()["status"], ready.json()["version"]
    if writer.state[path] == "received":
        return
    assert writer.state[path] == "ready", f"{path}: {ready.text}"
    etag = {"If-Match": ready.headers["ETag"]}
    writer.write("uploads.confirm", "POST", f"{path}/confirm", expected=202, headers=etag, json={"partial": False})
    done = writer.settled(path, over=("loaded", "refused"))
    writer.state[path], writer.versions[kind] = done.json()["status"], done.json()["version"]
    assert writer.state[path] in ("loaded", "confirmed"), f"{path}: {done.text}"


def write_run(writer: Writer, number: int) -> None:
    """Ask for a plan and wait for it."""
    body = {"policy": {**POLICY, "name": f"run {number}"}, "seed": number}
    made = writer.write("runs.create", "POST", "/v1/runs", expected=202, json=body)
    path = f"/v1/runs/{made.json()['id']}"
    found = writer.settled(path, over=("succeeded", "failed"), patient=False).json()["status"]
    if found in ("succeeded", "failed"):
        writer.state[path] = found
