"""The law of joint tenders: facts in, consequences out. Pure; the rules are data with source and dates."""

from pooling.law.evaluator import evaluate
from pooling.law.facts import DEPTHS, Amount, BadFacts, Body, Buyer, Category, Talk, TenderFacts
from pooling.law.quantities import maximum_quantity, maximum_value_cents
from pooling.law.records import needs_several_suppliers
from pooling.law.results import Applies, Consequence, Severity

__all__ = [
    "DEPTHS",
    "Amount",
    "Applies",
    "BadFacts",
    "Body",
    "Buyer",
    "Category",
    "Consequence",
    "Severity",
    "Talk",
    "TenderFacts",
    "evaluate",
    "maximum_quantity",
    "maximum_value_cents",
    "needs_several_suppliers",
]
