"""The one reason why a line stays out, said to people, with its figures."""

from collections.abc import Mapping
from typing import Any

REASONS = {
    "outside_horizon": "It cannot start within the plan's horizon.",
    "forbidden": "Every lot it could be in is forbidden by the planners.",
    "no_offer": "The market has offered nothing in this category.",
    "criteria_unmet": "No offer meets all the criteria it requires.",
    "criteria_refused": "Every offer that meets its requirements also meets a criterion that it refuses.",
    "too_large": "Its quantity alone is above what any offer supplies in one lot.",
    "no_partner": "Too few contracting authorities fit any offer and start together with it.",
    "volume_short": "Those who would gain with it are too few, or their sure volume stays below every tipping volume.",
    "not_worth_it": "No offer it could reach is worth it at today's price.",
    "capacity": "A limit on pools, leads, participants or supply is used up.",
    "better_without": "Pooling it would lower the total value of the plan.",
}
ABOVE_FLOOR = {"no_offer": "The market has offered nothing in this category that meets the green floor."}
"""Reasons that read otherwise where the policy has a green floor."""

REMEDIES = {
    "outside_horizon": "State a window that reaches into the horizon.",
    "no_offer": "Take its volume to market dialogue.",
    "criteria_unmet": "Take its volume to market dialogue, or require less.",
    "criteria_refused": "Ask whether the refusal must stand.",
    "no_partner": "A wider window, or demand of more participants, would help.",
    "volume_short": "A wider window, or demand of more participants, would help.",
}

OWN_FIGURES = {
    "outside_horizon": ("latest_start", "earliest_start", "horizon_start", "horizon_end"),
    "forbidden": ("months",),
    "no_offer": ("offers",),
    "criteria_unmet": ("unmet_criteria",),
    "criteria_refused": ("refused_criteria",),
    "too_large": ("quantity",),
    "no_partner": ("min_participants",),
    "volume_short": ("offer", "start", "min_participants"),
    "not_worth_it": ("best_benefit_eur", "offer", "start"),
    "capacity": ("offer", "start"),
    "better_without": ("offer", "start"),
}
"""Of the figures of a reason, those that are the line's own or the programme's: from no other does a peer's follow."""


def own_figures(reason: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a reason that its participant may see."""
    return {name: figures[name] for name in OWN_FIGURES.get(reason, ()) if name in figures}


def meaning(reason: str, *, green_floor: bool) -> str:
    """What a reason says, under a policy with or without a green floor."""
    plain = REASONS.get(reason, f"{reason.replace('_', ' ').capitalize()}.")
    return ABOVE_FLOOR.get(reason, plain) if green_floor else plain


def explain(reason: str, figures: Mapping[str, Any], *, green_floor: bool) -> str:
    """Reason, figures and, where there is one, what would help, as sentences."""
    said = [meaning(reason, green_floor=green_floor)]
    parts = [f"{_name(name)} {_amount(name, value)}" for name, value in figures.items() if value not in (None, [], {})]
    if parts:
        said.append(f"In figures: {'; '.join(parts)}.")
    if reason in REMEDIES:
        said.append(REMEDIES[reason])
    return " ".join(said)


def _name(figure: str) -> str:
    return figure.removesuffix("_eur").replace("_", " ")


def _amount(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_amount(name, each) for each in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    shown = f"{value:,.0f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
    return f"EUR {shown}" if name.endswith("_eur") else shown
