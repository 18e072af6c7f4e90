"""The independent judge: recomputes every rule, figure and total of a plan from the raw instance.

It shares no code with the model; design and wording follow the contract of ``solver/`` alone. A plan document may be
anything: what cannot be read is a violation with its path, never an exception.
"""

from solver.check.judge import RULES, check
from solver.check.violation import Violation

__all__ = ["RULES", "Violation", "check"]
