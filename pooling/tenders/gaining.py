"""What a member gains in a tender, in cash and with green valued, and whether it is worse off in either. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from pooling.planning.pool_views import Gain
from pooling.planning.rules import line_gain

TOLERANCE = 1e-6
"""Share by which rounding may put a sum beside its border, as the judge of plans allows."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lot's lines gain by: objects of ``pooling.instance/1``, the price, start and term of the lot."""

    offer: Mapping[str, Any]
    unit_price_eur: float
    start: str
    term_months: int
    policy: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gained:
    """What lines of one member gain, EUR over the term; ``spend``: paid for them today, EUR a year; ``worst``: the
    benefit of the line that is worst off, None where no line is worse off."""

    gain: Gain = field(default_factory=Gain)
    spend: float = 0.0
    worst: float | None = None

    def __add__(self, other: "Gained") -> "Gained":
        worst = [each for each in (self.worst, other.worst) if each is not None]
        return Gained(self.gain + other.gain, self.spend + other.spend, min(worst, default=None))

    @property
    def costs_more(self) -> bool:
        """Whether more is paid than today, all told."""
        return _below_zero(self.gain.cash_eur, self.spend)

    @property
    def worse_off(self) -> tuple[str, ...]:
        """``cash`` where it pays more than today all told, ``value`` where a line is worse off with green counted."""
        found = {"cash": self.costs_more, "value": self.worst is not None}
        return tuple(name for name, is_so in found.items() if is_so)


def gained(lines: Iterable[Mapping[str, Any]], terms: Terms) -> Gained:
    """What a member's lines gain in a lot: rule 5 of the optimisation model is judged line by line."""
    return sum((_line(line, terms) for line in lines), Gained())


def _line(line: Mapping[str, Any], terms: Terms) -> Gained:
    gain = line_gain(
        line,
        offer=terms.offer,
        unit_price_eur=terms.unit_price_eur,
        start=terms.start,
        term_months=terms.term_months,
        policy=terms.policy,
    )
    spend = line["quantity"] * line["unit_price_eur"]
    return Gained(gain, spend, gain.net_eur if _below_zero(gain.net_eur, spend) else None)


def _below_zero(benefit_eur: float, spend: float) -> bool:
    return benefit_eur < -TOLERANCE * max(1.0, float(spend))


def total(parts: Iterable[Gained]) -> float:
    """The net gain of all, EUR over the term."""
    return fsum(each.gain.net_eur for each in parts)
