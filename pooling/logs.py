"""Structured logs: one JSON object a line, with the request's id. Never secrets, prices or volumes.

Of a failure its kinds and places are logged, not its message: a message can hold what somebody sent.
"""

import logging
import threading
import time
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

REQUESTS = "pooling.requests"
"""Logger of requests: a line each."""
FIELDS = "fields"
"""Name under which a record carries its fields: ``LOG.info("request", extra={FIELDS: {...}})``."""
GATHERED_S = 0.02
"""Seconds that a line of a request may wait for others to be written with it."""


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level, logger, message, the record's fields, and of a failure the kinds and places."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["failure"] = failure(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


class Gathering:
    """A stream whose text is written on together, within `GATHERED_S`, by a thread: no request waits for its reader."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._kept: list[str] = []
        self._come = threading.Event()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def write(self, text: str) -> None:
        """Keep it, to be written soon."""
        self._kept.append(text)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="log", daemon=True)
            self._writer.start()
        self._come.set()

    def flush(self) -> None:
        """Nothing: `write_out` writes."""

    def write_out(self) -> None:
        """Write what is kept; the lock keeps lines whole and in order."""
        with self._lock:
            kept, self._kept = self._kept, []
            if kept:
                self._to.write("".join(kept))
                self._to.flush()

    def _write(self) -> None:
        while True:
            self._come.wait()
            time.sleep(GATHERED_S)
            self._come.clear()
            self.write_out()


class GatheringHandler(logging.StreamHandler[Gathering]):
    """Writes lines together; what is more than information is written at once, with what came before it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(Gathering(stream))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, to be written soon."""
        super().emit(record)
        if record.levelno > logging.INFO:
            self.stream.write_out()


def write_out() -> None:
    """Write what is still kept of the requests' lines: before a process ends."""
    for handler in logging.getLogger(REQUESTS).handlers:
        if isinstance(handler, GatheringHandler):
            handler.stream.write_out()


def failure(error: BaseException) -> list[dict[str, Any]]:
    """The kinds of an exception and of what caused it, each with where it was raised; no messages."""
    found: list[dict[str, Any]] = []
    each: BaseException | None = error
    while each is not None and len(found) < 5:
        frames = traceback.extract_tb(each.__traceback__)
        kind = f"{type(each).__module__}.{type(each).__qualname__}"
        found.append({"kind": kind, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]})
        each = each.__cause__ or each.__context__
    return found


def config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig` and uvicorn: everything as JSON on standard error; requests are logged by us."""
    own = {"handlers": ["lines"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"},
            "gathered": {"()": GatheringHandler, "formatter": "json", "stream": "ext://sys.stderr"},
        },
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {
            "pooling": own,
            REQUESTS: {**own, "handlers": ["gathered"]},
            "uvicorn": {**own, "level": "INFO"},
            "uvicorn.error": {"level": "INFO"},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }
