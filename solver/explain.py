"""Why a line is in no pool: the first reason of the contract's list that applies, with its figures.

The last two reasons are settled by solving again as far as the work allowed goes (`confirming`), else estimated
(`joining`). Of the last four each says whether it is confirmed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from solver.confirming import Confirming
from solver.instance import Line, Offer
from solver.joining import Joining, Reached, Standing
from solver.lots import WORSE_OFF_TOLERANCE, Market
from solver.months import month_at
from solver.plan import PlanPool, Reason, Unpooled
from solver.shelves import Crowd, Shelf
from solver.terms import suits, window
from solver.worth import Worth

BY_PLAN = (Reason.CAPACITY, Reason.BETTER_WITHOUT)
"""The reasons that turn on the plan, not on the instance alone."""


def explain_unpooled(
    market: Market, worth: Worth, pools: Sequence[PlanPool], confirming: Confirming | None = None
) -> tuple[Unpooled, ...]:
    """A reason for every line in no pool, in the order of the instance's lines.

    With ``confirming`` lines are solved for again, those of the largest spend first, until its work is done.
    """
    standing = Standing(market, worth, pools)
    of_category: dict[str, list[Line]] = defaultdict(list)
    fixed = {line for pool in market.instance.fixed for lot in pool.lots for line in lot.lines}
    for line in market.instance.lines:
        if line.id not in fixed:
            of_category[line.category].append(line)
    shelves = {category: Shelf(market, category, lines) for category, lines in of_category.items()}
    found = {
        line.id: _Case(standing, shelves[line.category], line).reason()
        for line in market.instance.lines
        if line.id not in standing.of_line
    }
    if confirming is not None:
        by_plan = [worth.lines[name] for name, entry in found.items() if entry.reason in BY_PLAN]
        for line in sorted(by_plan, key=lambda line: -line.quantity * line.unit_price_eur):
            found[line.id] = confirming.settled(standing, line) or found[line.id]
    return tuple(found.values())


class _Case(Joining):
    """One line without a pool."""

    def reason(self) -> Unpooled:
        for rule in (self._by_window, self._by_offers, self._by_volume):
            found = rule()
            if found is not None:
                return found
        return self._by_value()

    def _is(self, reason: Reason, **figures: object) -> Unpooled:
        return Unpooled(self.line.id, reason, figures)

    def _by_window(self) -> Unpooled | None:
        first, last = window(self.line, self.instance)
        if first > last:
            horizon = month_at(self.policy.horizon_start, self.policy.horizon_months - 1)
            return self._is(
                Reason.OUTSIDE_HORIZON,
                latest_start=self.line.latest_start,
                earliest_start=self.line.earliest_start,
                horizon_start=self.policy.horizon_start,
                horizon_end=horizon,
            )
        months = self.market.prohibitions.months
        names = [offer.id for offer in self.shelf.offers] or [""]
        if not any(months(self.line.id, offer, first, last) for offer in names):
            return self._is(Reason.FORBIDDEN, months=last - first + 1)
        return None

    def _by_offers(self) -> Unpooled | None:
        floor = self.policy.green_floor
        green = [offer for offer in self.shelf.offers if set(offer.criteria).issuperset(floor)]
        if not green:
            return self._is(Reason.NO_OFFER, offers=len(self.shelf.offers))
        meeting = [offer for offer in green if set(offer.criteria).issuperset(self.line.required)]
        if not meeting:
            unmet = min((sorted(set(self.line.required) - set(offer.criteria)) for offer in green), key=len)
            return self._is(Reason.CRITERIA_UNMET, unmet_criteria=unmet)
        accepted = [offer for offer in meeting if suits(self.line, offer, floor)]
        if not accepted:
            refused = min((sorted(set(self.line.refused) & set(offer.criteria)) for offer in meeting), key=len)
            return self._is(Reason.CRITERIA_REFUSED, refused_criteria=refused)
        ceilings = [offer.max_quantity for offer in accepted]
        if all(ceiling is not None and self.line.quantity > ceiling for ceiling in ceilings):
            largest = max(ceiling for ceiling in ceilings if ceiling is not None)
            return self._is(Reason.TOO_LARGE, quantity=self.line.quantity, max_quantity=largest)
        return None

    def _by_volume(self) -> Unpooled | None:
        shelf, position = self.shelf, self.position
        months = [np.flatnonzero(fits[position]).tolist() for fits in shelf.fits]
        if not any(months):
            return self._is(Reason.FORBIDDEN, months=0)
        own = {int(shelf.participant[position])} if shelf.authority[position] else set()
        most = max(len(shelf.partners(o, month) | own) for o, free in enumerate(months) for month in free)
        if most < self.policy.min_participants:
            return self._is(Reason.NO_PARTNER, authorities=most, min_participants=self.policy.min_participants)
        self.reached: list[Reached] = []
        self.proven = True
        short: list[tuple[bool, float, int, int]] = []
        for o, offer in enumerate(shelf.offers):
            for month in months[o]:
                for tier in range(len(offer.tiers)):
                    reaches = shelf.reaches(position, o, tier, month)
                    self.proven = self.proven and reaches is not None
                    if reaches:
                        self.reached.append(Reached(o, tier, month, shelf.benefit(position, o, tier, month)))
                    elif tier == 0:
                        crowd = shelf.crowd(o, tier, month)
                        enough = shelf.authorities_with(position, crowd) >= self.policy.min_participants
                        bound = shelf.at_most(position, crowd, offer) / offer.tiers[0].from_quantity
                        short.append((enough, bound, o, month))
        return None if self.reached else self._is(Reason.VOLUME_SHORT, **self._short(short))

    def _short(self, places: Sequence[tuple[bool, float, int, int]]) -> Mapping[str, object]:
        """The place where the best choice comes closest to the tipping volume; ``places``: whether authorities are
        enough, and a bound on the share of that volume."""
        best: tuple[bool, float] = False, float("-inf")
        figures: Mapping[str, object] = {}
        for enough, bound, o, month in sorted(places, key=lambda place: (-place[0], -place[1])):
            if figures and best >= (enough, bound):
                break
            offer, crowd = self.shelf.offers[o], self.shelf.crowd(o, 0, month)
            if figures and best >= (
                enough,
                self.shelf.most_sure(self.position, crowd, offer) / offer.tiers[0].from_quantity,
            ):
                continue
            lawful, sure, proven = self._largest(crowd, offer, enough)
            share = sure / offer.tiers[0].from_quantity
            if (lawful, share) > best:
                best = lawful, share
                figures = self._volumes(offer, month, sure, crowd) | {"confirmed": self.proven and proven}
        return figures

    def _largest(self, crowd: Crowd, offer: Offer, enough: bool) -> tuple[bool, float, bool]:
        """The largest sure quantity with enough authorities where there is such a choice, else without."""
        least = self.policy.min_participants if enough else 0
        sure, proven = self.shelf.largest_sure(self.position, crowd, offer, least)
        if np.isfinite(sure):
            return enough, sure, proven
        return False, self.shelf.largest_sure(self.position, crowd, offer, 0)[0], proven

    def _volumes(self, offer: Offer, month: int, sure: float, crowd: Crowd) -> dict[str, object]:
        """What a choice of those who would gain there brings, and how many authorities they are in all."""
        tipping = offer.tiers[0].from_quantity
        return {
            "offer": offer.id,
            "start": self._month(month),
            "best_sure_quantity": sure,
            "tipping_quantity": tipping,
            "missing_quantity": max(0.0, tipping - sure),
            "willing_authorities": self.shelf.authorities_with(self.position, crowd),
            "min_participants": self.policy.min_participants,
        }

    def _by_value(self) -> Unpooled:
        best = max(self.reached, key=lambda reached: reached.benefit_eur)
        spend = self.line.quantity * self.line.unit_price_eur
        if best.benefit_eur < -WORSE_OFF_TOLERANCE * max(1.0, spend):
            return self._is(
                Reason.NOT_WORTH_IT,
                best_benefit_eur=best.benefit_eur,
                offer=self.shelf.offers[best.offer].id,
                start=self._month(best.month),
                confirmed=self.proven,
            )
        return self._estimated()

    def _estimated(self) -> Unpooled:
        """Capacity or better without, by what joining the plan as it stands would change."""
        options = [self.at(reached) for reached in self.reached]
        change, limit, reached = max(options, key=lambda option: option[0])
        lawful = max((option[0] for option in options if option[1] is None), default=-np.inf)
        place = {"offer": self.shelf.offers[reached.offer].id, "start": self._month(reached.month), "confirmed": False}
        if limit is not None and change > 0 and lawful <= 0:
            return self._is(Reason.CAPACITY, limit=limit, would_add_eur=change, **place)
        loss = -lawful if np.isfinite(lawful) else -change
        return self._is(Reason.BETTER_WITHOUT, lowers_total_by_eur=loss if 0 < loss < np.inf else None, **place)
