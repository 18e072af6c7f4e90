"""JSON documents of the command line: read strictly, every fault of the text told; written whole."""

import errno
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from solver.errors import Fault, SolverError

STANDARD = "-"
"""Standard input, or standard output."""
NO_OTHER_FILE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV, errno.EROFS, errno.ENAMETOOLONG)
"""What a folder says that lets a file be written but none be made beside it or put in its place."""


class Unreadable(SolverError):
    """A file that cannot be read or written, or that is no JSON."""


class _Repeating(dict[str, object]):
    """An object in which names stand more than once; JSON keeps the last, this keeps the names too."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]


def read(path: str) -> object:
    """What the file, or standard input, holds as JSON in UTF-8; raises `Unreadable`."""
    try:
        raw = sys.stdin.buffer.read() if path == STANDARD else Path(path).read_bytes()
    except (OSError, ValueError) as unread:
        raise Unreadable(f"{path}: cannot be read: {unread}") from unread
    try:
        repeating: list[_Repeating] = []
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=lambda pairs: _object(pairs, repeating))
    except UnicodeDecodeError as wrong:
        raise Unreadable(f"{path}: not UTF-8 at byte {wrong.start}: save it as UTF-8") from wrong
    except RecursionError as deep:
        raise Unreadable(f"{path}: not JSON that can be used: nested too deeply") from deep
    except ValueError as wrong:
        raise Unreadable(f"{path}: not JSON: {wrong}") from wrong
    if repeating:
        twice = (Fault(place, name, "name each field once") for place, name in _repeated(document))
        raise Unreadable("\n".join(f"{path}: {fault}" for fault in twice))
    return document


def _object(pairs: list[tuple[str, object]], repeating: list[_Repeating]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating.append(_Repeating(pairs))
    return repeating[-1]


def _repeated(document: object) -> Iterator[tuple[str, str]]:
    """(path, name) of every field that stands more than once in its object, in the order of the document."""
    ahead = [("", document)]
    while ahead:
        place, value = ahead.pop()
        if isinstance(value, _Repeating):
            yield from ((f"{place}.{name}".lstrip("."), name) for name in value.repeated)
        if isinstance(value, dict):
            inner = [(f"{place}.{name}".lstrip("."), one) for name, one in value.items()]
        else:
            inner = [(f"{place}[{k}]", one) for k, one in enumerate(value)] if isinstance(value, list) else []
        ahead += ((where, one) for where, one in reversed(inner) if isinstance(one, dict | list))


def writable(path: str) -> None:
    """Refuses a place where nothing can be written, before the work that is to be written there."""
    if path != STANDARD and not Path(path).absolute().parent.is_dir():
        raise Unreadable(f"{path}: cannot be written: its folder does not exist")
    if path != STANDARD and Path(path).is_dir():
        raise Unreadable(f"{path}: cannot be written: it is a folder")


def write(path: str, document: Mapping[str, object]) -> None:
    """The document as JSON, to the file or standard output; raises `Unreadable`."""
    try:
        text = json.dumps(document, indent=1, allow_nan=False) + "\n"
        if path == STANDARD:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            _write_whole(Path(path), text)
    except BrokenPipeError:
        raise  # whoever read the output has gone: nothing to say, and nobody to say it to
    except (OSError, ValueError) as unwritten:
        raise Unreadable(f"{path}: cannot be written: {unwritten}") from unwritten


def _write_whole(path: Path, text: str) -> None:
    """All of the text or, where writing is broken off, what stood there before.

    It is written beside the file and put in its place at once; directly where that cannot be done: to a device or a
    pipe, or where the folder allows no other file.
    """
    target = path.resolve()
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    if target.is_file() or not target.exists():
        try:
            part.write_text(text, encoding="utf-8")
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
            return
        except OSError as refused:
            if refused.errno not in NO_OTHER_FILE:
                raise
        finally:
            part.unlink(missing_ok=True)
    target.write_text(text, encoding="utf-8")


def say(stream: TextIO, text: str) -> None:
    """A line for people; what the stream's encoding does not have is shown by its escape."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
