"""Whose every figure in a database is, and which of them an answer holds that its reader may not be shown."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Connection

from tests.e2e.workflow.model import rows_of
from tests.e2e.workflow.world import Actor
from tests.pooling.access.world import _decoded, numbers_in

SHORTEST = 7
"""Digits from which a number is known by them; trailing zeros are none."""
LINE = ("quantity", "quantity_low", "quantity_high", "unit_price_micro", "unit_price_eur_micro")
PLACE = (
    "quantity",
    "quantity_low",
    "quantity_high",
    "committed_quantity",
    "committed_low",
    "committed_high",
    "estimate_quantity",
    "maximum_quantity",
    "estimate_value_minor",
    "maximum_value_minor",
)
LOT = ("quantity", "estimate_quantity", "maximum_quantity", "estimate_value_minor", "maximum_value_minor")
OFFER = ("tipping_quantity", "tier_quantity", "unit_price_eur_micro")
CALL_OFF = ("quantity", "value_eur_micro")
TOKEN = re.compile(r"\d[\d.\u00a0\u202f']*")
BASE64 = re.compile(r"[A-Za-z0-9_-]{24,}")


@dataclass
class Figures:
    """The owners of each number; of those that are nobody's, the planners' alone, none."""

    owners: dict[int, set[str]] = field(default_factory=dict)

    def add(self, numbers: Collection[int | None], codes: Collection[str]) -> None:
        """These figures are (also) theirs."""
        for number in numbers:
            if number is not None and len(str(number).rstrip("0")) >= SHORTEST:
                self.owners.setdefault(number, set()).update(codes)

    def harvest(self, run: Connection) -> None:
        """All that the database holds now; what was somebody's stays so."""
        for row in rows_of(run, "line"):
            self.add([getattr(row, name) for name in LINE], {row.participant, row.sent_as})
        for row in rows_of(run, "tender_line"):
            self.add([row.quantity, row.quantity_low, row.quantity_high, row.unit_price_eur_micro], {row.participant})
        for row in rows_of(run, "tender_member_lot"):
            self.add([getattr(row, name) for name in PLACE], {row.participant})
        for row in rows_of(run, "call_off"):
            self.add([getattr(row, name) for name in CALL_OFF], {row.participant})
        for row in rows_of(run, "tender_lot"):
            self.add([getattr(row, name) for name in (*LOT, *OFFER)], ())

    def foreign(self, actor: Actor | None) -> dict[int, set[str]]:
        """Those that the reader may not be shown; None: that nobody outside may."""
        codes = frozenset[str]() if actor is None else actor.codes
        if actor is not None and actor.sees_all:
            return {}
        return {number: owners for number, owners in self.owners.items() if not owners & codes}

    def leaked(self, answer: httpx.Response, actor: Actor | None, *, open_to: Collection[int] = ()) -> dict[int, Any]:
        """Others' figures in an answer, with whose they are; ``open_to``: numbers that may be told all the same."""
        foreign = {number: owners for number, owners in self.foreign(actor).items() if number not in open_to}
        headers = [value for name, value in answer.headers.items() if name != "content-length"]
        text = "\n".join([answer.text, *headers])
        return {number: sorted(foreign[number]) for number in exactly(text, numbers_in(text, foreign))}


def exactly(text: str, found: Collection[int]) -> set[int]:
    """Those of ``found`` that are numbers of their own in the text, and no digits of longer ones."""
    if not found:
        return set()
    texts = [text, *(_decoded(each) for each in BASE64.findall(text))]
    whole = {
        re.sub(r"\D", "", token).strip("0") for each in texts for token in TOKEN.findall(each.replace("\u00a0", ""))
    }
    return {number for number in found if str(number).strip("0") in whole}


def hidden_whole(volumes: Mapping[str, int], codes: Collection[str]) -> bool:
    """Whether who knows the figures of ``codes`` may not know the sum: it would tell another's, or nearly so."""
    others = sorted(volume for code, volume in volumes.items() if code not in codes and volume > 0)
    return len(others) < 2 or others[-1] > 0.8 * sum(others)


def wholes(answer: httpx.Response) -> dict[int, int]:
    """The totals by lot that an invitation tells."""
    try:
        lots = json.loads(answer.text).get("lots", [])
    except ValueError:
        return {}
    return {lot["lot"]: lot["total_per_year"] for lot in lots if "total_per_year" in lot}
