"""A ZIP file from others, opened only if it is honest about what it holds and small enough once unpacked."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from connectors.errors import BadData
from connectors.limits import Limits

PART_BYTES = 256 << 10
RATIO_FROM_BYTES = 10_000_000

_ENCRYPTED = 0x1
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError)
"""What `zipfile` raises for what is no sound archive. One bit can ask for what it does not implement (a later version,
patched or strongly encrypted data), or say that a name is in UTF-8 that is not."""


def opened(file: BinaryIO, limits: Limits) -> zipfile.ZipFile:
    """The archive. Raises ``BadData`` where it is damaged, encrypted, or declares more than the limits.

    What it declares binds: reading a part stops at its declared size and compares its checksum.
    """
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise _damaged(f"it starts like a ZIP but cannot be opened ({error})") from error
    entries = archive.infolist()
    if len(entries) > limits.zip_entries:
        raise BadData(
            "inflates-too-much", f"the file holds {len(entries)} parts, the limit is {limits.zip_entries}; {_FRESH}"
        )
    if len({entry.filename for entry in entries}) != len(entries):
        raise _damaged("two parts have the same name")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise BadData("encrypted", "parts of the file are encrypted; send it without a password")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise _damaged("a part is packed in a way workbooks are not")
    if any(entry.header_offset >= archive.start_dir for entry in entries):
        raise _damaged("a part is said to be where none can be")
    _refuse_overlap(entries)
    packed = sum(entry.compress_size for entry in entries)
    inflated = sum(entry.file_size for entry in entries)
    if inflated > limits.inflated_bytes:
        raise BadData(
            "inflates-too-much",
            f"the file unpacks to {inflated} bytes, the limit is {limits.inflated_bytes}; send it as CSV or in parts",
        )
    if inflated > RATIO_FROM_BYTES and inflated > limits.inflation_ratio * packed:
        raise BadData(
            "inflates-too-much",
            f"the file unpacks to {inflated // max(1, packed)} times its size, the limit is {limits.inflation_ratio};"
            f" {_FRESH}",
        )
    return archive


def chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The unpacked bytes of one part."""
    try:
        with archive.open(part) as source:
            while chunk := source.read(PART_BYTES):
                yield chunk
    except KeyError as error:
        raise _damaged(f"part {part} is missing") from error
    except DAMAGED as error:
        raise _damaged(f"part {part} cannot be unpacked ({error})") from error


def parse(archive: zipfile.ZipFile, part: str, parser: expat.XMLParserType) -> Iterator[None]:
    """Feed a part to ``parser``, pausing after each chunk. A document type, and so any entity, is refused."""

    def refuse(*_: object) -> None:
        raise BadData(
            "xml-entities",
            f"part {part} declares a document type, which spreadsheet programs never write; {_FRESH}",
        )

    parser.StartDoctypeDeclHandler = refuse
    try:
        for chunk in chunks(archive, part):
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        raise _damaged(f"part {part} is not well-formed ({error})") from error
    yield


def _refuse_overlap(entries: list[zipfile.ZipInfo]) -> None:
    """Parts that share bytes let a small archive unpack to any size."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise BadData("inflates-too-much", f"part {entry.filename} overlaps another; {_FRESH}")
        end = entry.header_offset + entry.compress_size


_FRESH = "open it in a spreadsheet program and save it anew as XLSX"


def _damaged(why: str) -> BadData:
    return BadData("damaged", f"the workbook is damaged: {why}; {_FRESH}, or send it again")
