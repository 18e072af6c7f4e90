"""What the law asks of a joint tender, as plain facts: frozen, checked at birth. Nothing here reads anything.

Amounts are whole EUR cents ex VAT. Quantities are base units over the whole term with options. Shares are 0 to 1.
None means "not known", never zero: a rule that needs it answers ``unknown``.
"""

from dataclasses import dataclass
from datetime import date

from pooling.law.days import moved

DEPTHS = ("dialogue", "criteria", "framework", "joint")
"""How far a tender goes together, the shallowest first: dialogue, criteria, framework, full joint tender."""
ASSOCIATE = "associate"
ROLES = ("lead", "member", ASSOCIATE)


class BadFacts(ValueError):
    """Facts that contradict themselves: a fault of whoever put them together."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body that signs for the lead: its law, language and complaint board become the tender's.

    Texts as in the reference data; "not verified" or "not stated" where nobody has looked them up.
    """

    code: str
    name: str
    country: str
    law: str
    language: str
    complaint_board: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """One buyer's quantity in one category over the term with options; ``maximum`` None: not set yet.

    ``exact``: the need was given without anything above what is expected, so that the maximum is no more than the
    estimate.
    """

    category: str
    estimate: int
    maximum: int | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        if self.estimate < 0 or (self.maximum is not None and self.maximum < 0):
            raise BadFacts(f"amount of {self.category}: {self.estimate} of at most {self.maximum}: give 0 or more")


@dataclass(frozen=True, slots=True)
class Supply:
    """The most that may be called off of one offer, base units a year, against the most that is offered a year."""

    offer: str
    most: int
    offered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """A member with what it would buy; ``role`` of `ROLES`. Values are over the term with options, but one a year.

    An associate is no contracting buyer: the lead signs for it.

    ``joined_on``: when its commitment was given; ``valid_to``: first day it no longer exists, then ``successor`` takes
    over. ``signing_body``: code of the body that signs for it, None where it cannot sign.
    """

    participant: str
    country: str
    contracting_authority: bool
    role: str = "member"
    signing_body: str | None = None
    value_per_year_cents: int | None = None
    value_cents: int | None = None
    maximum_value_cents: int | None = None
    amounts: tuple[Amount, ...] = ()
    joined_on: date | None = None
    valid_to: date | None = None
    successor: str | None = None

    def __post_init__(self) -> None:
        for name in ("value_per_year_cents", "value_cents", "maximum_value_cents"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise BadFacts(f"buyer {self.participant}: {name} is {value}: give 0 or more, or None")
        if self.role not in ROLES:
            raise BadFacts(f"buyer {self.participant}: role {self.role!r}: one of {ROLES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What is bought: CPV (8 digits, a check digit behind a hyphen is passed over); value over the term with options,
    the most that may be bought where it is known.

    ``suppliers``: with how many the agreement is to be made; ``offers``: products on offer, of as many suppliers at
    most. ``several_suppliers``: whether users need a choice; None: as the family says (`law.needs_several_suppliers`).
    ``green_criteria``: environmental criteria that are required in the specification. ``buying_share``: of the buyers
    together in what Nordic or EEA buyers buy of it.
    """

    id: str
    family: str
    cpv: str | None = None
    value_cents: int | None = None
    green_criteria: tuple[str, ...] = ()
    suppliers: int | None = None
    offers: int | None = None
    several_suppliers: bool | None = None
    buying_share: float | None = None

    def __post_init__(self) -> None:
        if self.buying_share is not None and not 0 <= self.buying_share <= 1:
            raise BadFacts(f"category {self.id}: buying share {self.buying_share}: give 0 to 1, or None")
        for name in ("suppliers", "offers"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise BadFacts(f"category {self.id}: {name} is {number}: give 0 or more, or None")
        if self.cpv is not None and not (self.cpv[:8].isdigit() and len(self.cpv.split("-")[0]) == 8):
            raise BadFacts(f"category {self.id}: CPV {self.cpv!r}: give eight digits")


@dataclass(frozen=True, slots=True)
class Talk:
    """A dialogue with the market: when it was held, and the categories it was about."""

    held_on: date
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderFacts:
    """All that the rules look at; ``depth`` of `DEPTHS`.

    ``lead``: participant that runs it, one of ``buyers``. ``term_months`` without ``option_months``. ``main_cpv`` None:
    the CPV of the category with the largest value. ``lots``: lots it is divided into; ``lot_reasons``: why it is not.
    ``term_reasons``: why it may last longer than four years. ``environment_weight``: share of the award criteria;
    ``environment_reasons``: why requirements are clearly better than that. ``agreement_signed``: of the buyers on
    responsibilities, law and organisation. ``central_government``: whether a buyer is a central government authority.
    ``frozen_on``: from then on nobody joins. ``notice_on``: planned day of the contract notice; ``start``: first day of
    the agreement. ``maximum_value_cents``: of the whole, over the term with options; less than the sum of the buyers'
    maxima, which are not all reached at once; None: that sum.
    """

    buyers: tuple[Buyer, ...]
    lead: str
    lead_body: Body | None
    categories: tuple[Category, ...]
    term_months: int
    start: date
    option_months: int = 0
    notice_on: date | None = None
    depth: str = "joint"
    main_cpv: str | None = None
    lots: int | None = None
    lot_reasons: str | None = None
    term_reasons: str | None = None
    environment_weight: float | None = None
    environment_reasons: str | None = None
    agreement_signed: bool | None = None
    central_government: bool | None = None
    frozen_on: date | None = None
    talks: tuple[Talk, ...] = ()
    supplies: tuple[Supply, ...] = ()
    maximum_value_cents: int | None = None

    def __post_init__(self) -> None:
        codes = [buyer.participant for buyer in self.buyers]
        if not codes or len(set(codes)) != len(codes):
            raise BadFacts(f"buyers {codes}: give each once, and at least one")
        if self.lead not in codes:
            raise BadFacts(f"lead {self.lead} is none of the buyers {codes}")
        if not self.categories:
            raise BadFacts("categories: give at least one")
        if self.term_months < 1 or self.option_months < 0:
            raise BadFacts(f"term {self.term_months} and options {self.option_months} months: give 1 and 0 or more")
        if self.depth not in DEPTHS:
            raise BadFacts(f"depth {self.depth!r}: one of {DEPTHS}")
        if self.maximum_value_cents is not None and self.maximum_value_cents < 0:
            raise BadFacts(f"maximum value {self.maximum_value_cents}: give 0 or more, or None")
        if self.environment_weight is not None and not 0 <= self.environment_weight <= 1:
            raise BadFacts(f"environment weight {self.environment_weight}: give 0 to 1, or None")

    @property
    def contracting(self) -> tuple[Buyer, ...]:
        """The buyers that sign."""
        return tuple(buyer for buyer in self.buyers if buyer.role != ASSOCIATE)

    @property
    def associates(self) -> tuple[Buyer, ...]:
        """Those that the lead signs for: named apart."""
        return tuple(buyer for buyer in self.buyers if buyer.role == ASSOCIATE)

    @property
    def countries(self) -> tuple[str, ...]:
        """Of the buyers, sorted."""
        return tuple(sorted({buyer.country for buyer in self.buyers}))

    @property
    def whole_term_months(self) -> int:
        """With options."""
        return self.term_months + self.option_months

    @property
    def ends_on(self) -> date:
        """The first day after the agreement with its options."""
        return moved(self.start, self.whole_term_months)

    @property
    def value_cents(self) -> int | None:
        """Over the term with options, the most that may be bought where it is known, else the estimate.

        None where a buyer's value is not known: a sum without it would be too small.
        """
        if self.maximum_value_cents is not None:
            return self.maximum_value_cents
        values = [
            buyer.value_cents if buyer.maximum_value_cents is None else buyer.maximum_value_cents
            for buyer in self.buyers
        ]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None
