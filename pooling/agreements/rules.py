"""What a buyer may still call off, and when it is warned: pure.

Quantities are whole base units, all over the whole term of the agreement. Values are added up in millionths of EUR and
held against a maximum in cents, to the nearest one: so a maximum can be used up to its last unit at the agreed price.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from pooling.errors import BadFields, WrongState
from pooling.planning.rules import first_day, shifted
from pooling.reference.rules import ParticipantRecord

WARN_FROM = Fraction(80, 100)
"""Share of the estimate from which a buyer is warned, in quantity or value: early enough to tender anew, which takes
nine months at the least, before the last fifth is used up. Our judgement; the law knows the maximum alone."""
MICRO_IN_CENT = 10_000
LARGEST = 10**15
"""Most of a quantity, and of a value in cents, that is taken in."""


class MaximumReached(WrongState):
    """The agreement has less left than was to be called off; beyond its maximum it has no effect (CJEU C-23/20)."""

    code = "maximum-reached"


class Standing(StrEnum):
    """Where a buyer or a lot stands, by the further gone of quantity and value."""

    WITHIN = "within"
    NEAR_ESTIMATE = "near-estimate"
    ABOVE_ESTIMATE = "above-estimate"
    MAXIMUM_REACHED = "maximum-reached"


@dataclass(frozen=True, slots=True)
class Amounts:
    """A quantity and its value."""

    quantity: int = 0
    value_micro: int = 0

    @property
    def value_minor(self) -> int:
        """The value in cents, half a cent up."""
        return (self.value_micro + MICRO_IN_CENT // 2) // MICRO_IN_CENT

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.quantity + other.quantity, self.value_micro + other.value_micro)

    def exceeds(self, other: "Amounts") -> bool:
        """Whether either is more."""
        return self.quantity > other.quantity or self.value_minor > other.value_minor


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a buyer, or all of a lot together, may call off, and has."""

    estimate: Amounts
    maximum: Amounts
    called_off: Amounts

    @property
    def left(self) -> Amounts:
        """Up to the maximum, the value in whole cents."""
        done, most = self.called_off, self.maximum
        return Amounts(most.quantity - done.quantity, (most.value_minor - done.value_minor) * MICRO_IN_CENT)

    @property
    def standing(self) -> Standing:
        """At the maximum nothing more can be ordered; above the estimate begins one unit or cent beyond it."""
        done, estimate = self.called_off, self.estimate
        if done.quantity >= self.maximum.quantity or done.value_minor >= self.maximum.value_minor:
            return Standing.MAXIMUM_REACHED
        if done.exceeds(estimate):
            return Standing.ABOVE_ESTIMATE
        near = done.quantity >= WARN_FROM * estimate.quantity or done.value_minor >= WARN_FROM * estimate.value_minor
        return Standing.NEAR_ESTIMATE if near else Standing.WITHIN

    @property
    def beyond(self) -> bool:
        """Whether more was called off than may be."""
        return self.called_off.exceeds(self.maximum)

    def with_more(self, more: Amounts) -> "Allowance":
        """After ``more`` was called off."""
        return Allowance(self.estimate, self.maximum, self.called_off + more)


@dataclass(frozen=True, slots=True)
class Term:
    """The days on which can be called off of a lot: ``starts_on`` up to, not including, ``ends_before``."""

    starts_on: date
    ends_before: date

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day < self.ends_before

    def checked(self, made_on: date | None, *, today: date) -> date:
        """The day of a call-off (None: ``today``); raises BadFields where it lies outside, or after today."""
        day = made_on or today
        if day > today:
            told = f"{day}: it is {today} where the agreement's cycle is run; enter a call-off once it is made"
            raise BadFields([("#/made_on", "out-of-range", told)])
        if day not in self:
            told = f"{day}: call-offs are made from {self.starts_on} up to, not including, {self.ends_before}"
            raise BadFields([("#/made_on", "out-of-range", told)])
        return day


def term_of(start: str, term_months: int) -> Term:
    """Of a lot that starts with the month ``start`` (``YYYY-MM``)."""
    return Term(first_day(start), first_day(shifted(start, term_months)))


def amounts_of(quantity: int | None, value_minor: int | None) -> Amounts:
    """A quantity and a value in cents; what is not given is 0."""
    return Amounts(quantity or 0, (value_minor or 0) * MICRO_IN_CENT)


def counted_for(
    code: str, participants: Mapping[str, ParticipantRecord], *, holders: Collection[str] = ()
) -> frozenset[str]:
    """Whose call-offs count against a participant's place in a lot: its own, and those of the participants whose
    successor it is, and of their predecessors; not of ``holders``, who hold a place of their own in the lot."""
    found = {code}
    while more := {key for key, record in participants.items() if record.successor in found} - found - set(holders):
        found |= more
    return frozenset(found)
