"""Which character separates the cells of a CSV: stated by its first line (``sep=;``), else found by trying."""

import csv
import io
import re
from collections import Counter
from typing import BinaryIO

from connectors.columns import SEARCHED_ROWS, score, wanted
from connectors.plan import ColumnPlan

DELIMITERS = (";", ",", "\t", "|")
HEAD_BYTES = 256 << 10

_SEP_LINE = re.compile(r'"?sep=([!-/:;<-@\[-`{-~\t])"?[ ]*(?=[\r\n])', re.IGNORECASE)


def delimiter(file: BinaryIO, *, start: int, plan: ColumnPlan | None) -> str:
    """The delimiter of the UTF-8 text from byte ``start``.

    The one under which a row holds most mapped headers; where that does not tell them apart, the one that cuts most
    rows into the same number of cells, at least two. A comma where nothing separates.
    """
    file.seek(start)
    raw = file.read(HEAD_BYTES)
    text = raw.decode("utf-8", errors="ignore")  # only a character cut at the end can fail: the file was surveyed
    if stated := _SEP_LINE.match(text):
        return stated[1]
    whole = len(raw) < HEAD_BYTES
    headers = wanted(plan) if plan else frozenset()
    ranked = max(DELIMITERS, key=lambda candidate: _rank(text, candidate, headers=headers, whole=whole))
    return ranked if any(_rank(text, ranked, headers=headers, whole=whole)) else ","


def _rank(text: str, candidate: str, *, headers: frozenset[str], whole: bool) -> tuple[int, float, int]:
    rows = _rows(text, candidate, whole=whole)
    best = max((score(cells, headers) for cells in rows), default=0)
    sizes = Counter(len(cells) for cells in rows if len(cells) > 1)
    size, times = max(sizes.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return (best if size else 0, times / max(1, len(rows)), size)


def _rows(text: str, candidate: str, *, whole: bool) -> list[list[str]]:
    """The first records with text; the last is left out where the text is cut."""
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=candidate):
            rows.append(cells)
            if len(rows) > SEARCHED_ROWS:
                break
    except csv.Error:  # a cell beyond the module's own limit: what was read so far has to do
        pass
    rows = rows if whole and len(rows) <= SEARCHED_ROWS else rows[:-1] or rows
    return [cells for cells in rows if any(cell.strip() for cell in cells)]
