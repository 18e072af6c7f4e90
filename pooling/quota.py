"""How many requests a principal may make: a window of a minute a process, told in the RateLimit headers of answers."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pooling.errors import PoolingError

WINDOW_S = 60
POLICY = "default"


class QuotaExceeded(PoolingError):
    """Whoever is asking has used up the requests of this minute; wait ``retry_after_s`` seconds."""

    code = "quota-exceeded"

    def __init__(self, message: str, state: "Quota") -> None:
        super().__init__(message)
        self.retry_after_s = state.seconds
        self.state = state


@dataclass(frozen=True, slots=True)
class Quota:
    """Where a principal stands after a request."""

    most: int
    left: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """As the draft standard for RateLimit headers has it."""
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self.most};w={WINDOW_S}',
            "RateLimit": f'"{POLICY}";r={self.left};t={self.seconds}',
        }


class Quotas:
    """Counts requests by principal; forgets all of them when the window ends, so that it never grows for long."""

    def __init__(self, most: int, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """``most``: requests a window; 0: without limit."""
        self._most = most
        self._seconds = seconds
        self._window = -1
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, principal: str) -> Quota | None:
        """Count one request; None where there is no limit. Raises QuotaExceeded."""
        if not self._most:
            return None
        now = self._seconds()
        with self._lock:
            window = int(now // WINDOW_S)
            if window != self._window:
                self._window = window
                self._used.clear()
            self._used[principal] += 1
            used = self._used[principal]
        left = WINDOW_S - int(now % WINDOW_S)
        state = Quota(self._most, max(0, self._most - used), left)
        if used > self._most:
            raise QuotaExceeded(f"{self._most} requests a minute are allowed; ask again in {left} seconds", state)
        return state
