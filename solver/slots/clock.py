"""The time limit of a search and the seed of whatever is drawn."""

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """``ended``: the limit was met while there was something left to do."""

    deadline: float
    seed: int
    ended: bool = False

    def remaining_s(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def over(self) -> bool:
        self.ended = self.ended or not self.remaining_s()
        return self.ended
