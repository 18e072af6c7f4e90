"""The pools of a ``pooling.plan/1`` document, read against the instance it was made for.

Figures come from the instance. Where the document states them they must agree: else it is a plan of another instance.
"""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from solver.checks import is_number
from solver.errors import Fault, InvalidPlan
from solver.instance import Instance
from solver.months import is_month, offset
from solver.plan import SCHEMA, Plan, PlanLot, PlanPool, Reason, Unpooled
from solver.worth import Worth

OTHER_INSTANCE = "give the instance that the plan was made for"
REPEATED = "name each once: it stands in the plan before"
REASONS = tuple(reason.value for reason in Reason)
SURE_SHARE, EUR_SHARE, EUR = 1e-6, 1e-6, 0.5
"""Tolerances of the contract: sure quantities by their share, money by its share and half a euro."""


def read_plan(document: object, instance: Instance) -> tuple[PlanPool, ...]:
    """The pools in the document's order, with figures; raises `InvalidPlan` naming every place that is wrong.

    What it asks for is what makes a pool: schema, and of every pool family, start, lead and lots with offer and lines,
    all known, of one family, nothing twice. Whether the pools keep the instance's rules is for `solver.check`.
    """
    reader = _Reader(instance)
    pools = reader.plan(document)
    if reader.faults:
        raise InvalidPlan.naming(reader.faults)
    return pools


def read_whole_plan(document: object, instance: Instance) -> Plan:
    """The plan with its bound and what it says of lines left out; raises `InvalidPlan` naming every place.

    Totals come from the instance, as figures of lots do.
    """
    reader = _Reader(instance)
    pools = reader.plan(document)
    row = document if isinstance(document, Mapping) else {}
    unpooled = reader.unpooled(row.get("unpooled"))
    bound, runtime = reader.number(row, "bound_eur"), reader.number(row, "runtime_s")
    seed, workers = reader.number({"seed": 0, **row}, "seed"), reader.number({"workers": 1, **row}, "workers")
    if reader.faults:
        raise InvalidPlan.naming(reader.faults)
    return Plan(
        pools=pools,
        unpooled=unpooled,
        totals=reader.worth.totals(pools),
        bound_eur=bound,
        runtime_s=runtime,
        seed=int(seed),
        workers=int(workers),
        stopped_by_clock=row.get("stopped_by_clock") is True,
    )


class _Reader:
    """Reads one document; keeps the faults it meets."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.worth = instance, Worth(instance)
        self.faults: list[Fault] = []
        self.family = {category.id: category.family for category in instance.categories}
        self.families = frozenset(self.family.values())
        self.decided = {(pool.family, pool.start) for pool in instance.fixed}
        self.seen: set[tuple[str, ...]] = set()

    def plan(self, document: object) -> tuple[PlanPool, ...]:
        if not isinstance(document, Mapping):
            self.fault("", document, f"give an object with schema {SCHEMA} and pools")
            return ()
        if document.get("schema") != SCHEMA:
            self.fault("schema", document.get("schema"), f'give "{SCHEMA}"')
        pools = [self.pool(row, path) for path, row in self.rows(document.get("pools"), "pools")]
        return tuple(pool for pool in pools if pool is not None)

    def pool(self, row: object, path: str) -> PlanPool | None:
        """None where something of it is wrong."""
        if not isinstance(row, Mapping):
            self.fault(path, row, "give an object with family, start, lead and lots")
            return None
        before = len(self.faults)
        family = self.one_of(self.families, row.get("family"), f"{path}.family", "the family of one of categories")
        start = self.start(row.get("start"), f"{path}.start", family)
        lead = self.one_of(self.worth.countries, row.get("lead"), f"{path}.lead", "one of participants")
        if family is not None and start is not None:
            self.once(path, f"{family} {start}", "pool", family, start)
        rows = self.rows(row.get("lots"), f"{path}.lots")
        if not rows and row.get("lots") == []:
            self.fault(f"{path}.lots", [], "give the lots of the pool: there is at least one")
        lots = [self.lot(entry, place, family, start) for place, entry in rows]
        members = {self.worth.lines[line].participant for lot in lots if lot for line in lot.lines}
        if lead is not None and members and None not in lots and lead not in members:
            self.fault(f"{path}.lead", lead, "name a participant with a line in the pool")
        if len(self.faults) > before or family is None or start is None or lead is None:
            return None
        return PlanPool(family, start, lead, tuple(lot for lot in lots if lot is not None))

    def start(self, value: object, path: str, family: str | None) -> str | None:
        """A month of the horizon; one of a decided pool may lie outside."""
        policy = self.instance.policy
        if not isinstance(value, str) or not is_month(value):
            self.fault(path, value, "give a month as YYYY-MM, zero-padded")
            return None
        if not 0 <= offset(value, policy.horizon_start) < policy.horizon_months and (family, value) not in self.decided:
            self.fault(path, value, f"give one of the {policy.horizon_months} months from {policy.horizon_start}")
            return None
        return value

    def lot(self, row: object, path: str, family: str | None, start: str | None) -> PlanLot | None:
        if not isinstance(row, Mapping):
            self.fault(path, row, "give an object with offer and lines")
            return None
        before = len(self.faults)
        offer = self.one_of(self.worth.offers, row.get("offer"), f"{path}.offer", "one of offers")
        category = None if offer is None else self.worth.offers[offer].category
        if offer is not None and category is not None and family is not None:
            if self.family[category] != family:
                self.fault(f"{path}.offer", offer, f"name an offer of family {family}, not of {self.family[category]}")
            elif start is not None:
                self.once(f"{path}.offer", offer, "offer", family, start, offer)
        lines = self.lines(row.get("lines"), f"{path}.lines", category)
        if len(self.faults) > before or offer is None or start is None:
            return None
        lot = self.worth.lot(offer, lines, start)
        return self.agreeing(lot, row, path, start)

    def lines(self, value: object, path: str, category: str | None) -> list[str]:
        if value == []:
            self.fault(path, [], "name the lines of the lot: there is at least one")
        known = []
        for place, name in self.rows(value, path):
            line = self.one_of(self.worth.lines, name, place, "one of lines")
            if line is None:
                continue
            of = self.worth.lines[line].category
            if category is not None and of != category:
                self.fault(place, line, f"name a line of category {category}, not of {of}")
            self.once(place, line, "line", line)
            known.append(line)
        return known

    def agreeing(self, lot: PlanLot, row: Mapping[str, Any], path: str, start: str) -> PlanLot:
        """The lot with the stated tier where that is as good; figures stated otherwise are faults."""
        lot = self.at_tier(lot, row, path, start)
        for name, slack in (
            ("quantity", 0.0),
            ("sure_quantity", SURE_SHARE * max(1.0, abs(lot.sure_quantity))),
            ("benefit_eur", EUR_SHARE * max(1.0, abs(lot.benefit_eur)) + EUR),
        ):
            right = getattr(lot, name)
            stated = row.get(name, right)
            if not is_number(stated) or not abs(stated - right) <= slack:
                self.fault(f"{path}.{name}", stated, f"it is {right} in this instance: {OTHER_INSTANCE}")
        return lot

    def at_tier(self, lot: PlanLot, row: Mapping[str, Any], path: str, start: str) -> PlanLot:
        """A sure quantity within the tolerance of where a tier begins may take that tier or the one below."""
        offer, stated = self.worth.offers[lot.offer], row.get("tier", lot.tier)
        slack = SURE_SHARE * max(1.0, abs(lot.sure_quantity))
        begins = [tier.from_quantity for tier in offer.tiers]
        possible = {max(0, sum(first <= sure for first in begins) - 1)
                    for sure in (lot.sure_quantity - slack, lot.sure_quantity + slack)}  # fmt: skip
        if not isinstance(stated, int) or isinstance(stated, bool) or stated not in {*possible, lot.tier}:
            self.fault(f"{path}.tier", stated, f"the highest reached is {lot.tier} in this instance: {OTHER_INSTANCE}")
            return lot
        lines = [self.worth.lines[name] for name in lot.lines]
        benefit = math.fsum(self.worth.line(line, offer, stated, start).benefit_eur for line in lines)
        return replace(lot, tier=stated, benefit_eur=benefit)

    def unpooled(self, value: object) -> tuple[Unpooled, ...]:
        """One reason for each line left out; its figures as they stand there."""
        found = []
        for path, row in self.rows(value, "unpooled"):
            if not isinstance(row, Mapping):
                self.fault(path, row, "give an object with line and reason")
                continue
            line = self.one_of(self.worth.lines, row.get("line"), f"{path}.line", "one of lines")
            reason = self.one_of(REASONS, row.get("reason"), f"{path}.reason", f"one of {', '.join(REASONS)}")
            if line is not None and reason is not None:
                self.once(f"{path}.line", line, "line", line)
                figures = {name: figure for name, figure in row.items() if name not in ("line", "reason")}
                found.append(Unpooled(line, Reason(reason), figures))
        return tuple(found)

    def number(self, row: Mapping[str, Any], name: str) -> float:
        value = row.get(name)
        if is_number(value):
            return float(value)
        self.fault(name, value, "give a finite number")
        return 0.0

    def rows(self, value: object, path: str) -> Sequence[tuple[str, Any]]:
        if isinstance(value, list):
            return [(f"{path}[{k}]", entry) for k, entry in enumerate(value)]
        self.fault(path, value, "give a list")
        return []

    def one_of(self, known: Container[str], value: object, path: str, what: str) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        self.fault(path, value, f"name {what}")
        return None

    def once(self, path: str, value: str, *key: str) -> None:
        if key in self.seen:
            self.fault(path, value, REPEATED)
        self.seen.add(key)

    def fault(self, path: str, value: object, remedy: str) -> None:
        self.faults.append(Fault(path, value, remedy))
