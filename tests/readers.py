"""Reading processes that are there at once: one process imports what they need, then forks one for each file.

Beside the start it is the product's own child (`connectors.worker`): its limits, folder, answers and end. Where the
start itself is the matter the fixture `started_anew` lets the product start it.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO

from connectors import sandbox, worker

ROOT = Path(__file__).parents[1]
_ORDER_BYTES = 4096
START = sandbox._start
"""How the product starts a child."""
FORKED = sys.platform == "linux"
"""Elsewhere there are no sockets that keep messages apart, and the product starts each child."""


class Forked:
    """What the sandbox needs of a `subprocess.Popen`."""

    def __init__(self, stdin: int, stdout: int, status: int) -> None:
        self.stdin, self.stdout = os.fdopen(stdin, "wb", buffering=0), os.fdopen(stdout, "rb", buffering=0)
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())

    def kill(self) -> None:
        """SIGKILL; one that has ended already is not there any more."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as `subprocess` gives it. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("connectors.worker", timeout or 0)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode


class Readers:
    """The process that forks, started with the environment that the sandbox gives its children."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def start(self, folder: Path, said: IO[bytes]) -> Forked:
        """In place of ``sandbox._start``: a child in the folder that says on ``said`` what goes wrong."""
        orders = self.open()
        told, stdin = os.pipe()
        stdout, answers = os.pipe()
        status, ended = os.pipe()
        socket.send_fds(orders, [str(folder).encode()], [told, answers, said.fileno(), ended])
        for mine in (told, answers, ended):
            os.close(mine)
        return Forked(stdin, stdout, status)

    def open(self) -> socket.socket:
        """The way to the process that forks, started where it is not there yet."""
        with self._lock:
            if self._orders is None:
                self._orders = self._opened()
            return self._orders

    def _opened(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            environment = {name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH") if name in os.environ}
            environment |= {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath}
            environment |= {"POLARS_MAX_THREADS": "1", "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-P", "-m", "tests.readers", str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
        return ours

    def close(self) -> None:
        """Fork no more."""
        if self._orders and self._process:
            self._orders.close()
            self._process.wait(30)


def _read(folder: str, descriptors: list[int]) -> None:
    """The child, as if started anew: its own session, its folder, its three descriptors."""
    os.setsid()
    os.chdir(folder)
    os.environ["TMPDIR"] = folder
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    try:
        worker.main()
    except BaseException:  # noqa: BLE001 as the interpreter does at its end
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _follow(folder: str, descriptors: list[int], ended: int) -> None:
    """Fork the child and tell its process id, then how it ended."""
    child = os.fork()
    if not child:
        os.close(ended)
        _read(folder, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    os.write(ended, b"%d\n" % child)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):
        os.write(ended, b"%d\n" % code)
    os._exit(0)


def main(orders: socket.socket) -> None:
    """Take orders until there are no more."""
    import_module("connectors.reading")
    assert threading.active_count() == 1, "threads of our own are lost in a fork"
    while True:
        folder, descriptors, *_ = socket.recv_fds(orders, _ORDER_BYTES, 4)
        if not folder:
            return
        if not os.fork():
            orders.close()
            _follow(folder.decode(), descriptors[:3], descriptors[3])
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
