"""Mappings kept by name, for uploads and forecasts to name: checked when they are set, as far as they can be."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.database import one_at_a_time
from pooling.demand import loading
from pooling.demand.mapping_file import MappingDocument, document_of, mapping_of
from pooling.demand.tables import StoredMapping
from pooling.errors import NotFound, did_you_mean


def stored(session: Session) -> dict[str, StoredMapping]:
    """All mappings by name."""
    return {row.name: row for row in session.exec(select(StoredMapping).order_by(col(StoredMapping.name)))}


def one(session: Session, name: str) -> StoredMapping:
    """A mapping; raises NotFound."""
    found = session.get(StoredMapping, name)
    if found is None:
        known = sorted(stored(session))
        others = f"known: {', '.join(known[:20]) or 'none yet'}"
        raise NotFound(f"mapping {name!r} is not known; {did_you_mean(name, known, others)}")
    return found


def document(session: Session, name: str) -> MappingDocument:
    """A mapping as written, with its lists; raises NotFound."""
    found = one(session, name)
    return document_of(found.name, found.document, found.lists)


def put(
    session: Session,
    name: str,
    text: str,
    lists: Mapping[str, str],
    *,
    now: datetime,
    expect: Callable[[int | None], None],
) -> None:
    """Set a mapping. Raises BadMapping with every fault.

    One that only adds to a file's headers is checked when a file is read by it.
    """
    one_at_a_time(session, "pooling.demand.mappings")
    before = session.get(StoredMapping, name)
    expect(None if before is None else before.version)
    given = document_of(name, text, lists)
    if not given.adds_to_headers:
        mapping_of(given, loading.reference_data(session))
    row = before or StoredMapping(name=name, version=0, document="", lists={}, changed_at=now)
    row.document, row.lists, row.changed_at, row.version = text, dict(lists), now, row.version + 1
    session.add(row)
    session.flush()
    action = "created" if before is None else "updated"
    feed.changed(session, "mapping", name, version=row.version, action=action)
    audit.acted(session, "mappings.write", resource=("mapping", name))


def remove(session: Session, name: str, *, expect: Callable[[int], None]) -> None:
    """Delete a mapping; lines that it made keep its name and hash."""
    one_at_a_time(session, "pooling.demand.mappings")
    row = one(session, name)
    expect(row.version)
    version = row.version + 1
    session.delete(row)
    feed.changed(session, "mapping", name, version=version, action="deleted")
    audit.acted(session, "mappings.delete", resource=("mapping", name))
