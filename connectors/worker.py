"""The child process in which files of others are parsed: limits first, then the task, frames out as Arrow files.

Started by ``connectors.sandbox`` as ``python -m connectors.worker``. It reads its job as one JSON line on standard
input and answers in JSON lines on standard output; every further byte of input is leave to run one frame further ahead.
A task is a generator function of (arguments, folder) that yields frames and messages (dicts for JSON).
"""

import errno
import importlib
import json
import os
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from traceback import format_exception_only
from types import TracebackType
from typing import Any, BinaryIO, NoReturn

from connectors.errors import ConnectorError

AHEAD_FRAMES = 8  # how many frames may lie in the folder unread

Task = Callable[[Mapping[str, Any], Path], Iterator[Any]]


def main() -> None:
    """Do the one job, then wait for the parent to end this process.

    The parent owns the folder: only if it is gone (its end of standard input closed) is the folder removed here.
    """
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not end up among the answers
    line = sys.stdin.buffer.readline()
    if not line:
        _tidy_up(Path.cwd())
    job = json.loads(line)
    _limit(job["limits"])
    folder = Path(job["folder"])
    leave = threading.Semaphore(AHEAD_FRAMES)
    listener = threading.Thread(target=_listen, args=(leave, folder), daemon=True)
    listener.start()

    def confess(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        """Tell of a fault that nothing caught; where the parent is gone there is nobody to tell."""
        with suppress(OSError):
            _say(answers, fault="".join(format_exception_only(kind, error)).strip())
        listener.join()

    sys.excepthook = confess
    _work(job, folder=folder, leave=leave, answers=answers)
    listener.join()


def _work(job: Mapping[str, Any], *, folder: Path, leave: threading.Semaphore, answers: BinaryIO) -> None:
    try:
        _run(job, folder=folder, leave=leave, answers=answers)
    except ConnectorError as refusal:
        _say(answers, refusal={"kind": type(refusal).__name__, "code": refusal.code, "message": refusal.message})
    except MemoryError:
        _say(answers, out_of_memory=True)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        _say(answers, no_space=str(error.strerror))


def _limit(limits: Mapping[str, int]) -> None:
    """Bounds the kernel enforces: processor seconds, private memory, size of any file written, no core dump."""
    cpu_s = limits["cpu_s"]
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _set(kind, value, value)
    _set(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)  # a signal of its own at the first bound: the parent can tell


def _set(kind: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def _listen(leave: threading.Semaphore, folder: Path) -> None:
    while os.read(sys.stdin.fileno(), 1):
        leave.release()
    _tidy_up(folder)


def _tidy_up(folder: Path) -> NoReturn:
    """Remove the folder, against whatever still writes to it, and end."""
    for _ in range(1000):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
    os._exit(1)


def _run(job: Mapping[str, Any], *, folder: Path, leave: threading.Semaphore, answers: BinaryIO) -> None:
    module, _, name = job["task"].partition(":")
    task: Task = getattr(importlib.import_module(module), name)
    for number, result in enumerate(task(job["arguments"], folder)):
        if isinstance(result, dict):
            _say(answers, message=result)
            continue
        leave.acquire()
        path = folder / f"{number}.arrow"
        result.write_ipc(path)
        _say(answers, frame=path.name)
    _say(answers, end=True)


def _say(answers: BinaryIO, **what: Any) -> None:
    answers.write(json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
