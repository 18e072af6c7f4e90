"""The whole of an instance."""

from dataclasses import dataclass

from solver.checks import refuse
from solver.instance.decided import FixedPool, Forbidden, Previous
from solver.instance.parts import Category, Line, Offer, Participant
from solver.instance.policy import Policy

LONGEST_USUAL_TERM = 48
"""Months; framework agreements last four years at most save in justified cases: Directive 2014/24/EU, Article 33(1)."""


@dataclass(frozen=True)
class Instance:
    """The whole question; references between the parts hold."""

    policy: Policy
    participants: tuple[Participant, ...]
    categories: tuple[Category, ...]
    offers: tuple[Offer, ...]
    lines: tuple[Line, ...]
    fixed: tuple[FixedPool, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    previous: tuple[Previous, ...] = ()

    def __post_init__(self) -> None:
        from solver.references import faults_between

        refuse(faults_between(self))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but unusual, in words."""
        terms = {"policy.term_months": self.policy.term_months}
        terms |= {f"categories[{c.id}].term_months": c.term_months for c in self.categories if c.term_months}
        return tuple(
            f"{path}: {months} months is longer than the four years of Directive 2014/24/EU, Article 33(1)"
            for path, months in terms.items()
            if months > LONGEST_USUAL_TERM
        )

    @classmethod
    def from_document(cls, document: object) -> "Instance":
        """Read ``pooling.instance/1``; raises `InvalidInstance` with every fault and its path."""
        from solver.reading import read_instance

        return read_instance(document)

    def to_document(self) -> dict[str, object]:
        """The instance as ``pooling.instance/1``, ready for JSON."""
        from solver.reading import write_instance

        return write_instance(self)
