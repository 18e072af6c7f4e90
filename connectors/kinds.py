"""Which format a file has by its content; its name is not asked."""

from typing import BinaryIO

from connectors.errors import BadData

CSV = "csv"
XLSX = "xlsx"
HEAD_BYTES = 4096

_OLE_BYTES = 64 << 20  # how far into an old Office file its kind is looked for
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "save it as XLSX or CSV and send that"
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<table", "an HTML table"),
    (b"<?xml", "an XML document"),
)


def kind(file: BinaryIO) -> str:
    """``CSV`` or ``XLSX``. Raises ``BadData`` for what is neither, saying what it is; leaves the file at its start.

    Any ZIP passes as XLSX here: the workbook reader looks inside.
    """
    head = file.read(HEAD_BYTES)
    if not head:
        raise BadData("empty-file", "the file has no bytes; send it again")
    if head.startswith(_OLE):
        raise _old_office(head + file.read(_OLE_BYTES))
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return XLSX
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for found in (*_FOREIGN, *_MARKUP):
        signature, name = found
        if (text if found in _MARKUP else head).startswith(signature) and not _is_text(head, signature):
            raise BadData("not-a-table", f"the file is {name}, not a table; {_SAVE_AS}")
    return CSV


def _is_text(head: bytes, signature: bytes) -> bool:
    """Whether two plain letters that open a program or archive only open a table here ("MZ;12;...")."""
    return len(signature) <= 4 and signature.isalnum() and signature != b"PAR1" and head.isascii() and b"\0" not in head


def _old_office(content: bytes) -> BadData:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return BadData("encrypted", f"the workbook is protected by a password; remove it, {_SAVE_AS}")
    return BadData("not-a-table", f"the file is in an old Office format (.xls, .doc); {_SAVE_AS}")
