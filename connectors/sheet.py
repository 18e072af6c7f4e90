"""The XML parts of a workbook that hold its texts and cells, read as they stream by."""

import re
from collections.abc import Callable
from xml.parsers import expat

from connectors.cells import unescaped
from connectors.columns import letter
from connectors.errors import BadData
from connectors.limits import Limits

Cells = dict[int, str]  # 0-based column to text; blank cells are absent

MAX_ROW = 1_048_576


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


class TextReader:
    """Collects the shared texts: ``si`` elements, whose ``t`` elements are joined."""

    def __init__(self, limits: Limits) -> None:
        self.texts: list[str] = []
        self._limit = limits.cell_chars
        self._pieces: list[str] = []
        self._size = 0
        self._aid = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "si":
            self._pieces.clear()
            self._size = 0
        elif name == "rPh":
            self._aid = True
        elif name == "t" and not self._aid:
            self.parser.CharacterDataHandler = self._text

    def _text(self, data: str) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise BadData(
                "cell-too-long",
                f"text {len(self.texts) + 1} of the workbook has more than {self._limit} characters; shorten it",
            )

    def _end(self, name: str) -> None:
        name = local(name)
        if name == "t":
            self.parser.CharacterDataHandler = None
        elif name == "rPh":
            self._aid = False
        elif name == "si":
            self.texts.append(unescaped("".join(self._pieces)))


class SheetReader:
    """Turns the XML of one sheet into rows; those finished so far are in ``rows``."""

    def __init__(self, name: str, limits: Limits, *, convert: Callable[[str, str, str | None], str]) -> None:
        self.rows: list[tuple[int, Cells]] = []
        self._sheet = name
        self._limits = limits
        self._convert = convert
        self._row = 0
        self._column = -1
        self._cells: Cells = {}
        self._kind = "n"
        self._style: str | None = None
        self._value: str | None = None
        self._formula: str | None = None
        self._pieces: list[str] = []
        self._size = 0
        self._letters: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name not in self._names:
            self._names[name] = local(name)
        name = self._names[name]
        if name == "c":
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s")
            self._value = self._formula = None
            self._column = self._place(attributes["r"]) if "r" in attributes else self._column + 1
        elif name in ("v", "t", "f"):
            self._pieces.clear()
            self._size = 0
        elif name == "row":
            number = attributes.get("r", "")
            before, self._row = self._row, int(number) if number.isdigit() else self._row + 1
            if not before < self._row <= MAX_ROW:
                raise self._damaged(f"row {self._row} follows row {before}")
            self._column = -1

    def _text(self, data: str) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._limits.cell_chars:
            raise BadData(
                "cell-too-long",
                f"{self._where()}: the cell has more than {self._limits.cell_chars} characters; shorten it",
            )

    def _end(self, name: str) -> None:
        name = self._names[name]
        if name == "c":
            self._end_cell()
        elif name == "v":
            self._value = "".join(self._pieces)
        elif name == "t":
            self._value = (self._value or "") + unescaped("".join(self._pieces))
        elif name == "f":
            self._formula = "".join(self._pieces)
        elif name == "row" and self._cells:
            self.rows.append((self._row, self._cells))
            self._cells = {}

    def _end_cell(self) -> None:
        if self._value:
            try:
                text = self._convert(self._kind, self._value, self._style)
            except (ValueError, IndexError, ArithmeticError) as error:
                raise self._damaged(f"{self._where()}: {self._value[:80]!r} cannot be its content") from error
        elif self._formula:
            text = f"={self._formula}"  # never calculated: shown as it is, so that no check takes it for a blank
        else:
            return
        if text.strip():
            self._cells[self._column] = text

    def _place(self, reference: str) -> int:
        """The 0-based column of a cell reference such as AB12."""
        letters = reference.rstrip("0123456789")
        if letters not in self._letters:
            if not re.fullmatch("[A-Z]{1,3}", letters):
                raise self._damaged(f"{reference!r} is no place of a cell")
            number = 0
            for each in letters:
                number = number * 26 + ord(each) - ord("A") + 1
            self._letters[letters] = number - 1
        column = self._letters[letters]
        if column >= self._limits.columns:
            self._refuse_wide(column)
        return column

    def _refuse_wide(self, column: int) -> None:
        raise BadData(
            "too-many-columns",
            f"sheet {self._sheet!r}, row {self._row}: a cell stands in column {letter(column)} ({column + 1}),"
            f" the limit is {self._limits.columns}; delete what is right of the table",
        )

    def _where(self) -> str:
        return f"sheet {self._sheet!r}, row {self._row}, column {letter(self._column)}"

    def _damaged(self, why: str) -> BadData:
        return BadData("damaged", f"sheet {self._sheet!r} is damaged: {why}; save it anew in a spreadsheet program")
