"""An XLSX workbook read cell by cell as text, in little memory: each cell as exactly as the file stores it.

The ready readers at hand turn error cells into blanks, round numbers to nine places, and hide both the row a value
stands in and whether it is a number or a text that looks like one. Here numbers are marked, errors are text.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from connectors import archive
from connectors.cells import style_of_format, value_text
from connectors.errors import BadData
from connectors.limits import Limits
from connectors.sheet import Cells, SheetReader, TextReader, local

_RELATION = "relationships/"
_SAVE = "save the table as XLSX or CSV and send that"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet of the workbook."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """The sheets of a workbook and, sheet by sheet, their rows. Raises ``BadData`` for what is no XLSX workbook."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._archive = archive.opened(file, limits)
        self._limits = limits
        main = next((target for kind, target, _ in self._relations("") if kind == "officeDocument"), None)
        if main is None or "[Content_Types].xml" not in self._archive.namelist():
            raise BadData("not-a-table", f"the file is a ZIP archive, but no XLSX workbook; {_SAVE}")
        if main.endswith(".bin"):
            raise BadData("not-a-table", f"the file is a binary workbook (.xlsb); {_SAVE}")
        parts = {identity: (kind, target) for kind, target, identity in self._relations(main)}
        by_kind = dict(parts.values())
        self.sheets: list[Sheet] = []
        self._from_1904 = False
        for name, attributes in self._elements(main, "workbookPr", "sheet"):
            if name == "workbookPr":
                self._from_1904 = attributes.get("date1904", "0") in ("1", "true")
            elif name == "sheet":
                kind, part = parts.get(attributes.get("id", ""), ("", ""))
                if kind == "worksheet":
                    hidden = attributes.get("state", "visible") != "visible"
                    self.sheets.append(Sheet(name=attributes.get("name", ""), part=part, hidden=hidden))
        if not self.sheets:
            raise BadData("not-a-table", f"the file holds no worksheet; {_SAVE}")
        self._styles = self._read_styles(by_kind.get("styles"))
        self._shared = self._read_shared(by_kind.get("sharedStrings"))

    def rows(self, sheet: Sheet) -> Iterator[tuple[int, Cells]]:
        """The rows that hold text, in order: row number and cells."""
        reader = SheetReader(sheet.name, self._limits, convert=self._convert)
        for _ in archive.parse(self._archive, sheet.part, reader.parser):
            yield from reader.rows
            reader.rows.clear()

    def _convert(self, kind: str, value: str, style: str | None) -> str:
        """The text of a cell; raises ``ValueError`` or ``IndexError`` where its content is impossible."""
        if kind == "s":
            at = int(value)
            if at < 0:
                raise IndexError(value)
            return self._shared[at]
        return value_text(kind, value, style=self._styles[int(style)] if style else "", from_1904=self._from_1904)

    def _elements(self, part: str, *wanted: str) -> list[tuple[str, dict[str, str]]]:
        """The elements with the wanted local names, in order, with their attributes by local name."""
        found: list[tuple[str, dict[str, str]]] = []

        def keep(name: str, attributes: dict[str, str]) -> None:
            if local(name) in wanted:
                found.append((local(name), {local(key): value for key, value in attributes.items()}))

        parser = expat.ParserCreate()
        parser.StartElementHandler = keep
        for _ in archive.parse(self._archive, part, parser):
            pass
        return found

    def _relations(self, part: str) -> list[tuple[str, str, str]]:
        """What a part refers to: kind, part and id of each."""
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if source not in self._archive.namelist():
            return []
        return [
            (
                relation.get("Type", "").rpartition(_RELATION)[2],
                posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
                relation.get("Id", ""),
            )
            for _, relation in self._elements(source, "Relationship")
            if relation.get("TargetMode") != "External"
        ]

    def _read_styles(self, part: str | None) -> list[str]:
        """For each cell style whether it shows a date, a time, a percentage or neither."""
        formats: dict[str, str] = {}
        styles: list[str] = []
        in_cells = False
        wanted = ("numFmt", "cellXfs", "xf", "cellStyles")
        for name, attributes in self._elements(part, *wanted) if part else ():
            if name == "numFmt":
                formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                in_cells = True
            elif name == "xf" and in_cells:
                number = attributes.get("numFmtId", "0")
                styles.append(style_of_format(number, formats.get(number)))
            elif name == "cellStyles":
                in_cells = False
        return styles or [""]

    def _read_shared(self, part: str | None) -> list[str]:
        """The texts that cells refer to by number, without the reading aids of Asian scripts."""
        reader = TextReader(self._limits)
        if part:
            for _ in archive.parse(self._archive, part, reader.parser):
                pass
        return reader.texts
