"""The encoding of a text file, found by content, and its bytes as UTF-8."""

import codecs
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.errors import BadData

CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to be read as UTF-8 from byte ``start`` of ``source`` on; the rest describes the original."""

    source: BinaryIO
    start: int
    encoding: str
    bytes: int
    sha256: str


@contextmanager
def as_utf8(file: BinaryIO, *, folder: Path, encoding: str | None) -> Iterator[Text]:
    """Find the encoding of ``file``; where it is not UTF-8, the text is a UTF-8 copy in ``folder``.

    A byte order mark decides; else valid UTF-8 is UTF-8; else it is Windows-1252. ``encoding`` states it instead.
    Raises ``BadData`` naming the place of a byte that fits nothing, or of a NUL, which no table has.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    marked = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    encoding, digest = _encoding(file, stated=encoding, marked=marked)
    if encoding == "utf-8":
        start = len(codecs.BOM_UTF8) if marked else 0
        yield Text(file, start, "utf-8 with BOM" if marked else encoding, size, digest)
    else:
        with _recoded(file, codec=encoding, folder=folder).open("rb") as copy:
            yield Text(copy, 0, encoding, size, digest)


def _encoding(file: BinaryIO, *, stated: str | None, marked: bool) -> tuple[str, str]:
    """The encoding, and the file's SHA-256."""
    file.seek(0)
    wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encoding = stated or ("utf-16" if wide else "utf-8")
    digest, fault = _survey(file, encoding)
    if fault is None:
        return encoding, digest
    if stated or wide or marked:
        raise fault
    _, worse = _survey(file, "cp1252")
    if worse:
        raise BadData("bad-encoding", f"{fault}; nor is it Windows-1252: {worse}")
    return "cp1252", digest


def _chunks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The file in parts, each with the place of its first byte; the file may be moved about in between."""
    at = 0
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield at, chunk
        at += len(chunk)
        file.seek(at)


def _survey(file: BinaryIO, codec: str) -> tuple[str, BadData | None]:
    """The file's SHA-256, and the first place where it is not in ``codec``."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(codec)()
    fault: BadData | None = None
    size = 0
    for at, chunk in _chunks(file):
        digest.update(chunk)
        size = at + len(chunk)
        if codec != "utf-16" and (nul := chunk.find(b"\0")) >= 0:
            raise BadData(
                "not-a-table",
                f"byte {at + nul + 1} is NUL, which no text has: the file is binary, or UTF-16 without its mark;"
                " save it as CSV in UTF-8, or as XLSX",
            )
        try:
            if fault is None:
                decoder.decode(chunk)
        except UnicodeDecodeError as error:
            fault = _misfit(file, at=at - len(decoder.getstate()[0]) + error.start, codec=codec)
    try:
        if fault is None:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        fault = _misfit(file, at=size - 1, codec=codec)
    return digest.hexdigest(), fault


def _misfit(file: BinaryIO, *, at: int, codec: str) -> BadData:
    line = _line(file, at)
    file.seek(at)
    value = file.read(1).hex()
    return BadData(
        "bad-encoding", f"line {line}, byte {at + 1} of the file (0x{value}) is not {codec}; save the file as UTF-8"
    )


def _line(file: BinaryIO, at: int) -> int:
    """The 1-based line of a byte; CR, LF and CRLF are one line end each."""
    ends = 0
    after_return = False
    for begin, whole in _chunks(file):
        chunk = whole[: max(0, at - begin)]
        ends += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
        ends -= after_return and chunk.startswith(b"\n")
        after_return = chunk.endswith(b"\r")
    return ends + 1


def _recoded(file: BinaryIO, *, codec: str, folder: Path) -> Path:
    copy = folder / "text.utf8"
    decoder = codecs.getincrementaldecoder(codec)()
    with copy.open("wb") as target:
        for _, chunk in _chunks(file):
            target.write(decoder.decode(chunk).encode("utf-8"))
        target.write(decoder.decode(b"", final=True).encode("utf-8"))
    return copy
