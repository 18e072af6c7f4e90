"""Forecasts of a request as the intake takes them: texts by column, and the document as it was sent."""

from datetime import datetime
from typing import Any

import msgspec
from sqlmodel import Session

from pooling.demand import forecasts, mappings
from pooling.demand.forecast_views import Bulk, BulkLine, ForecastBody
from pooling.demand.pushed import Entry, Pushed
from pooling.demand.sender import Sender
from pooling.demand.sent_for import SentFor
from pooling.errors import BadFields


def push(
    session: Session, data: Bulk, *, sender: Sender, partial: bool, now: datetime, sent_for: SentFor | None = None
) -> Pushed:
    """Store the lines of a request; with a stored mapping that explains the sender's words."""
    given = None
    if data.mapping is not None:
        given = mappings.document(session, data.mapping)
        if not given.adds_to_headers:
            text = 'it reads a file\'s own columns; for forecasts give one with base = "headers"'
            raise BadFields([("#/mapping", "bad-mapping", text)])
    entries = [entry_of(line.external_id, line, version=line.version) for line in data.lines]
    return forecasts.push(
        session, data.source, entries, sender=sender, now=now, partial=partial, given=given, sent_for=sent_for
    )


def entry_of(external_id: str, data: ForecastBody, *, version: int | None = None) -> Entry:
    """A forecast as the intake takes it: texts by column, and the document as it was sent."""
    document = msgspec.to_builtins(data)
    for name in ("external_id", "version") if isinstance(data, BulkLine) else ():
        document.pop(name, None)
    cells = {name: _text(value) for name, value in document.items() if value not in (None, [])}
    return Entry(external_id, cells, document, version)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ";".join(value) if isinstance(value, list) else str(value)
