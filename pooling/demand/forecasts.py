"""What a sender's system says line by line, under ids of its own: through the same checks as the rows of a file.

A request makes one submission with a line for each forecast that is new or says something else than before; the line
that a forecast had ends then, and stays on record. What is not known of a word is refused here and does not wait: the
system that sent it is told at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlmodel import Session

from pooling import audit, feed
from pooling.deeds import deed_of
from pooling.demand import cycle_closing, cycle_lines, doubts, forecast_store, store, submitting
from pooling.demand.forecast_reading import checked, report_of, row_faults
from pooling.demand.forecast_store import Known
from pooling.demand.intake import Intake, Portion
from pooling.demand.mapping import FileMapping
from pooling.demand.mapping_file import MappingDocument
from pooling.demand.notices import Notices
from pooling.demand.pushed import CREATED, REFUSED, REPLACED, UNCHANGED, Entry, Fault, ForecastsRefused, Pushed, Result
from pooling.demand.sender import Sender
from pooling.demand.sent_for import SentFor, current
from pooling.demand.tally import Tally
from pooling.errors import NotFound, counted
from pooling.reference import service as reference_service


@dataclass(slots=True)
class _Sorted:
    """Entries by what is to be done: numbers (1 for the first) with their faults, unchanged, or to be stored."""

    known: Mapping[str, Known]
    faults: dict[int, list[Fault]] = field(default_factory=dict)
    unchanged: set[int] = field(default_factory=set)
    wanted: dict[int, Entry] = field(default_factory=dict)


def put(
    session: Session,
    source: str,
    entry: Entry,
    *,
    sender: Sender,
    now: datetime,
    expect: Callable[[int | None], None],
    conditional: bool,
) -> Pushed:
    """Store one forecast. ``expect`` refuses where the sender has not seen the version there is (None: none is).

    The same again is answered as unchanged where the request is not ``conditional``, so that a sender that got no
    answer can ask again. Raises ForecastsRefused, and NotFound where the id is another participant's.
    """
    cycle_closing.lock(session)
    known = forecast_store.known(session, source, [entry.external_id]).get(entry.external_id)
    sender = _today(session, sender)
    if known is not None and not sender.may_replace([known.sent_as], known=True):
        raise NotFound("nothing is here")
    standing = known if known is not None and not known.deleted else None
    same = standing is not None and standing.document == entry.document
    if not same or conditional:
        expect(None if standing is None else standing.version)
    return push(session, source, [entry], sender=sender, now=now)


def push(
    session: Session,
    source: str,
    entries: Sequence[Entry],
    *,
    sender: Sender,
    now: datetime,
    partial: bool = False,
    given: MappingDocument | None = None,
    sent_for: SentFor | None = None,
) -> Pushed:
    """Store forecasts of ``source``: all of them, or with ``partial`` those without faults.

    ``given``: a mapping that adds to what the fields' names say. ``sent_for``: the cycle they go to, None: the one that
    is open; in a correction what a forecast says already is said again. What is unchanged counts as sent for the cycle
    all the same. Raises BadMapping, and ForecastsRefused whose
    faults point to ``#/lines/N/FIELD``.
    """
    cycle_closing.lock(session)
    goes_to = sent_for or current(session, deed_of(session).now)
    known = forecast_store.known(session, source, [entry.external_id for entry in entries])
    sender = _today(session, sender)
    found = _sorted(entries, known, sender, again=goes_to.late)
    steps, portion, mapping = checked(session, found.wanted, given=given, sender=sender, now=now)
    for number, fault in row_faults(portion, steps):
        found.faults.setdefault(number, []).append(fault)
        found.wanted.pop(number, None)
    if found.faults and not partial:
        raise ForecastsRefused(
            _pointers(found.faults),
            f"{len(found.faults)} of {counted(len(entries), 'forecast')} have faults and nothing was stored",
        )
    submission, warnings = None, tuple[str, ...]()
    if found.wanted:
        if found.faults:  # without the rows that are refused
            steps, portion, mapping = checked(session, found.wanted, given=given, sender=sender, now=now)
        submission, warnings = _stored(
            session, source, found, steps, portion, mapping, sender=sender, now=now, sent_for=goes_to
        )
    if goes_to.cycle is not None and (same := _unchanged_owners(entries, found)):
        cycle_lines.confirm(session, goes_to.cycle, source, same, now=now)
    return Pushed(submission, tuple(_results(entries, found)), warnings)


def _today(session: Session, sender: Sender) -> Sender:
    return sender.on(deed_of(session).now.date(), reference_service.participants(session))


def _unchanged_owners(entries: Sequence[Entry], found: _Sorted) -> set[str]:
    """Whose forecasts say the same again: their word for the cycle, though no line is made. Not those that a correction
    leaves aside, whose word was another."""
    return {
        owner
        for number in found.unchanged - found.wanted.keys()
        for owner in found.known[entries[number - 1].external_id].owners
    }


def _sorted(entries: Sequence[Entry], known: Mapping[str, Known], sender: Sender, *, again: bool) -> _Sorted:
    """``again``: what says the same as before is stored all the same."""
    found = _Sorted(known)
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        before = known.get(entry.external_id)
        standing = before if before is not None and not before.deleted else None
        seen = standing.version if standing is not None else 0
        if first.setdefault(entry.external_id, number) != number:
            text = f"the forecast is already in lines[{first[entry.external_id] - 1}]; send it once"
            found.faults[number] = [Fault("external_id", "duplicate", text)]
        elif before is not None and not sender.may_replace([before.sent_as], known=True):
            text = "this id is another participant's in this source; use one of your own"
            found.faults[number] = [Fault("external_id", "not-yours", text)]
        elif entry.version is not None and entry.version != seen:
            text = f"the forecast is at version {seen} now (0: it is not there); read it again and repeat the change"
            found.faults[number] = [Fault("version", "precondition-failed", text)]
        elif standing is not None and standing.document == entry.document and not again:
            found.unchanged.add(number)
        else:
            found.wanted[number] = entry
    return found


def _pointers(found: Mapping[int, Sequence[Fault]]) -> list[tuple[str, str, str]]:
    return [
        (f"#/lines/{number - 1}" + (f"/{fault.place}" if fault.place else ""), fault.code, fault.detail)
        for number, all_ in sorted(found.items())
        for fault in all_
    ]


def _stored(
    session: Session,
    source: str,
    found: _Sorted,
    steps: Intake,
    portion: Portion,
    mapping: FileMapping,
    *,
    sender: Sender,
    now: datetime,
    sent_for: SentFor,
) -> tuple[UUID, tuple[str, ...]]:
    """One submission with a line for each entry; the lines that these forecasts had end."""
    tally = Tally(steps.checker, Notices(now.date()))
    tally.add(portion)
    read = report_of(list(found.wanted.values()))
    submission = submitting.begin(
        session,
        f"{source}.json",
        mapping,
        series=source,
        sender=sender,
        received_at=now,
        read=read,
        sent_for=sent_for,
        source=source,
    )
    version = store.mapping_version(session, name=mapping.name, sha256=mapping.sha256, now=now)
    ids = [found.wanted[row].external_id for row in portion.lines["row"]]
    lines = portion.lines.with_columns(source=pl.lit(source), external_id=pl.Series(ids, dtype=pl.String))
    store.add_lines(session, lines, submission=submission, mapping=version)
    standing = [known for known in found.known.values() if not known.deleted]
    named = [known for known in standing if known.external_id in set(ids)]
    kept = _kept(session, named, sent_for)
    replaced = [known.line for known in named if known.external_id not in kept]
    ended = forecast_store.end_lines(session, replaced, now=now)
    documents = {key: document for key, document in _documents(found).items() if key not in kept}
    forecast_store.point(session, source, documents, found.known, submission=submission, now=now)
    known = {"series": source, "file_name": f"{source}.json", "read": read}
    answer = submitting.finish(
        session,
        tally,
        submission=submission,
        before=None,
        sender=sender,
        known=known,
        sent_for=sent_for,
        ended=ended,
        source=source,
    )
    if kept:
        aside = forecast_store.end_of(session, submission, kept, now=now)
        doubts.renew_flags(session, sorted(aside), submission)
        found.unchanged |= {number for number, entry in found.wanted.items() if entry.external_id in kept}
    return submission, answer.warnings


def _kept(session: Session, named: Sequence[Known], sent_for: SentFor) -> set[str]:
    """The forecasts that a correction leaves as they stand, since they were sent after the cycle was frozen."""
    if not sent_for.late or sent_for.cycle is None:
        return set()
    newer = cycle_lines.newer_lines(session, sent_for.cycle, [known.line for known in named])
    return {known.external_id for known in named if known.line in newer}


def _documents(found: _Sorted) -> dict[str, Mapping[str, Any]]:
    return {entry.external_id: entry.document for entry in found.wanted.values()}


def _results(entries: Sequence[Entry], found: _Sorted) -> Iterable[Result]:
    for number, entry in enumerate(entries, start=1):
        before = found.known.get(entry.external_id)
        if number in found.faults:
            yield Result(entry.external_id, REFUSED, None, tuple(found.faults[number]))
        elif number in found.unchanged and before is not None:
            yield Result(entry.external_id, UNCHANGED, before.version)
        elif before is None:
            yield Result(entry.external_id, CREATED, 1)
        else:
            yield Result(entry.external_id, CREATED if before.deleted else REPLACED, before.version + 1)


def delete(
    session: Session, source: str, external_id: str, *, sender: Sender, now: datetime, expect: Callable[[int], None]
) -> None:
    """End a forecast: its line counts no longer. Raises NotFound where there is none that the sender may delete."""
    cycle_closing.lock(session)
    known = forecast_store.known(session, source, [external_id]).get(external_id)
    sender = _today(session, sender)
    if known is None or known.deleted or not sender.may_replace([known.sent_as], known=True):
        raise NotFound(f"no forecast {external_id!r} of {source!r}; it may have been deleted")
    expect(known.version)
    categories = forecast_store.end_lines(session, [known.line], now=now)
    forecast_store.mark_deleted(session, source, external_id, now=now)
    doubts.renew_flags(session, sorted(categories), known.submission)
    resource = f"{source}/{external_id}"
    feed.changed(session, "forecast", resource, version=known.version + 1, action="deleted", participants=known.owners)
    audit.acted(session, "forecasts.delete", resource=("forecast", resource), participants=known.owners)
