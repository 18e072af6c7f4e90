"""What the child process does with a file: open it, see what it is, read it, and make sure it stayed the same."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from connectors import delimited, kinds, spreadsheet
from connectors.errors import BadData, NoAccess, TryAgain
from connectors.limits import Limits
from connectors.plan import ColumnPlan, Hints, ReadReport


@dataclass(frozen=True, slots=True)
class Source:
    """An open file and its state when it was opened: size in bytes, time of the last change."""

    file: BinaryIO
    path: Path
    state: tuple[int, int]

    def refuse_change(self) -> None:
        """Raise ``TryAgain`` where the file was written to since."""
        if _state(self.file) != self.state:
            raise TryAgain(
                "file-changed", f"{self.path} was written to while it was read; try again when it is complete"
            )

    def kind(self, limits: Limits) -> str:
        """The format of the file. Raises ``BadData`` where it is larger than the limit for it."""
        found = kinds.kind(self.file)
        most = limits.xlsx_bytes if found == kinds.XLSX else limits.csv_bytes
        if self.state[0] > most:
            raise BadData(
                "too-large", f"the file has {self.state[0]} bytes, the limit for {found} is {most}; send it in parts"
            )
        return found


def read(arguments: Mapping[str, Any], folder: Path) -> Iterator[dict[str, Any] | pl.DataFrame]:
    """A task: the report as a message, then the frames."""
    limits = Limits(**arguments["limits"])
    plan = ColumnPlan.from_document(arguments["plan"])
    with _opened(Path(arguments["path"])) as source:
        reader = spreadsheet.read if source.kind(limits) == kinds.XLSX else delimited.read
        for result in reader(source.file, folder=folder, plan=plan, limits=limits):
            if isinstance(result, ReadReport):
                source.refuse_change()
                yield asdict(result)
            else:
                yield result
        source.refuse_change()


def preview(arguments: Mapping[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """A task: the preview as a message."""
    limits, hints = Limits(**arguments["limits"]), Hints(**arguments["hints"])
    with _opened(Path(arguments["path"])) as source:
        if source.kind(limits) == kinds.XLSX:
            yield asdict(spreadsheet.preview(source.file, hints=hints, limits=limits))
        else:
            yield asdict(delimited.preview(source.file, folder=folder, hints=hints, limits=limits))


@contextmanager
def _opened(path: Path) -> Iterator[Source]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise NoAccess("cannot-open", f"{path}: {error.strerror}; give the path of a file that can be read") from error
    with file:
        yield Source(file, path, _state(file))


def _state(file: BinaryIO) -> tuple[int, int]:
    now = os.fstat(file.fileno())
    return now.st_size, now.st_mtime_ns
