"""Read-only looks across subjects: which submissions lines came in, and how each was written there."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlmodel import Session, SQLModel

from pooling.planning.views import Trace

SLICE_IDS = 10_000  # ids in one statement


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


def submissions(session: Session, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The submissions of these ids, by series and id: what a snapshot says of where its lines came from."""
    table = _table("submission")
    names = ("id", "series", "file_name", "file_sha256", "mapping_name", "mapping_sha256", "rows_read", "lines_made")
    columns = [table.c[name] for name in names]
    found: list[Any] = []
    for part in _parts(sorted(set(ids))):
        found += session.connection().execute(select(*columns).where(table.c.id.in_(part))).mappings().all()
    rows = [dict(row) | {"id": str(row["id"])} for row in found]
    return sorted(rows, key=lambda row: (row["series"], row["id"]))


def traces(session: Session, ids: Iterable[int]) -> dict[int, Trace]:
    """Where lines came from, by line id; superseded submissions keep their lines, so old plans can be traced too."""
    line, submission = _table("line"), _table("submission")
    own = ("id", "submission", "row", "rows", "sent_as", "item_code", "currency", "window_source")
    originals = ("original_quantity", "original_unit", "original_price")
    columns = [line.c[name] for name in (*own, *originals)]
    query = select(*columns, submission.c.file_name, submission.c.file_sha256).join(
        submission, line.c.submission == submission.c.id
    )
    found = {}
    for part in _parts(sorted(set(ids))):
        for row in session.connection().execute(query.where(line.c.id.in_(part))).mappings():
            values = dict(row) | {"submission": str(row["submission"])}
            number = values.pop("id")
            found[number] = Trace(**values)
    return found


def _parts(ids: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(ids)
    while part := list(islice(rest, SLICE_IDS)):
        yield part
