"""Runs a parsing task in a child process with limits and streams what it makes; nothing of it outlives the caller."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import polars as pl

from connectors import errors
from connectors.errors import BadData, ConnectorError, TryAgain
from connectors.limits import Limits

_ROOT = Path(__file__).parents[1]
_READ_BYTES = 1 << 16
_GRACE_S = 5.0


@dataclass(slots=True)
class Child:
    """A running task; its results come from ``results``, once, in order."""

    process: subprocess.Popen[bytes]
    folder: Path
    limits: Limits
    _waited_s: float = 0.0
    _unread: bytes = field(default=b"", repr=False)

    def results(self) -> Iterator[dict[str, Any] | pl.DataFrame]:
        """Messages and frames. Raises the task's refusal, or what became of a child that broke off."""
        while True:
            answer = self._answer()
            if answer is None:
                raise self._broken()
            if "end" in answer:
                shutil.rmtree(self.folder, ignore_errors=True)  # before the child, which guards it while we live
                _end(self.process)
                return
            if "frame" in answer:
                yield self._frame(answer["frame"])
            elif "message" in answer:
                yield answer["message"]
            else:
                raise self._refusal(answer)

    def _frame(self, name: str) -> pl.DataFrame:
        path = self.folder / name
        frame = pl.read_ipc(path.read_bytes())
        path.unlink()
        with suppress(BrokenPipeError):  # it has made its last frame and is gone
            _pipe(self.process.stdin).write(b".")
        return frame

    def _answer(self) -> dict[str, Any] | None:
        """The child's next line; None when it said no more. Raises ``parser-timeout`` when it takes too long."""
        source = _pipe(self.process.stdout).fileno()
        poll = select.poll()
        poll.register(source, select.POLLIN | select.POLLHUP)
        while b"\n" not in self._unread:
            began = time.monotonic()
            ready = poll.poll(max(0.0, self.limits.wall_s - self._waited_s) * 1000)
            self._waited_s += time.monotonic() - began
            if not ready:
                raise _timeout(f"{self.limits.wall_s} s")
            part = os.read(source, _READ_BYTES)
            if not part:
                return None
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return dict(json.loads(line))

    def _refusal(self, answer: Mapping[str, Any]) -> ConnectorError:
        if "no_space" in answer:
            return TryAgain(
                "no-space", f"temporary files: {answer['no_space']}; free some room where TMPDIR points, and try again"
            )
        if "out_of_memory" in answer:
            return _killed(f"it needed more than {self.limits.memory_bytes // 10**6} MB of memory")
        if "fault" in answer:
            return _killed(f"it failed with {answer['fault']}")
        said = answer["refusal"]
        kind: type[ConnectorError] = getattr(errors, said["kind"])
        return kind(said["code"], said["message"])

    def _broken(self) -> ConnectorError:
        """Why a child ended without a last word."""
        code = self._exit_code()
        if code == -signal.SIGXCPU:
            return _timeout(f"{self.limits.cpu_s} s of processor time")
        words = (self.folder / "stderr").read_text(errors="replace").strip().splitlines()
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        last = next((line.strip()[:200] for line in reversed(words) if not line.startswith("note:")), "no word")
        return _killed(f"it ended with {ended} within its {self.limits.memory_bytes // 10**6} MB of memory ({last})")

    def _exit_code(self) -> int:
        """How the child ended; one that closed its answers and stays is killed."""
        try:
            return self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def running(task: str, arguments: Mapping[str, Any], limits: Limits) -> Iterator[Child]:
    """Start ``task`` ("module:function", see ``connectors.worker``); it is killed and tidied up at the end."""
    with TemporaryDirectory(prefix="pooling-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / "stderr").open("wb") as said:
            process = _start(folder, said)
        try:
            with suppress(BrokenPipeError):  # a child that ended at once says why, or leaves its exit code
                _pipe(process.stdin).write(_job(task, arguments, limits=limits, folder=folder))
            yield Child(process=process, folder=folder, limits=limits)
        finally:
            _end(process)


def _start(folder: Path, said: IO[bytes]) -> subprocess.Popen[bytes]:
    """The child, with nothing of our environment but what Python needs, and out of reach of the terminal's Ctrl-C."""
    environment = {name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH") if name in os.environ} | {
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.defpath,
        "POLARS_MAX_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        "TMPDIR": str(folder),
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "connectors.worker"],
            bufsize=0,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    except OSError as error:
        raise TryAgain("cannot-start", f"the reading process could not be started: {error}; try again") from error


def _job(task: str, arguments: Mapping[str, Any], *, limits: Limits, folder: Path) -> bytes:
    bounds = {
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": 3 * max(limits.csv_bytes, limits.inflated_bytes),  # a character of cp1252 can take three in UTF-8
    }
    job = {"task": task, "arguments": arguments, "limits": bounds, "folder": str(folder)}
    return json.dumps(job).encode() + b"\n"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()
    _pipe(process.stdin).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 both were asked for as pipes
    return pipe


def _timeout(allowed: str) -> BadData:
    return BadData(
        "parser-timeout", f"reading the file took more than {allowed}; send it in parts, or raise the limit for it"
    )


def _killed(why: str) -> BadData:
    return BadData(
        "parser-killed", f"reading the file was stopped: {why}; send it in parts or as CSV, or raise the limit for it"
    )
