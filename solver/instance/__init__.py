"""The frozen input: what `optimisation-model` calls an instance. Nothing after its birth checks it again.

Money is EUR, quantities are whole base units per year, months are ``YYYY-MM``. A part refuses what is wrong within
itself, an `Instance` what is wrong between its parts; both raise `InvalidInstance` with every fault they find.
"""

from solver.instance.decided import FixedLot, FixedPool, Forbidden, Previous
from solver.instance.parts import Category, Line, Offer, Participant, Tier
from solver.instance.policy import Policy
from solver.instance.whole import Instance

SCHEMA = "pooling.instance/1"

__all__ = [
    "SCHEMA",
    "Category",
    "FixedLot",
    "FixedPool",
    "Forbidden",
    "Instance",
    "Line",
    "Offer",
    "Participant",
    "Policy",
    "Previous",
    "Tier",
]
