"""Instances put to the solver side by side, each answered by a plan that the independent judge has passed."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from solver.baselines.by_rule import plan_at_once
from solver.check import check
from solver.checks import is_number, refuse
from solver.errors import Fault, RuleBroken
from solver.instance import Instance
from solver.plan import Plan
from solver.running.tasks import Runner, runner
from solver.solve import solve

GOOD_ENOUGH = 0.01
"""The proven gap to which plans are solved that are compared with each other."""
GENEROUS, LEAST_LIMIT_S = 3.0, 1e-3
"""A solve may take three times its even share of the time, so that work limits end it as a rule."""
OnDone = Callable[[str, int, int], None]
"""Told after each plan: what it is part of, how many of these are done, of how many."""


def nobody(_part: str, _done: int, _of: int) -> None:
    """Hears nothing."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the work may take; ``time_limit_s`` is for everything together, ``gap`` is where a plan is good enough."""

    time_limit_s: float
    workers: int
    seed: int
    gap: float

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        for name in ("time_limit_s", "gap"):
            value: object = getattr(self, name)
            if not is_number(value) or not value > 0:
                yield Fault(name, value, "give a finite number above 0")
        yield from whole(1, workers=self.workers)
        yield from whole(0, seed=self.seed)


def whole(lowest: int, most: int = 2**31 - 1, /, **fields: object) -> Iterator[Fault]:
    """A fault for each field that is no whole number from ``lowest`` to ``most``."""
    for name, value in fields.items():
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= most:
            yield Fault(name, value, f"give a whole number from {lowest} to {most}")


@dataclass(frozen=True, slots=True)
class Question:
    """An instance to solve: pure data, so that it can go to another process. ``ends_at``: seconds since the epoch.

    ``explained``: whether its plan has to say of every line left out why.
    """

    instance: Instance
    limit_s: float
    ends_at: float
    seed: int
    gap: float
    explained: bool


def answer(question: Question) -> Plan:
    """The judged plan of one question; raises `RuleBroken`."""
    left = question.ends_at - time.time()
    if left <= 0 and not question.explained:
        return judged(question.instance, plan_at_once(question.instance), explained=False)
    limit = max(LEAST_LIMIT_S, min(question.limit_s, left))
    plan = solve(question.instance, time_limit_s=limit, seed=question.seed, gap=question.gap)
    return judged(question.instance, plan)


class Solving:
    """Solves instances side by side; made by `solving`. The clock runs from its making."""

    def __init__(self, allowed: Allowance, running: Runner, on_done: OnDone) -> None:
        self._allowed, self._running, self._on_done = allowed, running, on_done
        self._ends_at = time.time() + allowed.time_limit_s

    def plans(self, part: str, instances: Sequence[Instance], *, share: float, explained: bool = True) -> list[Plan]:
        """A judged plan for each instance, all together in about ``share`` of the whole time limit.

        Each is solved by one worker, so plans do not depend on how many there are. ``part`` names them to ``on_done``.
        What comes too late for the limit is not left without a plan: it still gets a first one with a bound, or, where
        it need not be ``explained``, the greedy one.

        Raises `RuleBroken`.
        """
        allowed, count = self._allowed, len(instances)
        together = share * allowed.time_limit_s
        limit = min(together, GENEROUS * together * allowed.workers / max(1, count))
        questions = [
            Question(instance, limit, self._ends_at, allowed.seed, allowed.gap, explained) for instance in instances
        ]
        done: set[int] = set()

        def told(number: int, _plan: Plan) -> None:
            done.add(number)
            self._on_done(part, len(done), count)

        results = self._running.map(answer, questions, on_done=told, name=lambda _: part)
        return [plan for plan in results if plan is not None]  # none is missing: nothing here stops the runner


@contextmanager
def solving(allowed: Allowance, executor: Executor | None, on_done: OnDone = nobody) -> Iterator[Solving]:
    """A `Solving` on the executor handed in, which stays its owner's; without one on ``workers`` processes."""
    with runner(executor, workers=allowed.workers) as running:
        yield Solving(allowed, running, on_done)


def judged(instance: Instance, plan: Plan, *, explained: bool = True) -> Plan:
    """The plan if the judge finds nothing; raises `RuleBroken` with all it finds.

    ``explained``: whether the plan says of every line left out why; one that does not is judged on everything else.
    """
    violations = check(instance.to_document(), plan.to_document())
    found = [violation for violation in violations if explained or violation.rule != "unpooled"]
    if found:
        raise RuleBroken("\n".join(str(violation) for violation in found))
    return plan
