"""What holds in planning, whatever keeps it: months, the timetable of a joint tender, and what a pooled line gains."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

from pooling.planning.pool_views import Gain

SHORTEST_DIALOGUE = timedelta(weeks=6)  # suppliers asked for six weeks to comment (sykehusinnkjop.no, 2018)


def is_month(text: object) -> bool:
    """Whether ``text`` is a zero-padded ``YYYY-MM``."""
    return isinstance(text, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) is not None


def offset(month: str, origin: str) -> int:
    """Months from ``origin`` to ``month``; negative before it."""
    return (int(month[:4]) - int(origin[:4])) * 12 + int(month[5:]) - int(origin[5:])


def shifted(month: str, months: int) -> str:
    """The month so many months later, or earlier below 0."""
    total = int(month[:4]) * 12 + int(month[5:]) - 1 + months
    return f"{total // 12:04d}-{total % 12 + 1:02d}"


def month_after(day: date, months: int) -> str:
    """The first month that begins no earlier than so many months after ``day``."""
    return shifted(day.isoformat()[:7], months + (day.day > 1))


def first_day(month: str) -> date:
    """The day a month begins."""
    return date(int(month[:4]), int(month[5:]), 1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """How a lead time is divided, in parts: dialogue, procedure from notice to award, transition to the start."""

    dialogue: int
    procedure: int
    transition: int


@dataclass(frozen=True, slots=True)
class Milestones:
    """When a pool's steps are due: dialogue opens, the notice is out, the award is made, deliveries start."""

    dialogue_from: date
    notice_by: date
    award_by: date
    starts_on: date

    @property
    def dialogue_is_short(self) -> bool:
        """Whether suppliers get less than six weeks to comment before the notice."""
        return self.notice_by - self.dialogue_from < SHORTEST_DIALOGUE


def milestones(start: str, *, lead_time_months: int, timetable: Timetable) -> Milestones:
    """The dates of a pool that starts with the month ``start``: the lead time before it, divided by the timetable."""
    starts_on, dialogue_from = first_day(start), first_day(shifted(start, -lead_time_months))
    days = (starts_on - dialogue_from).days
    whole = timetable.dialogue + timetable.procedure + timetable.transition

    def before(parts: int) -> date:
        return starts_on - timedelta(days=ceil(Fraction(days * parts, whole)))

    return Milestones(
        dialogue_from=dialogue_from,
        notice_by=before(timetable.procedure + timetable.transition),
        award_by=before(timetable.transition),
        starts_on=starts_on,
    )


def line_gain(
    line: Mapping[str, Any],
    *,
    offer: Mapping[str, Any],
    unit_price_eur: float,
    start: str,
    term_months: int,
    policy: Mapping[str, Any],
) -> Gain:
    """What one line gains in a lot, EUR over the term: the benefit of the optimisation model, taken apart.

    ``line``, ``offer`` and ``policy`` are objects of ``pooling.instance/1``; ``unit_price_eur`` is the lot's tier's.
    """
    years = term_months / 12
    spend = line["quantity"] * line["unit_price_eur"]
    carbon = policy["carbon_price_eur_per_tonne"] / 1000 * offer["co2_saved_kg_per_unit"] * line["quantity"]
    worth = spend * sum(policy["criterion_value"].get(code, 0.0) for code in offer["criteria"])
    own_rate = line["bridging_rate_per_year"]
    rate = policy["bridging_rate_per_year"] if own_rate is None else own_rate
    return Gain(
        savings_eur=years * line["quantity"] * (line["unit_price_eur"] - unit_price_eur),
        green_value_eur=years * (carbon + worth),
        bridging_cost_eur=spend * rate * months_bridged(line, start=start, policy=policy) / 12,
        set_up_cost_eur=policy["line_cost_eur"],
    )


def months_bridged(line: Mapping[str, Any], *, start: str, policy: Mapping[str, Any]) -> int:
    """Months between when a line could start first, within the horizon, and ``start``."""
    return max(0, offset(start, max(line["earliest_start"], policy["horizon_start"])))
