"""Whole plan documents around given pools, with every figure worked out by the tests' own formulas."""

import math

from tests.solver.brute_case import Case, Document


def plan_document(instance: Document, pools: list[Document]) -> Document:
    """The plan of these pools, proven best (its bound is its total); lots need only offer and lines."""
    case = Case(instance)
    number = {row["id"]: i for i, row in enumerate(case.lines)}
    pooled = {number[name] for pool in pools for lot in pool["lots"] for name in lot["lines"]}
    described, totals = (
        [],
        _none(case)
        | {
            "lines_pooled": len(pooled),
            "spend_pooled_eur_per_year": sum(case.spend(i) for i in pooled),
        },
    )
    for pool in pools:
        lots = tuple((lot["offer"], sum(1 << number[name] for name in set(lot["lines"]))) for lot in pool["lots"])
        start = case.offset(pool["start"])
        described.append(case.describe(pool["family"], start, pool["lead"], lots))
        _add(case, totals, start, lots)
    total = totals["savings_eur"] + totals["green_value_eur"] + totals["stability_eur"]
    total -= totals["bridging_cost_eur"] + totals["set_up_cost_eur"]
    return {
        "schema": "pooling.plan/1",
        "status": "optimal",
        "objective_eur": total,
        "bound_eur": total,
        "gap": 0.0,
        "runtime_s": 0.1,
        "pools": described,
        "unpooled": [
            {"line": row["id"], "reason": reason(case, i)} for i, row in enumerate(case.lines) if i not in pooled
        ],
        "totals": totals,
    }


def _none(case: Case) -> Document:
    """Totals of no pool at all."""
    names = ("savings", "green_value", "bridging_cost", "set_up_cost", "stability")
    spend = sum(case.spend(i) for i in range(len(case.lines)))
    return {f"{name}_eur": 0.0 for name in names} | {
        "co2_saved_tonnes_per_year": 0.0,
        "lines": len(case.lines),
        "lines_pooled": 0,
        "spend_eur_per_year": spend,
        "spend_pooled_eur_per_year": 0.0,
    }


def _add(case: Case, totals: Document, start: int, lots: tuple[tuple[str, int], ...]) -> None:
    """Adds one pool. A line's saving is its benefit with prices alone, its waiting what the benefit loses by it."""
    for name, mask in lots:
        entry = case.offers[name]
        tier = case.tier(mask, entry) or 0
        plain = entry | {"criteria": [], "co2_saved_kg_per_unit": 0}
        for i in case.members(mask):
            early = max(0, case.offset(case.lines[i]["earliest_start"]))
            saving = case.benefit(i, early, plain, tier) + case.policy["line_cost_eur"]
            totals["savings_eur"] += saving
            totals["green_value_eur"] += case.benefit(i, early, entry, tier) + case.policy["line_cost_eur"] - saving
            totals["bridging_cost_eur"] += case.benefit(i, early, entry, tier) - case.benefit(i, start, entry, tier)
            totals["set_up_cost_eur"] += case.policy["line_cost_eur"]
        totals["set_up_cost_eur"] += case.policy["lot_cost_eur"]
        totals["stability_eur"] += case.kept(mask, entry, start)
        totals["co2_saved_tonnes_per_year"] += case.quantity(mask) * entry["co2_saved_kg_per_unit"] / 1000
    totals["set_up_cost_eur"] += case.pool_cost(sum(mask for _, mask in lots))


def reason(case: Case, i: int) -> str:
    """The first reason that keeps line ``i`` out whatever the plan, else ``better_without``.

    Every choice of free lines is tried at every place: the line's volume is short where none with it reaches a tier,
    and it is not worth it where it would lose at the best tier that one of them reaches.
    """
    row = case.lines[i]
    starts = range(
        max(0, case.offset(row["earliest_start"])), min(case.horizon - 1, case.offset(row["latest_start"])) + 1
    )
    offers = [entry for entry in case.offers.values() if entry["category"] == row["category"]]
    green = [entry for entry in offers if set(case.policy["green_floor"]) <= set(entry["criteria"])]
    meeting = [entry for entry in green if set(row["required"]) <= set(entry["criteria"])]
    accepted = [entry for entry in meeting if not set(row["refused"]) & set(entry["criteria"])]
    partners = (
        case.authorities(sum(1 << j for j in range(len(case.lines)) if case.fits(j, entry, start)))
        for entry in accepted
        for start in starts
        if case.fits(i, entry, start)
    )
    sizes = {entry["id"]: entry["max_quantity"] for entry in offers if entry["max_quantity"] is not None}
    reasons = {
        "outside_horizon": not starts,
        "forbidden": all(all(case.banned(i, t, name) for name in _names(offers)) for t in starts),
        "no_offer": not green,
        "criteria_unmet": not meeting,
        "criteria_refused": not accepted,
        "too_large": all(row["quantity"] > sizes.get(entry["id"], math.inf) for entry in offers),
        "no_partner": max(partners, default=0) < case.policy["min_participants"],
        "volume_short": not (reached := _reached(case, i, accepted)),
        "not_worth_it": max(reached, default=0.0) < 0,
    }
    return next((name for name, applies in reasons.items() if applies), "better_without")


def _reached(case: Case, i: int, offers: list[Document]) -> list[float]:
    """The line's benefit at each start and offer with a choice of lines that reaches a tier, at the highest tier."""
    found, tiers = [], dict[tuple[str, int], int | None]()
    for start in range(case.horizon):
        for entry in offers:
            if not case.fits(i, entry, start):
                continue
            others = sum(1 << j for j in case.free if j != i and case.fits(j, entry, start))
            if (entry["id"], others) not in tiers:
                tiers[entry["id"], others] = _highest(case, i, entry, others)
            tier = tiers[entry["id"], others]
            if tier is not None:
                found.append(case.benefit(i, start, entry, tier))
    return found


def _highest(case: Case, i: int, offer: Document, others: int) -> int | None:
    """The highest tier that the line reaches with any choice of the others."""
    best, mask = None, others
    while True:
        tier = case.tier(mask | 1 << i, offer)
        best = tier if best is None or (tier is not None and tier > best) else best
        if not mask:
            return best
        mask = (mask - 1) & others


def _names(offers: list[Document]) -> list[str | None]:
    """The offers to be barred from; a line without any is barred only where every offer is."""
    return [entry["id"] for entry in offers] or [None]
