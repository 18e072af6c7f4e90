"""The raw instance as the brute-force search looks at it: offsets, bit masks of lines, and the contract's formulas."""

from functools import cached_property
from statistics import NormalDist
from typing import Any

Document = dict[str, Any]
Leads = tuple[frozenset[str], ...]
Lots = tuple[tuple[str, int], ...]
"""(offer id, bit mask of lines) of each lot."""


class Case:
    """One instance; line ``i`` is bit ``1 << i``. Nothing here judges: a broken instance breaks it."""

    def __init__(self, instance: Document) -> None:
        self.policy: Document = instance["policy"]
        self.horizon: int = self.policy["horizon_months"]
        self.lines: list[Document] = instance["lines"]
        self.offers: dict[str, Document] = {entry["id"]: entry for entry in instance["offers"]}
        self.people: dict[str, Document] = {entry["id"]: entry for entry in instance["participants"]}
        self.categories: dict[str, Document] = {entry["id"]: entry for entry in instance["categories"]}
        self.families = sorted({entry["family"] for entry in instance["categories"]})
        self.forbidden: list[Document] = instance["forbidden"]
        self.previous = {(old["line"], old["offer"], self.offset(old["start"])) for old in instance["previous"]}
        number = {entry["id"]: i for i, entry in enumerate(self.lines)}
        self.fixed: list[tuple[str, int, str, Lots]] = [
            (
                pool["family"],
                self.offset(pool["start"]),
                pool["lead"],
                tuple((lot["offer"], sum(1 << number[name] for name in lot["lines"])) for lot in pool["lots"]),
            )
            for pool in instance["fixed"]
        ]
        self.decided = sum(mask for *_, lots in self.fixed for _, mask in lots)
        self.free = [i for i in range(len(self.lines)) if not self.decided >> i & 1]
        self._volumes: dict[int, tuple[int, float]] = {}
        self._assigned: dict[Leads, tuple[str, ...] | None] = {(): ()}

    def offset(self, month: str) -> int:
        """Months from the start of the horizon; before it below 0."""
        base = self.policy["horizon_start"]
        return (int(month[:4]) - int(base[:4])) * 12 + int(month[5:]) - int(base[5:])

    def family(self, offer: Document) -> str:
        return self.categories[offer["category"]]["family"]

    def members(self, mask: int) -> list[int]:
        return [i for i in range(len(self.lines)) if mask >> i & 1]

    def people_of(self, mask: int) -> set[str]:
        return {self.lines[i]["participant"] for i in self.members(mask)}

    # One line -----------------------------------------------------------------------------------------------------

    def spend(self, i: int) -> float:
        return self.lines[i]["quantity"] * self.lines[i]["unit_price_eur"]

    def fits(self, i: int, offer: Document, start: int) -> bool:
        """Rule 1."""
        row, criteria = self.lines[i], set(offer["criteria"])
        in_window = self.offset(row["earliest_start"]) <= start <= self.offset(row["latest_start"])
        if row["category"] != offer["category"] or not in_window or not 0 <= start < self.horizon:
            return False
        if not criteria.issuperset(row["required"] + self.policy["green_floor"]) or criteria & set(row["refused"]):
            return False
        return not self.banned(i, start, offer["id"])

    def banned(self, i: int, start: int, offer: str | None) -> bool:
        """Whether an entry of ``forbidden`` keeps the line from the offer at the start; None: from any offer."""
        row = self.lines[i]
        family = self.categories[row["category"]]["family"]
        facts = {"participant": row["participant"], "line": row["id"], "family": family, "offer": offer}
        return any(
            all(ban[name] in (None, facts[name]) for name in facts)
            and (ban["start"] is None or self.offset(ban["start"]) == start)
            for ban in self.forbidden
        )

    def benefit(self, i: int, start: int, offer: Document, tier: int) -> float:
        """EUR over the term, as the objective has it."""
        row, policy = self.lines[i], self.policy
        months = self.categories[row["category"]]["term_months"]
        months = policy["term_months"] if months is None else months
        rate = row["bridging_rate_per_year"]
        rate = policy["bridging_rate_per_year"] if rate is None else rate
        saving = row["quantity"] * (row["unit_price_eur"] - offer["tiers"][tier]["unit_price_eur"])
        carbon = policy["carbon_price_eur_per_tonne"] / 1000 * offer["co2_saved_kg_per_unit"] * row["quantity"]
        green = self.spend(i) * sum(policy["criterion_value"].get(name, 0) for name in offer["criteria"])
        waited = max(0, start - max(0, self.offset(row["earliest_start"])))
        return months / 12 * (saving + carbon + green) - self.spend(i) * rate * waited / 12 - policy["line_cost_eur"]

    # Lots ---------------------------------------------------------------------------------------------------------

    def quantity(self, mask: int) -> int:
        return self._volume(mask)[0]

    def sure(self, mask: int) -> float:
        return self._volume(mask)[1]

    def _volume(self, mask: int) -> tuple[int, float]:
        if mask not in self._volumes:
            rows = [self.lines[i] for i in self.members(mask)]
            total = sum(row["quantity"] for row in rows)
            normal, rho = NormalDist(), self.policy["forecast_correlation"]
            sds = [(row["quantity_high"] - row["quantity_low"]) / (2 * normal.inv_cdf(0.9)) for row in rows]
            root = ((1 - rho) * sum(sd * sd for sd in sds) + rho * sum(sds) ** 2) ** 0.5
            self._volumes[mask] = (total, total - normal.inv_cdf(self.policy["confidence"]) * root)
        return self._volumes[mask]

    def tier(self, mask: int, offer: Document) -> int | None:
        """The highest tier the sure quantity reaches, None below the tipping volume."""
        sure = self.sure(mask)
        reached = [step["from_quantity"] <= sure + 1e-6 * max(1, abs(sure)) for step in offer["tiers"]]
        return sum(reached) - 1 if any(reached) else None

    def authorities(self, mask: int) -> int:
        return sum(self.people[name]["contracting_authority"] for name in self.people_of(mask))

    def kept(self, mask: int, offer: Document, start: int) -> float:
        """What the lines earn that stand where they stood."""
        names = [self.lines[i]["id"] for i in self.members(mask)]
        return self.policy["stability_eur"] * sum((name, offer["id"], start) in self.previous for name in names)

    def scarce_supply(self, offer: Document) -> int | None:
        """What is left of the offer's supply for new pools, None where all the lines together cannot exceed it."""
        if offer["total_max_quantity"] is None:
            return None
        used = sum(self.quantity(mask) for *_, lots in self.fixed for name, mask in lots if name == offer["id"])
        left = max(0, offer["total_max_quantity"] - used)
        wanted = sum(self.lines[i]["quantity"] for i in self.free if self.lines[i]["category"] == offer["category"])
        return left if left < wanted else None

    # Pools --------------------------------------------------------------------------------------------------------

    def pool_fits(self, mask: int) -> bool:
        """Rule 9."""
        sizes = (len(self.people_of(mask)), len(self._countries(mask)))
        limits = (self.policy["max_participants_per_pool"], self.policy["max_countries_per_pool"])
        return all(limit is None or size <= limit for size, limit in zip(sizes, limits))

    def _countries(self, mask: int) -> set[str]:
        return {self.people[name]["country"] for name in self.people_of(mask)}

    def pool_cost(self, mask: int) -> float:
        return self.policy["pool_cost_eur"] + self.policy["country_cost_eur"] * (len(self._countries(mask)) - 1)

    def fixed_value(self, given: tuple[str, int, str, Lots]) -> float:
        """A decided pool by the formula, each lot at the first tier where it no longer reaches any."""
        _, start, _, lots = given
        worth = -self.pool_cost(sum(mask for _, mask in lots))
        for name, mask in lots:
            offer = self.offers[name]
            tier = self.tier(mask, offer) or 0
            worth += sum(self.benefit(i, start, offer, tier) for i in self.members(mask))
            worth += self.kept(mask, offer, start) - self.policy["lot_cost_eur"]
        return worth

    def describe(self, family: str, start: int, lead: str, lots: Lots) -> Document:
        """The pool as a plan document has it."""
        count = int(self.policy["horizon_start"][:4]) * 12 + int(self.policy["horizon_start"][5:]) - 1 + start
        rows = []
        for name, mask in lots:
            offer = self.offers[name]
            tier = self.tier(mask, offer) or 0
            benefit = sum(self.benefit(i, start, offer, tier) for i in self.members(mask))
            rows.append(
                {
                    "offer": name,
                    "lines": [self.lines[i]["id"] for i in self.members(mask)],
                    "tier": tier,
                    "quantity": self.quantity(mask),
                    "sure_quantity": self.sure(mask),
                    "benefit_eur": benefit,
                }
            )
        return {"family": family, "start": f"{count // 12:04d}-{count % 12 + 1:02d}", "lead": lead, "lots": rows}

    # Leads --------------------------------------------------------------------------------------------------------

    def eligible(self, mask: int) -> frozenset[str]:
        """Who of the pool may lead it: rule 7, with what fixed pools leave of each one's leads."""
        return frozenset(
            name
            for name in self.people_of(mask)
            if self.people[name]["may_lead"]
            and self.people[name]["contracting_authority"]
            and self._leads_left(name) > 0
        )

    def free_lead(self, mask: int) -> str | None:
        """One who may lead the pool whatever else is led: their lines cannot be in more pools than they may lead."""
        own = {name: sum(self.lines[i]["participant"] == name for i in self.free) for name in self.people_of(mask)}
        return min((name for name in self.eligible(mask) if self._leads_left(name) >= own[name]), default=None)

    def _leads_left(self, name: str) -> float:
        limit = self.people[name]["max_leads"]
        return float("inf") if limit is None else max(0, limit - sum(lead == name for _, _, lead, _ in self.fixed))

    def assign(self, leads: Leads) -> tuple[str, ...] | None:
        """One lead for each set of candidates, none beyond what is left to them; None if there is no way."""
        if leads not in self._assigned:
            self._assigned[leads] = self._search(leads, ())
        return self._assigned[leads]

    def _search(self, leads: Leads, chosen: tuple[str, ...]) -> tuple[str, ...] | None:
        if len(chosen) == len(leads):
            return chosen
        for name in sorted(leads[len(chosen)]):
            if chosen.count(name) < self._leads_left(name):
                rest = self._search(leads, (*chosen, name))
                if rest is not None:
                    return rest
        return None

    # Quarters -----------------------------------------------------------------------------------------------------

    @cached_property
    def _caps(self) -> dict[tuple[str | None, int], int]:
        """(participant or None for the programme, quarter) -> pools left, where the free lines could exceed it."""
        caps = {}
        for name in (None, *self.people):
            limit = (self.policy if name is None else self.people[name])["max_pools_per_quarter"]
            most = sum(name in (None, self.lines[i]["participant"]) for i in self.free)
            for quarter in range((self.horizon + 2) // 3):
                used = sum(
                    0 <= start < self.horizon
                    and start // 3 == quarter
                    and name in (None, *self.people_of(sum(mask for _, mask in lots)))
                    for _, start, _, lots in self.fixed
                )
                if limit is not None and max(0, limit - used) < most:
                    caps[name, quarter] = max(0, limit - used)
        return caps

    # Counts against all these limits are packed into one integer, a field each. A field starts at "highest value less
    # what is left", so one pool too many sets its top bit; the field is wide enough that no sum runs into the next.

    @cached_property
    def _width(self) -> int:
        return len(self.free).bit_length() + 1

    @cached_property
    def _shift(self) -> dict[tuple[str | None, int], int]:
        return {key: position * self._width for position, key in enumerate(self._caps)}

    @cached_property
    def overflow(self) -> int:
        return sum(1 << (shift + self._width - 1) for shift in self._shift.values())

    @cached_property
    def slack(self) -> int:
        return sum(((1 << (self._width - 1)) - 1 - cap) << self._shift[key] for key, cap in self._caps.items())

    def pool_counts(self, mask: int, start: int) -> int:
        """What the pool adds to the packed counts."""
        keys = [(name, start // 3) for name in (None, *self.people_of(mask))]
        return sum(1 << self._shift[key] for key in keys if key in self._shift)
