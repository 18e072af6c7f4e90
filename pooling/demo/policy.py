"""The policy of the demonstration: what it decides beside the packaged default, and what criteria are worth to it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

# made up: share of yearly spend; the worths of criteria that imply each other add up
CRITERION_VALUE: Mapping[str, float] = MappingProxyType(
    {
        "bio-based": 0.006,
        "code-of-conduct": 0.002,
        "due-diligence-clause": 0.006,
        "environmental-management": 0.002,
        "epd-iso-14025": 0.004,
        "eu-ecolabel": 0.004,
        "net-zero-plan": 0.006,
        "no-reach-svhc": 0.004,
        "nordic-swan-098": 0.006,
        "packaging-recyclable": 0.004,
        "packaging-recycled": 0.004,
        "packaging-reduced": 0.002,
        "phthalate-free": 0.002,
        "pvc-free": 0.008,
        "reusable": 0.01,
        "type-1-ecolabel": 0.006,
        "uhm-advanced": 0.008,
        "uhm-basic": 0.002,
        "uhm-spearhead": 0.008,
    }
)


def policy_toml(as_of: date) -> str:
    """The policy file; what it does not name is the packaged default's."""
    lines = [
        "# Policy of the Nordic demonstration. All of it is made up; what is not named is taken from the default.",
        'name = "nordic demonstration (made up)"',
        f"as_of = {as_of.isoformat()}",
        "lead_time_months = 12",
        "horizon_months = 36",
        "term_months = 36",
        "carbon_price_eur_per_tonne = 120",
        "max_countries_per_pool = 5",
        "",
        "# What meeting a criterion is worth, as a share of yearly spend.",
        "[criterion_value]",
        *(f"{code} = {value}" for code, value in CRITERION_VALUE.items()),
        "",
    ]
    return "\n".join(lines)
