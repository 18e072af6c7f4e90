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
        try:
            shown = repr(self.value)
        except (RecursionError, ValueError):  # nested too deeply, or a whole number of too many digits
            shown = f"<a {type(self.value).__name__} too large to show>"
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
    """A plan that cannot be read, or that breaks a rule of its instance; ``faults`` where places are named."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def naming(cls, faults: Iterable[Fault]) -> "InvalidPlan":
        """With every place that is wrong."""
        found = tuple(faults)
        refused = cls("\n".join(str(fault) for fault in found))
        refused.faults = found
        return refused


class WorkerLost(SolverError):
    """Nothing wrong with the input, but nowhere to run: a task ends its worker each time, or the executor is closed."""


class RuleBroken(SolverError):
    """The judge finds that a plan of the solver's own breaks a rule: a fault of the program, told and not hidden."""
