"""The file of a backup, ``pooling.backup/1``: a ZIP with a file of rows a table, and a manifest that vouches for each.

manifest.json     format, schema revision, when and from which kind of database; per table: columns, how many rows,
                  SHA-256 of its file, sum of its content
manifest.sha256   of manifest.json
tables/NAME.jsonl a row a line, see `rows`
"""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import msgspec

from connectors.archive import DAMAGED
from pooling.errors import BadInput

FORMAT = "pooling.backup/1"
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LONGEST_MANIFEST = 10_000_000
PART_BYTES = 1 << 20
PACKINGS = (ZIP_STORED, ZIP_DEFLATED)
ENCRYPTED = 0x1


class BackupRefused(BadInput):
    """The file is no whole backup that can be restored here; the message says where it is not."""

    code = "backup-refused"


class TableEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the manifest says of a table."""

    name: str
    columns: list[str]
    rows: int
    sha256: str
    content: str

    @property
    def member(self) -> str:
        """Its file within the archive."""
        return f"tables/{self.name}.jsonl"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds, tables in an order in which they can be restored."""

    format: str
    revision: str
    made_at: datetime
    database: str
    tables: list[TableEntry]


class Member:
    """A table's file being written."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, line: bytes) -> None:
        """Add a line."""
        self._file.write(line)
        self._hash.update(line)

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()


@contextmanager
def new_member(archive: ZipFile, name: str) -> Iterator[Member]:
    """A file within the archive, to be written in lines."""
    info = zipfile.ZipInfo(f"tables/{name}.jsonl")
    info.compress_type = ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        yield Member(file)


def seal(archive: ZipFile, manifest: Manifest) -> None:
    """Write the manifest: the last thing, so that a backup that broke off has none."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    archive.writestr(MANIFEST, content)
    archive.writestr(SEAL, hashlib.sha256(content).hexdigest())


class Archive:
    """A backup that has been looked through: every byte of it is as it was written."""

    def __init__(self, file: ZipFile, path: Path, manifest: Manifest) -> None:
        self._file = file
        self._path = path
        self.manifest = manifest

    def lines(self, entry: TableEntry) -> Iterator[bytes]:
        """The rows of a table."""
        with self._file.open(entry.member) as member:
            yield from member


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The backup in the file, checked whole. Raises BackupRefused naming the place where it is damaged."""
    with _zip(path) as file:
        _check_directory(file, path)
        manifest = _manifest(file, path)
        for entry in manifest.tables:
            _check(file, path, entry)
        yield Archive(file, path, manifest)


def _zip(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except DAMAGED as broken:
        raise BackupRefused(f"{path}: not a whole backup ({broken}); take another one") from broken


def _check_directory(file: ZipFile, path: Path) -> None:
    """Each member is where members are, and packed as backups are; else reading it fails in ways without number."""
    for member in file.infolist():
        if member.compress_type not in PACKINGS or member.flag_bits & ENCRYPTED:
            raise BackupRefused(f"{path}: {member.filename}: packed or encrypted as no backup is; take another backup")
        if not 0 <= member.header_offset < file.start_dir:
            raise BackupRefused(f"{path}: {member.filename} is said to be outside the file; take another backup")


def _manifest(file: ZipFile, path: Path) -> Manifest:
    for name in (MANIFEST, SEAL):
        if name not in file.namelist():
            raise BackupRefused(f"{path}: {name} is missing: not a backup, or one that broke off; take another one")
        if file.getinfo(name).file_size > LONGEST_MANIFEST:
            raise BackupRefused(f"{path}: {name} is longer than any backup's; take another file")
    content, said = _read(file, path, MANIFEST), _read(file, path, SEAL)
    if hashlib.sha256(content).hexdigest().encode() != said:
        raise BackupRefused(f"{path}: {MANIFEST} is not as it was written; take another backup")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as wrong:
        raise BackupRefused(f"{path}: {MANIFEST}: {wrong}; this program reads {FORMAT}") from wrong
    if manifest.format != FORMAT:
        raise BackupRefused(f"{path}: format {manifest.format!r}; this program reads {FORMAT}")
    return manifest


def _read(file: ZipFile, path: Path, name: str) -> bytes:
    try:
        return file.read(name)
    except DAMAGED as broken:
        raise BackupRefused(f"{path}: {name} is damaged ({broken}); take another backup") from broken


def _check(file: ZipFile, path: Path, entry: TableEntry) -> None:
    """The table's file is there and as the manifest says."""
    found, lines = hashlib.sha256(), 0
    try:
        with file.open(entry.member) as member:
            while part := member.read(PART_BYTES):
                found.update(part)
                lines += part.count(b"\n")
    except KeyError as missing:
        raise BackupRefused(f"{path}: {entry.member} is missing; take another backup") from missing
    except DAMAGED as broken:
        raise BackupRefused(f"{path}: {entry.member} is damaged ({broken}); take another backup") from broken
    if found.hexdigest() != entry.sha256 or lines != entry.rows:
        raise BackupRefused(
            f"{path}: {entry.member} is not as it was written: {lines} rows, {entry.rows} were; take another backup"
        )
