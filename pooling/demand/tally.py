"""What a submission's rows have come to so far."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pooling.demand import flags
from pooling.demand.checks import Checker
from pooling.demand.faults import Fault, listed
from pooling.demand.intake import Portion
from pooling.demand.notices import Notices
from pooling.demand.results import MAX_LISTED, Loaded, Waiting


@dataclass(slots=True)
class Tally:
    """What has gone by so far of a load."""

    checker: Checker
    notices: Notices
    rows_read: int = 0
    rows_in_lines: int = 0
    lines_made: int = 0
    rows_refused: int = 0
    rows_waiting: int = 0
    faults_found: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    waiting: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    totals: list[pl.DataFrame] = field(default_factory=list)

    def add(self, portion: Portion) -> None:
        """Count a batch."""
        self.rows_read += portion.rows
        self.skipped += portion.skipped
        self.notices.add(portion.lines, portion.printed)
        if portion.lines.height:
            self.lines_made += portion.lines.height
            self.rows_in_lines += int(portion.lines["rows"].sum())
            self.totals.append(flags.totals(portion.lines))
        if portion.faults.height:
            self._add_faults(portion.faults)
        if portion.waiting.height:
            self._add_waiting(portion.waiting)

    def _add_faults(self, found: pl.DataFrame) -> None:
        self.faults_found += found.height
        self.faults += listed(found.head(MAX_LISTED - len(self.faults)))
        first = found.unique("row", keep="first", maintain_order=True)
        for code, rows in first.group_by("code").agg(pl.col("rows").sum()).iter_rows():
            self.refused[code] += rows
        self.rows_refused += int(first["rows"].sum())

    def _add_waiting(self, waiting: pl.DataFrame) -> None:
        self.rows_waiting += waiting.height
        counted = waiting.group_by("reason", "value").agg(pl.len(), pl.col("row").min()).sort("row")
        for reason, value, rows, first in counted.iter_rows():
            before = self.waiting.get((reason, value), (0, first))
            self.waiting[reason, value] = (before[0] + rows, min(before[1], first))

    def listed_waiting(self) -> tuple[Waiting, ...]:
        """The unknown words, those with most rows first."""
        order = sorted(self.waiting.items(), key=lambda each: (-each[1][0], each[0]))[:MAX_LISTED]
        return tuple(
            Waiting(
                reason,
                value,
                rows,
                first,
                tuple((near["id"], near["name"]) for near in self.checker.candidates(reason, value)),
            )
            for (reason, value), (rows, first) in order
        )

    def answer(self, **known: Any) -> Loaded:
        """The tally as an answer."""
        return Loaded(
            rows_read=self.rows_read,
            rows_in_lines=self.rows_in_lines,
            lines_made=self.lines_made,
            rows_refused=self.rows_refused,
            rows_skipped=self.skipped.total(),
            rows_quarantined=self.rows_waiting,
            refused=dict(self.refused.most_common()),
            skipped=dict(self.skipped),
            faults=tuple(self.faults),
            faults_found=self.faults_found,
            waiting=self.listed_waiting(),
            rehomed=self.notices.rehomed(),
            **known,
        )
