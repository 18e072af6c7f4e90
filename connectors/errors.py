"""What a source of demand can refuse, split by remedy: try again, fix access, fix the data, fix the plan."""

from typing import ClassVar

CODES: dict[str, str] = {
    # TryAgain
    "file-changed": "the file was written to while it was read",
    "cannot-start": "the reading process could not be started",
    "no-space": "the folder for temporary files has no room",
    # NoAccess
    "cannot-open": "the file or folder is missing, is no regular file, or may not be read",
    # BadData: the file as a whole
    "empty-file": "the file has no bytes, no cell with text, or no row below the header",
    "not-a-table": "the content is not CSV or XLSX, whatever its name says",
    "encrypted": "the workbook is protected by a password",
    "damaged": "the file is cut short or does not follow its own format",
    "bad-encoding": "a byte is neither UTF-8 nor Windows-1252, or not in the encoding that was stated",
    "too-large": "the file has more bytes than the limit",
    "inflates-too-much": "a compressed file unpacks to more bytes, parts or levels than the limit",
    "xml-entities": "an XML part declares entities or a document type",
    "too-many-rows": "more rows than the limit",
    "too-many-columns": "more columns than the limit",
    "cell-too-long": "a cell is longer than the limit, often because a quote is left open",
    "parser-killed": "reading the file needed more memory than the limit, or broke the reader",
    "parser-timeout": "reading the file took longer than the limit",
    # BadData: its rows and headers
    "bad-quotes": "a quoted cell is not closed, or text follows its closing quote",
    "broken-row": "consecutive rows look like one row that an unquoted line break cut in pieces",
    "ragged-row": "a row has more cells than there are headers",
    "no-header": "no row looks like a header, or the row that was stated has no text",
    "missing-column": "a mapped column has no header in the file",
    "duplicate-header": "a mapped header stands on more than one column",
    "blank-header": "a column with values has no header",
    "which-sheet": "the workbook has several sheets with content, or not the one that was stated",
    "ambiguous-decimal": "numbers such as 1.234 can be read in two ways and nothing in the file decides",
    "mixed-decimal": "two values contradict each other on decimal or thousands mark",
    # BadPlan
    "bad-cursor": "the cursor to resume from was not made by this source",
    "unknown-source": "there is no source of this name",
    "bad-plan": "the plan of columns contradicts itself or names an unknown column, encoding or mark",
}


class ConnectorError(Exception):
    """A refusal whose message names place, value and remedy; ``code`` is one of ``CODES`` and never changes meaning."""

    retry: ClassVar[bool] = False

    def __init__(self, code: str, message: str) -> None:
        if code not in CODES:
            raise ValueError(f"unknown refusal code {code!r}; declare it in connectors.errors.CODES")
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["ConnectorError"], tuple[str, str]]:
        return type(self), (self.code, self.message)


class TryAgain(ConnectorError):
    """Nothing is wrong with the data; the same call may succeed later."""

    retry = True


class NoAccess(ConnectorError):
    """Whoever runs the service must give a right path, permission or key."""


class BadData(ConnectorError):
    """Whoever sent the data must correct it, or the plan must say how it is to be read."""


class BadPlan(ConnectorError):
    """Whoever set the source up (its name, its plan of columns, its cursor) must correct that."""
