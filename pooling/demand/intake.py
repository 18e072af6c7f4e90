"""From an open file to checked lines: a thread checks the next batches while the caller stores the last one."""

from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl

from connectors.errors import BadPlan, ConnectorError
from connectors.files import ColumnPlan, DemandFile, Limits, ReadReport, open_demand
from connectors.frames import EXTRA, ROW
from pooling.demand.checks import Checker
from pooling.demand.figures import Marks
from pooling.demand.mapping import FileMapping
from pooling.demand.naming import Reference
from pooling.demand.notices import NO_PRINTS, prints
from pooling.demand.settle import Grouper, Settler
from pooling.errors import BadSetting, FileRefused

Item = TypeVar("Item")
DEPTH = 2


def column_plan(mapping: FileMapping) -> ColumnPlan:
    """What the reader is asked for: the mapping's columns, and the headers its rules look at."""
    extra = {EXTRA + header: header for header in mapping.extra_headers()}
    hints = mapping.hints
    return ColumnPlan(
        columns={**mapping.columns, **extra},
        optional=mapping.optional,
        sheet=hints.sheet,
        header_row=hints.header_row,
        delimiter=hints.delimiter,
        encoding=hints.encoding,
        decimal=hints.decimal,
    )


@contextmanager
def opened(path: Path, mapping: FileMapping, limits: Limits | None = None) -> Iterator[DemandFile]:
    """The file, read as the mapping says; every refusal of the reader becomes one of ours."""
    try:
        with open_demand(path, column_plan(mapping), limits or Limits()) as file:
            yield file
    except BadPlan as wrong:
        raise BadSetting(f"mapping {mapping.name}: {wrong.message}") from wrong
    except ConnectorError as wrong:
        raise FileRefused(f"{path.name}: {wrong.message}", wrong.code) from wrong


def senders(path: Path, mapping: FileMapping) -> set[str]:
    """Everyone whom the file names as participant, as written; rows that the mapping skips are looked at too."""
    stated = mapping.constants.get("participant")
    found: set[str] = set()
    with opened(path, mapping) as file:
        for batch in file.batches():
            if "participant" in batch.columns:
                found.update((text or stated or "").strip() for text in batch["participant"].unique())
            elif stated is not None:
                found.add(stated.strip())
    return found - {""}


def header_names(mapping: FileMapping, present: Iterable[str]) -> dict[str, str]:
    """Canonical column to the header it stands under in this file, for messages."""
    known = {_folded(header): header for header in present}
    found = {}
    for name, headers in mapping.columns.items():
        found[name] = next((known[_folded(each)] for each in headers if _folded(each) in known), headers[0])
    return found


def _folded(header: str) -> str:
    return " ".join(header.split()).casefold()


@dataclass(slots=True)
class Portion:
    """A batch ready to be stored: ``lines`` with LINE_COLUMNS, faults, waiting rows, and what was skipped.

    ``printed``: the rows that are in lines, of this batch or later ones, as notices.prints has them.
    """

    lines: pl.DataFrame
    faults: pl.DataFrame
    waiting: pl.DataFrame
    rows: int
    printed: pl.DataFrame
    skipped: Counter[str] = field(default_factory=Counter)


class Intake:
    """The checks of one file, in the order rows pass them."""

    def __init__(
        self,
        mapping: FileMapping,
        reference: Reference,
        *,
        marks: Marks,
        headers: dict[str, str],
        received_on: date,
        may_send_for: frozenset[str] | None = None,
    ) -> None:
        self.checker = Checker(
            mapping, reference, marks=marks, headers=headers, received_on=received_on, may_send_for=may_send_for
        )
        self._settler = Settler(mapping, reference.participants, headers)
        self._grouper = Grouper(mapping.group, headers) if mapping.group is not None else None

    def portions(self, batches: Iterable[pl.DataFrame]) -> Iterator[Portion]:
        """The batches checked; lines in the order of the table's index within each portion, for a quick store."""
        for batch in batches:
            checked = self.checker.check(batch)
            rows, printed = checked.rows, prints(batch, checked.rows[ROW])
            if self._grouper is not None:
                self._grouper.add(rows)
                rows = rows.clear()
            lines, homeless = self._settler.settle(rows)
            found = pl.concat([checked.faults, homeless]) if homeless.height else checked.faults
            yield Portion(_in_index_order(lines), found, checked.waiting, batch.height, printed, checked.skipped)
        if self._grouper is not None:
            yield self._grouped(self._grouper)

    def _grouped(self, grouper: Grouper) -> Portion:
        rows, too_large = grouper.lines()
        if not rows.height:
            return Portion(pl.DataFrame(), too_large, pl.DataFrame(), 0, NO_PRINTS)
        lines, homeless = self._settler.settle(rows)
        return Portion(_in_index_order(lines), pl.concat([too_large, homeless]), pl.DataFrame(), 0, NO_PRINTS)


def _in_index_order(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.sort("category", "participant", "row")


def marks_of(report: ReadReport) -> Marks:
    """How the file writes numbers."""
    return Marks(report.decimal_mark, report.thousands_mark)


def tuples(lines: pl.DataFrame, *first: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a frame as driver values, each behind the values ``first``; columns are turned into lists whole."""
    return zip(*(repeat(value, lines.height) for value in first), *(column.to_list() for column in lines))


def ahead(items: Iterator[Item], depth: int = DEPTH) -> Generator[Item, None, None]:
    """The items in order, each made by a thread while the caller is busy with those before it.

    At most ``depth`` are made in advance. An exception raised in making one comes out here. Close the iterator before
    what ``items`` reads from.
    """
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake") as pool:
        coming = deque(pool.submit(next, items, end) for _ in range(depth))
        while (item := coming.popleft().result()) is not end:
            coming.append(pool.submit(next, items, end))
            yield cast("Item", item)
