"""What of a tender is judged, and how it then stands: its lots, its members and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Any

from pooling.cycles.rules import Depth
from pooling.tenders.rules import Answer

Z90 = NormalDist().inv_cdf(0.9)


class Short(StrEnum):
    """Why a tender does not hold."""

    BELOW_TIPPING = "below-tipping"
    TOO_FEW = "too-few-authorities"
    WORSE_OFF = "worse-off"
    WORSE_IN_CASH = "worse-off-in-cash"
    CHANGE = "change-proposed"
    ABOVE_SUPPLY = "above-supply"
    LEAD_OUT = "lead-out"
    LEAD_MAY_NOT = "lead-may-not"
    NOTHING_LEFT = "nothing-left"
    BY_LAW = "blocked-by-law"


@dataclass(frozen=True, slots=True)
class Range:
    """What a member commits to in a lot a year: ``low`` and ``high`` are its 10th and 90th percentiles."""

    low: int
    quantity: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.quantity <= self.high:
            raise ValueError(f"a range ascends from 0, got {self.low}, {self.quantity}, {self.high}")

    @property
    def deviation(self) -> float:
        """Standard deviation of the normal volume with these percentiles."""
        return (self.high - self.low) / (2 * Z90)


@dataclass(frozen=True, slots=True)
class AskedLot:
    """A lot as invited. ``offer`` and ``lines`` are objects of ``pooling.instance/1``; ``tier``: of the offer, whose
    price members were told; ``depths``: participant and depth of the lines that have one; ``said``: what members
    commit to or propose instead of their lines, by participant."""

    id: int
    category: str
    offer: Mapping[str, Any]
    tier: int
    term_months: int
    lines: tuple[Mapping[str, Any], ...]
    depths: tuple[tuple[str, str], ...]
    said: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class AskedMember:
    """A member as it is now. ``start``, ``criterion``: what it proposes instead; None: as asked."""

    participant: str
    country: str
    contracting_authority: bool
    may_lead: bool
    answer: Answer
    start: str | None = None
    criterion: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A tender to be judged; ``policy`` is that of the plan's instance."""

    start: str
    lead: str
    depth: str
    policy: Mapping[str, Any]
    lots: tuple[AskedLot, ...]
    members: tuple[AskedMember, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason for which it does not hold; ``missing`` base units a year, where a volume is short."""

    code: Short
    words: str
    lot: int | None = None
    participant: str | None = None
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class LotStanding:
    """A lot as answered. ``tier`` from 0, None with ``unit_price_eur`` where the tipping volume is not reached."""

    lot: int
    category: str
    quantity: int
    sure_quantity: float
    tipping_quantity: int
    tier: int | None
    unit_price_eur: float | None
    authorities: int
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """What a member gets, EUR over the term: in cash, and with what policy says that green is worth, both less bridging
    and the set-up cost of its lines.

    ``worse_off``: ``cash`` where it pays more than today all told, ``value`` where one of its lines is worse off with
    green counted. Lots below their tipping volume give nothing.
    """

    participant: str
    counted: bool
    quantity: int
    cash_eur: float
    valued_eur: float
    worse_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the tender holds with those who count. ``net_eur`` is over the term, less all costs of setting up."""

    faults: tuple[Fault, ...]
    depth: Depth
    lots: tuple[LotStanding, ...]
    members: tuple[MemberStanding, ...]
    net_eur: float

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults
