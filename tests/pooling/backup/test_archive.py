"""The file of a backup: whatever is damaged in it, it is refused as a backup, or read as it was written."""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest

from pooling.backup.archive import FORMAT, BackupRefused, Manifest, TableEntry, new_member, opened, seal
from tests.zips import far_away

LINES = [b'["a", 1]\n', b'["b", 2]\n']


def backup(path: Path, packing: int = ZIP_DEFLATED) -> bytes:
    """A whole backup of one small table."""
    with ZipFile(path, "w", packing) as archive:
        with new_member(archive, "word") as member:
            for line in LINES:
                member.write(line)
        entry = TableEntry("word", ["name", "number"], len(LINES), member.sha256, "0")
        seal(archive, Manifest(FORMAT, "0001", datetime(2026, 11, 22, tzinfo=UTC), "sqlite", [entry]))
    return path.read_bytes()


def read(path: Path) -> list[bytes]:
    with opened(path) as archive:
        return [line for entry in archive.manifest.tables for line in archive.lines(entry)]


def directory(content: bytes) -> int:
    """Where the archive's directory begins."""
    return content.index(b"PK\x01\x02")


def test_a_whole_backup_is_read_as_it_was_written(tmp_path: Path) -> None:
    backup(tmp_path / "all.zip")
    assert read(tmp_path / "all.zip") == LINES


def test_any_damage_to_the_directory_is_refused_or_harmless(tmp_path: Path) -> None:
    path, chance, met = tmp_path / "all.zip", random.Random(7), Counter[str]()
    whole = backup(path)
    first = directory(whole)
    for place in range(first, len(whole)):
        for byte in (0x00, 0xFF, whole[place] ^ (1 << chance.randrange(8))):
            path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            try:
                assert read(path) == LINES
            except BackupRefused as refused:
                met[type(refused.__cause__).__name__] += 1
    assert met["BadZipFile"] > 100
    assert {"NotImplementedError", "NoneType"} <= set(met)


@pytest.mark.parametrize(
    ("flags", "version", "said"),
    [
        (0x01, 20, r"tables/word\.jsonl: packed or encrypted"),
        (0x20, 20, r"tables/word\.jsonl is damaged \(compressed patched data"),
        (0x40, 20, r"tables/word\.jsonl is damaged \(strong encryption"),
        (0x00, 255, r"not a whole backup \(zip file version 25\.5"),
    ],
)
def test_what_the_archive_asks_of_its_reader_in_vain_is_refused(
    tmp_path: Path, flags: int, version: int, said: str
) -> None:
    path = tmp_path / "all.zip"
    content = bytearray(backup(path))
    first = directory(content)
    content[first + 6], content[first + 8] = version, flags
    path.write_bytes(content)
    with pytest.raises(BackupRefused, match=said):
        read(path)


def test_another_way_of_packing_is_refused(tmp_path: Path) -> None:
    backup(tmp_path / "all.zip", ZIP_BZIP2)
    with pytest.raises(BackupRefused, match=r"manifest\.json: packed or encrypted as no backup is"):
        read(tmp_path / "all.zip")


def test_a_name_in_no_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    content = bytearray(backup(path))
    assert content[:4] == b"PK\x03\x04"
    content[7] |= 0x08  # names are UTF-8
    content[30] = 0xFF
    path.write_bytes(content)
    with pytest.raises(BackupRefused, match=r"tables/word\.jsonl is damaged \('utf-8' codec"):
        read(path)


def test_a_place_beyond_all_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(far_away(backup(path)))
    with pytest.raises(BackupRefused, match=r"tables/word\.jsonl is said to be outside the file"):
        read(path)
