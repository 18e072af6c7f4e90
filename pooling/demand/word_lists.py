"""The files that a mapping is made of: the mapping itself and the CSV word lists beside it, under one hash."""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pooling.demand.keys import Keys
from pooling.errors import BadSetting
from pooling.reference.words import same

MAX_BYTES = 20_000_000


class Files:
    """Reads files in ``folder`` and takes their bytes into one hash, which begins with ``first``.

    With ``lists`` (text by name) nothing is read from the disk: a mapping that came over HTTP names no files of ours.
    """

    def __init__(self, folder: Path, first: bytes = b"", lists: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._lists = lists
        self._hash = hashlib.sha256(first)

    @property
    def sha256(self) -> str:
        """The hash of all that has been read, in hexadecimal."""
        return self._hash.hexdigest()

    def text(self, name: str) -> str:
        """A file's text; raises BadSetting where it cannot be read, is too large, or is no UTF-8."""
        content = read_bytes(self.folder / name) if self._lists is None else self._given(name, self._lists)
        self._hash.update(framed(content))
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise BadSetting(f"{name}: byte {wrong.start} is not UTF-8; save it as CSV in UTF-8") from wrong

    def _given(self, name: str, lists: Mapping[str, str]) -> bytes:
        if name not in lists:
            known = f"those that did are {', '.join(sorted(lists))}" if lists else "none did"
            raise BadSetting(f"{name} did not come with the mapping; {known}")
        return lists[name].encode()


def read_bytes(path: Path) -> bytes:
    """The bytes of a mapping or list; raises BadSetting where it cannot be read or is too large to be one."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadSetting(f"{path.name} is larger than {MAX_BYTES} bytes; is it a mapping? Give the right file")
        return path.read_bytes()
    except OSError as wrong:
        raise BadSetting(f"{path} cannot be read: {wrong.strerror}; give a file beside the mapping") from wrong


def framed(content: bytes) -> bytes:
    """Bytes as they are hashed: behind their length, so that no two sets of files run into the same."""
    return len(content).to_bytes(8, "big") + content


def word_list(keys: Keys, files: Files, second: str) -> dict[str, str]:
    """Words of the CSV file named under ``file``: a header ``word`` and ``second``, comma or semicolon."""
    name = keys.text("file")
    if name is None:
        return {}
    try:
        text = files.text(name)
    except BadSetting as wrong:
        keys.fault("file", str(wrong))
        return {}
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",", strict=True)
    try:
        return _words(keys, name, rows, second)
    except csv.Error as wrong:
        keys.fault("file", f"{name} row {rows.line_num}: no row of a table ({wrong}); save it as CSV")
        return {}


def _words(keys: Keys, name: str, rows: "csv.DictReader[str]", second: str) -> dict[str, str]:
    if rows.fieldnames is None or not {"word", second} <= set(rows.fieldnames):
        keys.fault("file", f"{name}: the first row must name the columns word and {second}")
        return {}
    found: dict[str, str] = {}
    meant: dict[str, str] = {}
    for row in rows:
        word, meaning = row["word"], row[second]
        if not word or not meaning:
            keys.fault("file", f"{name} row {rows.line_num}: word and {second} must both be given")
        elif meant.setdefault(same(word), meaning) != meaning:
            keys.fault("file", f"{name} row {rows.line_num}: {word!r} stands twice with two meanings; keep one")
        else:
            found[word] = meaning
    return found
