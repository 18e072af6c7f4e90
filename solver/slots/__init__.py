"""Slots for items: which slots to open and which item goes where, exactly or with a proven bound; `solve` answers."""

from solver.slots.problem import SlotAnswer, SlotProblem, single_source
from solver.slots.search import solve

__all__ = ["SlotAnswer", "SlotProblem", "single_source", "solve"]
