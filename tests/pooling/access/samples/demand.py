"""Lines, submissions, forecasts, uploads and mappings: a region's own, hidden from the others."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import update
from sqlmodel import col

from pooling.demand import bulk, forecasts, loading, mappings, report_file, uploads
from pooling.demand.forecast_views import ForecastBody
from pooling.demand.pushed import Pushed
from pooling.demand.reading import mapping_for
from pooling.demand.results import Loaded
from pooling.demand.sender import ANYONE, Sender
from pooling.demand.tables import Submission
from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.demand.api_world import csv, forecast

if TYPE_CHECKING:
    from tests.pooling.access.world import World

ANY_VERSION = {"If-Match": "*"}
BOTH: tuple[Place, ...] = ("own", "others")
WORDS = 'name = "words"\nbase = "headers"\n'
REPORT = report_file.document(Loaded(submission=None, series="made up", file_name="demand.csv"))


def _body(world: "World", place: Place, **changes: Any) -> dict[str, Any]:
    return forecast(participant=world.participant(place), **changes)


def _push(world: "World", place: Place, key: str, **changes: Any) -> Pushed:
    data = msgspec.convert(_body(world, place, **changes), ForecastBody)
    with world.written() as opened:
        entry = bulk.entry_of(key, data)
        return forecasts.push(opened.session, f"erp-{place}", [entry], sender=ANYONE, now=opened.now)


def plant(world: "World") -> None:
    """A line of each of two regions whose figures are nowhere else; a stored mapping."""
    for place in BOTH:
        low, quantity, high, micro = (world.canary(place) for _ in range(4))
        price = f"{micro // 10**6}.{micro % 10**6:06d}"
        pushed = _push(
            world, place, "planted", quantity_low=low, quantity=quantity, quantity_high=high, unit_price=price
        )
        world.planted["submission", place] = pushed.submission
    with world.written() as opened:
        mappings.put(opened.session, "planted", WORDS, {}, now=opened.now, expect=lambda version: None)


def _line(world: "World", place: Place) -> Sent:
    with world.written() as opened:
        known = forecasts.forecast_store.known(opened.session, f"erp-{place}", ["planted"])
    return Sent(f"/v1/lines/{known['planted'].line}")


def _submission(suffix: str = "") -> Any:
    return lambda world, place: Sent(f"/v1/submissions/{world.planted['submission', place]}{suffix}")


def _withdraw(world: "World", place: Place) -> Sent:
    """One submission a place, put back to how it was each time: reading a file is the dear part."""
    key = ("withdrawn", place)
    with TemporaryDirectory() as folder, world.written() as opened:
        if key not in world.planted:
            path = Path(folder) / "demand.csv"
            path.write_bytes(csv({"Participant": str(world.participant(place))}))
            loaded = loading.load(
                opened.session, path, mapping_for(path, None), series=f"s {uuid4()}", partial=False,
                received_at=opened.now,
            )  # fmt: skip
            world.planted[key] = str(loaded.submission)
        again = update(Submission).where(col(Submission.id) == UUID(str(world.planted[key]))).values(status="accepted")
        opened.session.connection().execute(again)
    return Sent(f"/v1/submissions/{world.planted[key]}/withdraw", headers=ANY_VERSION)


def _delete(world: "World", place: Place) -> Sent:
    key = uuid4().hex
    _push(world, place, key)
    return Sent(f"/v1/forecasts/erp-{place}/{key}", headers=ANY_VERSION)


def _write(world: "World", place: Place) -> Sent:
    """A new forecast of one's own; another's is one that is there already."""
    key = uuid4().hex
    if place == "others":
        _push(world, place, key)
    headers = ANY_VERSION if place == "others" else {}
    return Sent(f"/v1/forecasts/erp-{place}/{key}", json=_body(world, place, quantity=5), headers=headers)


def _load(world: "World", place: Place) -> Sent:
    line = _body(world, "own", external_id=uuid4().hex)
    return Sent("/v1/forecasts", json={"source": "erp", "lines": [line]})


def _preview(place: str | None) -> dict[str, Any]:
    zero = ("rows_read", "rows_in_lines", "lines_made", "rows_refused", "rows_skipped", "rows_quarantined")
    return {
        **dict.fromkeys((*zero, "faults_found", "same", "new", "gone", "replaced_lines"), 0),
        "series": f"made up {uuid4()}",
        "mapping_name": "template",
        "already_loaded": False,
        "refusal": None,
        "warnings": [],
        "taken_over": [],
        "columns": {},
        "senders": [place],
        "replaces": None,
        "first": [],
        "read": {},
        "problem": None,
    }


def _upload(world: "World", place: Place) -> UUID:
    """An upload that was looked at, of whoever asks or of somebody else."""
    asker = world.principals.get(world.asking or "", uuid4())
    sent_by = asker if place == "own" else uuid4()
    participant = str(world.participant(place))
    sender = Sender(sent_by, frozenset({participant}))
    with world.written() as opened:
        made = uploads.receive_file(
            opened.session,
            csv({"Participant": participant}),
            "demand.csv",
            mapping=None,
            mapping_document=None,
            series=None,
            sender=sender,
            now=opened.now,
        )
        uploads.looked_at(opened.session, made.id, _preview(participant), REPORT)
        return made.id


def _of_upload(suffix: str = "", **more: Any) -> Any:
    return lambda world, place: Sent(f"/v1/uploads/{_upload(world, place)}{suffix}", **more)


def _mapping(world: "World") -> str:
    name = f"m{uuid4().hex}"
    with world.written() as opened:
        mappings.put(opened.session, name, WORDS, {}, now=opened.now, expect=lambda version: None)
    return name


FILE = {"file": ("demand.csv", csv({}), "text/csv")}
SAMPLES = (
    Sample("lines.list", "GET", lambda world, place: Sent("/v1/lines")),
    Sample("lines.read", "GET", _line, places=BOTH),
    Sample("submissions.list", "GET", lambda world, place: Sent("/v1/submissions")),
    Sample("submissions.read", "GET", _submission(), places=BOTH),
    Sample("submissions.report", "GET", _submission("/report"), places=BOTH),
    Sample("submissions.changes", "GET", _submission("/changes"), places=BOTH),
    Sample("submissions.withdraw", "POST", _withdraw, places=BOTH),
    Sample("forecasts.list", "GET", lambda world, place: Sent("/v1/forecasts")),
    Sample("forecasts.read", "GET", lambda world, place: Sent(f"/v1/forecasts/erp-{place}/planted"), places=BOTH),
    Sample("forecasts.write", "PUT", _write, places=BOTH),
    Sample("forecasts.delete", "DELETE", _delete, places=BOTH),
    Sample("forecasts.load", "POST", _load),
    Sample("uploads.list", "GET", lambda world, place: Sent("/v1/uploads")),
    Sample("uploads.read", "GET", _of_upload(), places=BOTH),
    Sample("uploads.report", "GET", _of_upload("/report"), places=BOTH),
    Sample("uploads.workbook", "GET", _of_upload("/report.xlsx"), places=BOTH),
    Sample("uploads.create", "POST", lambda world, place: Sent("/v1/uploads", files=FILE)),
    Sample("uploads.confirm", "POST", _of_upload("/confirm", json={}, headers=ANY_VERSION), places=BOTH),
    Sample("uploads.discard", "DELETE", _of_upload(headers=ANY_VERSION), places=BOTH),
    Sample("mappings.list", "GET", lambda world, place: Sent("/v1/mappings")),
    Sample("mappings.read", "GET", lambda world, place: Sent("/v1/mappings/planted")),
    Sample(
        "mappings.write", "PUT", lambda world, place: Sent(f"/v1/mappings/m{uuid4().hex}", json={"document": WORDS})
    ),
    Sample(
        "mappings.delete",
        "DELETE",
        lambda world, place: Sent(f"/v1/mappings/{_mapping(world)}", headers=ANY_VERSION),
    ),
)
