"""Demand files, CSV and XLSX: parsed in a child process with limits, delivered as frames of text with row numbers.

with open_demand(path, plan) as file:
    file.report           # how it was read: encoding, marks, headers, rows, hash
    for frame in file.batches():
        ...               # columns as declared in connectors.frames
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from connectors import sandbox
from connectors.errors import BadPlan, ConnectorError, NoAccess
from connectors.limits import Limits
from connectors.plan import ColumnPlan, Hints, Preview, ReadReport
from connectors.source import Batch, Cursor

__all__ = ["ColumnPlan", "DemandFile", "FileSource", "Limits", "Preview", "ReadReport", "headers", "open_demand"]

STANDARD_LIMITS = Limits()
SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsm", ".xlsx"})


class DemandFile:
    """An open demand file: its report is complete from the start, its rows come in batches, once."""

    def __init__(self, report: ReadReport, results: Iterator[dict[str, Any] | pl.DataFrame]) -> None:
        self.report = report
        self._results = results

    def batches(self) -> Iterator[pl.DataFrame]:
        """Frames of up to ``limits.batch_rows`` rows in file order: ``row``, then ``report.columns`` as text.

        Cells without text are null; all else is as written. Whatever is wrong with the file was raised by
        ``open_demand``; here only ``parser-killed``, ``parser-timeout``, ``no-space`` and ``file-changed`` can come.
        Later batches are parsed while the caller works on this one.
        """
        for result in self._results:
            if isinstance(result, pl.DataFrame):
                yield result


@contextmanager
def open_demand(path: Path, plan: ColumnPlan, limits: Limits = STANDARD_LIMITS) -> Iterator[DemandFile]:
    """Read ``path`` as ``plan`` says. Raises ``ConnectorError``; a file that opens was checked to its end."""
    arguments = {"path": _readable(path), "plan": plan.to_document(), "limits": asdict(limits)}
    with sandbox.running("connectors.reading:read", arguments, limits) as child:
        results = child.results()
        yield DemandFile(ReadReport.from_document(_message(results)), results)


def headers(
    path: Path,
    limits: Limits = STANDARD_LIMITS,
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Preview:
    """What the file looks like: format, dialect, header row and first rows, for whoever writes a mapping.

    What is known of the file beforehand is stated as in a ``ColumnPlan``. Without ``sheet`` the first with content is
    shown.
    """
    hints = Hints(sheet=sheet, header_row=header_row, delimiter=delimiter, encoding=encoding)
    arguments = {"path": _readable(path), "limits": asdict(limits), "hints": asdict(hints)}
    with sandbox.running("connectors.reading:preview", arguments, limits) as child:
        return Preview.from_document(_message(child.results()))


class FileSource:
    """A demand file, or a folder into which such files are dropped; files of one plan of columns.

    The cursor knows each file read by name and hash: a file comes again when its content changed, whatever its date.
    A folder is read in the order of names, passing over hidden files and names without one of ``SUFFIXES``; a sender
    writes under another suffix and renames when done.
    """

    def __init__(self, path: Path, plan: ColumnPlan, limits: Limits = STANDARD_LIMITS) -> None:
        self._path = path
        self._plan = plan
        self._limits = limits

    def fetch(self, since: Cursor | None) -> Iterator[Batch]:
        """The rows of files that are new or changed; a file's last batch carries the cursor that knows the file."""
        seen = _seen(since)
        for path in self._files():
            try:
                if seen.get(path.name) == _sha256(path):
                    continue
                with open_demand(path, self._plan, self._limits) as file:
                    yield from self._batches(file, path.name, seen)
            except ConnectorError as refusal:
                raise type(refusal)(refusal.code, f"{path.name}: {refusal.message}") from refusal

    def _batches(self, file: DemandFile, name: str, seen: dict[str, str]) -> Iterator[Batch]:
        report = file.report
        rows = 0
        for frame in file.batches():
            rows += frame.height
            if rows == report.rows:
                seen[name] = report.sha256
            yield Batch(
                frame=frame,
                cursor=Cursor(json.dumps(seen, sort_keys=True)),
                origin=name,
                digest=report.sha256,
                decimal_mark=report.decimal_mark,
                thousands_mark=report.thousands_mark,
            )

    def _files(self) -> list[Path]:
        if not self._path.is_dir():
            return [self._path]
        return sorted(
            path
            for path in self._path.iterdir()
            if path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~")) and path.is_file()
        )


def _seen(since: Cursor | None) -> dict[str, str]:
    """File names and hashes in a cursor."""
    try:
        seen = json.loads(since.value) if since else {}
    except ValueError:
        seen = None
    if not isinstance(seen, dict) or not all(isinstance(value, str) for value in seen.values()):
        raise BadPlan("bad-cursor", "the cursor was not made by a file source; start without one")
    return seen


def _sha256(path: Path) -> str:
    try:
        with Path(_readable(path)).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NoAccess("cannot-open", f"{path}: {error.strerror}; give the path of a file that can be read") from error


def _readable(path: Path) -> str:
    """The absolute path, of a regular file: a pipe or device could make the reader wait for ever."""
    if not path.is_file():
        raise NoAccess("cannot-open", f"{path} is no file; give the path of a file that can be read")
    return str(path.resolve())


def _message(results: Iterator[dict[str, Any] | pl.DataFrame]) -> dict[str, Any]:
    first = next(results)
    if isinstance(first, pl.DataFrame):
        raise TypeError("the reading process sent rows before its report")
    return first
