"""Why lines stay out: the closed list, and what of it follows from the instance alone.

The first seven reasons need no plan to be judged. Where the contract leaves room (does an offer above its size limit
still fit, is a line of a decided pool still a partner?), a reason is refused only if no reading allows it. So it is
with the next two: volume is surely short where no choice of lines at all reaches a tipping volume, and surely not where
a lawful lot with the line does; a line surely is not worth it where it would lose anywhere, and surely is where it
gains in a lawful lot. A limit can be the reason only where there is one.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

from solver.check.facts import Facts, Line, Offer
from solver.check.reach import Place, Reach
from solver.check.reckoning import Reckoning
from solver.check.violation import Violation
from solver.check.worth import tolerance

REASONS = (
    "outside_horizon",
    "forbidden",
    "no_offer",
    "criteria_unmet",
    "criteria_refused",
    "too_large",
    "no_partner",
    "volume_short",
    "not_worth_it",
    "capacity",
    "better_without",
)
"""In the order in which the first that applies is the one to state."""


def reasons_are_the_first_that_apply(case: Reckoning) -> Iterator[Violation]:
    judges: dict[str, CategoryReasons] = {}
    by_category: dict[str, list[Line]] = {}
    for line in case.facts.lines.values():
        by_category.setdefault(line.category, []).append(line)
    for path, line, reason in case.plan.unpooled:
        if reason not in REASONS:
            yield Violation("reason", f"{path}.reason", f"{reason!r} is none of {', '.join(REASONS)}")
            continue
        if line.category not in judges:
            judges[line.category] = CategoryReasons(case.facts, by_category[line.category])
        problem = judges[line.category].problem(line, reason)
        if problem:
            yield Violation("reason", f"{path}.reason", f"{line.id}: {problem}")


class CategoryReasons:
    """What keeps lines of one category out whatever the plan."""

    def __init__(self, facts: Facts, lines: Sequence[Line]) -> None:
        self.facts = facts
        self.lines = lines
        self.offers = [offer for offer in facts.offers.values() if offer.category == lines[0].category]
        self.green = [offer for offer in self.offers if facts.policy.green_floor <= offer.criteria]

    def problem(self, line: Line, reason: str) -> str | None:
        """What is wrong with the reason, None if it may stand."""
        for earlier in REASONS[: REASONS.index("volume_short")]:
            surely, possibly = self._applies(line, earlier)
            if earlier == reason:
                return None if possibly else f"{reason} does not apply"
            if surely:
                return f"{earlier} applies before {reason}"
        if reason == "volume_short":
            found = self._reach.lot_with(line, least_benefit=-math.inf)
            return found and f"{len(found[1])} lines reach a tier of {found[0][1]} at offset {found[0][0]}"
        if self._reach.volume_lacks(line):
            return f"volume_short applies before {reason}"
        if reason == "not_worth_it":
            found = self._reach.lot_with(line, least_benefit=tolerance(line.spend))
            return found and f"it gains in a lot of {len(found[1])} lines on {found[0][1]} at offset {found[0][0]}"
        if self._reach.worth_lacks(line):
            return f"not_worth_it applies before {reason}"
        return "no limit is given" if reason == "capacity" and not self._limited else None

    def _applies(self, line: Line, reason: str) -> tuple[bool, bool]:
        """Whether the reason applies on every reading of the contract, and on some reading."""
        meeting = [offer for offer in self.green if line.required <= offer.criteria]
        open_to = [offer for offer in meeting if not line.refused & offer.criteria]
        starts = self._starts(line)
        if reason == "forbidden":
            return self._forbidden(line, starts, (self.offers, self.green, meeting, open_to))
        if reason == "too_large":
            return _too_large(line, self.offers), _too_large(line, open_to)
        if reason == "no_partner":
            return self._alone(line, starts, open_to)
        plain = {
            "outside_horizon": not starts,
            "no_offer": not self.green,
            "criteria_unmet": not meeting,
            "criteria_refused": not open_to,
        }
        return plain[reason], plain[reason]

    def _starts(self, line: Line) -> range:
        return range(max(0, line.earliest), min(self.facts.policy.horizon_months - 1, line.latest) + 1)

    def _forbidden(self, line: Line, starts: range, offers: Sequence[Sequence[Offer]]) -> tuple[bool, bool]:
        """Surely: barred from every offer of the category. Possibly: from all those that would do otherwise."""
        if not self.facts.bans:
            return False, False
        barred = all(self.facts.forbidden(line, start, None) for start in starts)
        among = [
            bool(kind) and all(self.facts.forbidden(line, start, offer) for start in starts for offer in kind)
            for kind in (*offers, [offer for offer in offers[-1] if not _too_large(line, [offer])])
        ]
        return barred or among[0], barred or any(among)

    def _alone(self, line: Line, starts: range, offers: Sequence[Offer]) -> tuple[bool, bool]:
        """Surely: too few of all lines fit. Possibly: too few that no decided pool holds and no size limit bars."""
        places = [
            (start, offer) for offer in offers for start in starts if not self.facts.forbidden(line, start, offer)
        ]
        most = max((len(self._authorities[start, offer.id][0]) for start, offer in places), default=None)
        least = max(
            (
                len(self._authorities[start, offer.id][1])
                for start, offer in places
                if not _too_large(line, [offer]) and (line.family, start) not in self._decided
            ),
            default=0,
        )
        enough = self.facts.policy.min_participants
        return most is not None and most < enough, most is None or least < enough

    @cached_property
    def _decided(self) -> set[tuple[str, int]]:
        return {(pool.family, pool.start) for pool in self.facts.fixed}

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.facts, {offer.id: offer for offer in self.offers}, self._fitting)

    @cached_property
    def _limited(self) -> bool:
        """Whether anything there is could be too little: sizes, supply, quarters, leads, or a month already decided."""
        policy = self.facts.policy
        people = {line.participant for line in self.lines}
        limits = [policy.max_pools_per_quarter, policy.max_participants_per_pool, policy.max_countries_per_pool]
        limits += [limit for offer in self.offers for limit in (offer.max_quantity, offer.total_max_quantity)]
        limits += [limit for person in people for limit in (person.max_leads, person.max_pools_per_quarter)]
        able = all(person.authority and person.may_lead for person in people)
        return bool(self.facts.fixed) or not able or any(limit is not None for limit in limits)

    @cached_property
    def _fitting(self) -> dict[Place, list[Line]]:
        """At each place the lines that rule 1 lets in, those of decided pools too."""
        found: dict[Place, list[Line]] = {
            (start, offer.id): [] for offer in self.green for start in range(self.facts.policy.horizon_months)
        }
        for line in self.lines:
            for offer in self.green:
                if line.required <= offer.criteria and not line.refused & offer.criteria:
                    for start in self._starts(line):
                        if not self.facts.forbidden(line, start, offer):
                            found[start, offer.id].append(line)
        return found

    @cached_property
    def _authorities(self) -> dict[Place, tuple[set[str], set[str]]]:
        """At each place the authorities whose lines fit: all, and of lines still free and small enough."""
        decided = {line.id for pool in self.facts.fixed for _, lines in pool.lots for line in lines}
        found: dict[Place, tuple[set[str], set[str]]] = {}
        for place, lines in self._fitting.items():
            offer = self.facts.offers[place[1]]
            authorities = [line for line in lines if line.participant.authority]
            free = [line for line in authorities if line.id not in decided and not _too_large(line, [offer])]
            found[place] = ({line.participant.id for line in authorities}, {line.participant.id for line in free})
        return found


def _too_large(line: Line, offers: Sequence[Offer]) -> bool:
    """Above the size limit of every offer; of none if there is none."""
    return bool(offers) and all(
        offer.max_quantity is not None and line.quantity > offer.max_quantity for offer in offers
    )
