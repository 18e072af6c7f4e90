"""Which demand lines should go to market together: an instance in, a judged plan out."""

from solver.errors import Fault, InvalidInstance, InvalidPlan, SolverError
from solver.instance import Instance
from solver.plan import Plan, Progress
from solver.solve import solve

__all__ = ["Fault", "Instance", "InvalidInstance", "InvalidPlan", "Plan", "Progress", "SolverError", "solve"]
