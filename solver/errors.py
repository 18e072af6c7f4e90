"""Refusals of the solver. Running out of time is no error: it gives a plan with its bound."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where it is, what stands there, and what to do."""

    path: str
    value: object
    remedy: str

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.path}: {shown if len(shown) <= 80 else shown[:77] + '...'}: {self.remedy}"


class SolverError(Exception):
    """Anything the solver refuses."""


class InvalidInstance(SolverError):
    """The instance breaks its contract; ``faults`` names every place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type["InvalidInstance"], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class InvalidPlan(SolverError):
    """A plan document cannot be read."""
