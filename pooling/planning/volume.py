"""Volume to take to market from an instance document."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from pooling.market.rules import VolumeRow
from pooling.market.service import DemandLine, VolumeSettings, volume_to_market
from pooling.planning.rules import offset, shifted
from pooling.reference.rules import closure

Z90 = NormalDist().inv_cdf(0.9)  # low and high of a line are its 10th and 90th percentiles


def volume_of(instance: Mapping[str, Any], implications: Mapping[str, frozenset[str]]) -> list[VolumeRow]:
    """The rows for every category of an instance (``pooling.instance/1``); ``implications`` are the direct ones."""
    policy = instance["policy"]
    start, count = policy["horizon_start"], policy["horizon_months"]
    offered: dict[str, list[frozenset[str]]] = {}
    for offer in instance["offers"]:
        offered.setdefault(offer["category"], []).append(frozenset(offer["criteria"]))
    settings = VolumeSettings(
        months=tuple(shifted(start, months) for months in range(count)),
        confidence=policy["confidence"],
        correlation=policy["forecast_correlation"],
        floor=closure(policy["green_floor"], implications),
        implications={code: closure([code], implications) for code in implications},
        authorities=frozenset(each["id"] for each in instance["participants"] if each["contracting_authority"]),
    )
    return volume_to_market(
        [_line(line, start=start, months=count) for line in instance["lines"]],
        units={category["id"]: category["unit"] for category in instance["categories"]},
        offered=offered,
        settings=settings,
    )


def _line(line: Mapping[str, Any], *, start: str, months: int) -> DemandLine:
    return DemandLine(
        id=line["id"],
        participant=line["participant"],
        category=line["category"],
        quantity=line["quantity"],
        sd=(line["quantity_high"] - line["quantity_low"]) / (2 * Z90),
        spend_eur=line["quantity"] * line["unit_price_eur"],
        first=max(0, offset(line["earliest_start"], start)),
        last=min(months - 1, offset(line["latest_start"], start)),
        required=frozenset(line["required"]),
        refused=frozenset(line["refused"]),
    )
