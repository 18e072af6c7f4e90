"""What members answer and planners enter in the demonstration: made up, the same for the same seed and tender. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pooling.demo import chance

Document = Mapping[str, Any]
DECLINES, CHANGES, NARROWS = 0.04, 0.09, 0.25
"""Shares, each up to where the one before ends: who declines, asks for another start, commits to less with conditions;
all others commit to what they have sent."""
LESS = 0.95
ENOUGH_OTHERS = 3
ENVIRONMENT, SUPPLIERS, SHARES = 0.3, 2, (0.02, 0.2)
"""Weight of environment among the award criteria, suppliers of a category, and the range of the buyers' share of it."""
WHY_NOT = (
    "our own agreement was extended meanwhile (made up)",
    "the wards want to try the product first (made up)",
    "no budget for the change in that year (made up)",
)


def answer(seed: int, tender: Document, member: Document) -> dict[str, Any]:
    """A member's answer as `PUT …/answers/{participant}` takes it."""
    dice = chance.dice(seed, "answer", tender["family"], tender["start"], member["participant"])
    drawn = dice.random()
    if drawn < DECLINES:
        return {"answer": "decline", "reason": dice.choice(WHY_NOT)}
    if drawn < CHANGES:
        later = {"start": month_after(tender["start"])}
        return {"answer": "change", "change": later, "reason": "a month later suits our stocks better (made up)"}
    if drawn < NARROWS:
        volumes = [_less(part) for part in member["volumes"]]
        return {"answer": "commit", "volumes": volumes, "conditions": "delivery in our own packs (made up)"}
    return {"answer": "commit"}


def _less(part: Document) -> dict[str, int]:
    """A little less than was sent, and at least one."""
    sent = {"quantity_low": "quantity_low", "quantity": "quantity_per_year", "quantity_high": "quantity_high"}
    return {"lot": part["lot"], **{name: max(1, int(part[field] * LESS)) for name, field in sent.items()}}


def facts(seed: int, tender: Document) -> dict[str, Any]:
    """What the law asks for and only planners know, as ``facts`` of `PATCH /v1/tenders/{id}` takes it."""
    dice = chance.dice(seed, "facts", tender["family"], tender["start"])
    categories = sorted({lot["category"] for lot in tender["lots"]})
    return {
        "central_government": False,
        "environment_weight": ENVIRONMENT,
        "agreement_signed": True,
        "lot_reasons": "one product for all its wards (made up)" if len(tender["lots"]) == 1 else None,
        "categories": {
            each: {"buying_share": round(dice.uniform(*SHARES), 3), "suppliers": SUPPLIERS} for each in categories
        },
    }


def month_after(month: str) -> str:
    """``2027-12`` is followed by ``2028-01``."""
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def pivot(tender: Document) -> str | None:
    """The member without which a lot would come below its tipping volume, by least more than it takes; None: nobody."""
    found = []
    if len(tender["members"]) <= ENOUGH_OTHERS:
        return None
    lots = {lot["id"]: lot for lot in tender["lots"]}
    for member in tender["members"]:
        for part in member["volumes"]:
            lot = lots[part["lot"]]
            to_spare = lot["sure_quantity"] - lot["tipping_quantity"]
            if member["role"] != "lead" and part["quantity_per_year"] > to_spare:
                found.append((part["quantity_per_year"] / lot["quantity_per_year"], member["participant"]))
    return min(found)[1] if found else None


def spend(tender: Document) -> float:
    """EUR a year at the offered prices."""
    return sum(float(lot["quantity_per_year"] * lot["unit_price_eur"]) for lot in tender["lots"])


def chosen(tenders: Sequence[Document], *, members: tuple[int, int]) -> list[Document]:
    """The tenders to take further first, those with most spend: all with so many members at least and at most.

    Of one family no two: the lines of one could be needed to repair the other.
    """
    best: dict[str, Document] = {}
    for tender in sorted(tenders, key=lambda each: (-spend(each), each["family"], each["start"])):
        if members[0] <= len(tender["members"]) <= members[1]:
            best.setdefault(tender["family"], tender)
    return list(best.values())
