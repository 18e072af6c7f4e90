"""A cycle's demand over HTTP: the planner opens it, senders' files come in, it closes, and its lines are planned."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pooling.demo.cycle_site import Desk, Document, Refused, Site
from pooling.demo.folder import POLICY
from pooling.demo.make import AS_OF, Demonstration, Sent
from pooling.planning.service import Effort
from solver import Progress

CYCLE, POLICY_NAME = "nordic-made-up", "nordic-made-up"
TIME_ZONE = "Europe/Copenhagen"
TERMS: Mapping[str, date] = MappingProxyType(
    {
        "opens_on": AS_OF,
        "closes_on": AS_OF + timedelta(days=14),
        "plan_by": AS_OF + timedelta(days=28),
        "decide_by": AS_OF + timedelta(days=120),
    }
)
ON_ITS_WAY = ("received", "confirmed")
SPARE_S = 300.0
"""What a run may take beside its time limit, on a machine that has other things to do."""

Stage = Callable[[Iterable[Sent], str], Iterable[Sent]]
"""Shows how far a stage is over the files: the same files again, one by one."""
Solving = Callable[[], AbstractContextManager[Callable[[Progress], None]]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a sender's file: rows of it that were refused or wait for a mapping, lines stored."""

    sender: str
    rows: int
    refused: int
    waiting: int
    lines: int


def open_cycle(site: Site, made: Demonstration) -> None:
    """The senders' coordinators are let in; the planner keeps policy and mappings, and opens the cycle."""
    for sent in made.sent:
        site.coordinator(sent.sender.code)
    planner = site.planner
    given = tomllib.loads(made.files[POLICY].decode())
    planner.put(f"/v1/policies/{POLICY_NAME}", given | {"as_of": given["as_of"].isoformat()})
    for path in sorted({sent.mapping for sent in made.sent if sent.mapping is not None}):
        name = Path(path).stem
        codes = made.files[path.replace(".toml", "-codes.csv")].decode()
        document = {"document": made.files[path].decode(), "lists": {f"{name}-codes.csv": codes}}
        planner.put(f"/v1/mappings/{name}", document)
    days = {name: day.isoformat() for name, day in TERMS.items()}
    named = {"name": "Nordic cycle (made up)", "time_zone": TIME_ZONE, "depth": "joint", "policy_name": POLICY_NAME}
    path = f"/v1/cycles/{CYCLE}"
    planner.put(path, {**named, **days})
    planner.post(f"{path}/open", of=path)


def send(site: Site, made: Demonstration, files: Iterable[Sent], stage: Stage) -> list[Stored]:
    """Each sender's coordinator uploads its file, sees what was found, and confirms the rows that can be stored."""
    sent = [(each, _upload(site, made, each)) for each in stage(files, "uploading")]
    uploads = dict(sent)
    for each in stage(uploads, "looked at"):
        desk = site.coordinator(each.sender.code)
        seen = desk.once(uploads[each], unless=ON_ITS_WAY)
        if seen["status"] != "ready":
            raise Refused(uploads[each], seen["problem"] | {"status": seen["status"]})
        desk.post(f"{uploads[each]}/confirm", {"partial": True}, of=uploads[each])
    with site.storing():
        return [_stored(site.coordinator(each.sender.code), each, uploads[each]) for each in stage(uploads, "stored")]


def _upload(site: Site, made: Demonstration, sent: Sent) -> str:
    """The address of the upload."""
    form = {"series": sent.sender.code, "cycle": CYCLE}
    if sent.mapping is not None:
        form["mapping"] = Path(sent.mapping).stem
    file = {"file": (Path(sent.path).name, made.files[sent.path])}
    answer = site.coordinator(sent.sender.code).request("POST", "/v1/uploads", data=form, files=file)
    return f"/v1/uploads/{answer.json()['id']}"


def _stored(desk: Desk, sent: Sent, upload: str) -> Stored:
    done = desk.once(upload, unless=ON_ITS_WAY)
    if done["status"] != "loaded":
        raise Refused(upload, done["problem"] | {"status": done["status"]})
    seen = done["preview"]
    return Stored(
        sender=sent.sender.code,
        rows=seen["rows_read"],
        refused=seen["rows_refused"],
        waiting=seen["rows_waiting"],
        lines=seen["lines_made"],
    )


def close_cycle(site: Site) -> Document:
    """The planner closes it on its last day; who has sent what."""
    site.go_to(TERMS["closes_on"])
    path = f"/v1/cycles/{CYCLE}"
    site.planner.post(f"{path}/close", of=path)
    coverage: Document = site.planner.get(f"{path}/coverage")
    return coverage


def plan(site: Site, effort: Effort, solving: Solving) -> str:
    """A run on the frozen lines; the plan's id."""
    how = {"time_limit_s": effort.time_limit_s, "workers": effort.workers, "seed": effort.seed, "gap": effort.gap}
    run = site.planner.post(f"/v1/cycles/{CYCLE}/runs", how)["id"]
    with solving() as follow:
        last: Any = None
        within_s = effort.time_limit_s + SPARE_S
        for last in site.planner.when(f"/v1/runs/{run}", unless=("queued", "running"), within_s=within_s):
            if last["progress"] is not None:
                follow(_progress(last["progress"]))
    if last["plan"] is None:
        raise Refused(f"/v1/runs/{run}", (last["problem"] or {}) | {"status": last["status"]})
    return str(last["plan"])


def _progress(told: Document) -> Progress:
    return Progress(
        stage=told["stage"],
        families_done=told["families_done"],
        families=told["families"],
        best_total_eur=told.get("best_total_eur"),
        bound_eur=told.get("bound_eur"),
    )
