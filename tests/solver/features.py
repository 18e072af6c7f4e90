"""What an instance asks of a plan, feature by feature, and whether it tells: whether the best total is another without.

A feature *binds* in an instance where the best plan of the same instance without it is worth something else. Counted
over the instances that a test compares with brute force, this says what the comparison has really exercised.
"""

from collections.abc import Callable, Iterable

from tests.solver.brute import best
from tests.solver.brute_case import Case, Document

TELLING_EUR = 0.01
Binds = Callable[[Document, float], bool]
"""Whether a feature binds in the instance, given its best total."""


def binding(document: Document, total: float, among: Iterable[str] | None = None) -> set[str]:
    """The names of the features that bind, of all or of some."""
    return {name for name in (FEATURES if among is None else among) if FEATURES[name](document, total)}


def _differs(changed: Document, total: float, case: type[Case] = Case) -> bool:
    return abs(best(changed, case)[0] - total) > TELLING_EUR


def _policy(**without: object) -> Binds:
    """A feature of the policy and the values that turn it off."""

    def binds(document: Document, total: float) -> bool:
        policy = document["policy"]
        off = policy | without
        return off != policy and _differs(document | {"policy": off}, total)

    return binds


def _each(part: str, **without: object) -> Binds:
    """A feature of the entries of a list, and the values that turn it off."""

    def binds(document: Document, total: float) -> bool:
        off = [row | without for row in document[part]]
        return off != document[part] and _differs(document | {part: off}, total)

    return binds


def _forbidden(document: Document, total: float) -> bool:
    return bool(document["forbidden"]) and _differs(document | {"forbidden": []}, total)


def _previous(document: Document, total: float) -> bool:
    """Not only worth something: the plan that is best without it is no longer the best with it."""
    if not document["previous"] or not document["policy"]["stability_eur"]:
        return False
    case = Case(document)
    number = {row["id"]: i for i, row in enumerate(case.lines)}
    kept = 0.0
    for pool in best(document | {"previous": []})[1]:
        lots = [(lot["offer"], sum(1 << number[name] for name in lot["lines"])) for lot in pool["lots"]]
        kept += case.fixed_value((pool["family"], case.offset(pool["start"]), pool["lead"], tuple(lots)))
    return total - kept > TELLING_EUR


def _fixed(*, inside: bool) -> Binds:
    """Pools decided in the horizon or out of it: what they use up, not what they are worth, changes the rest."""

    def binds(document: Document, total: float) -> bool:
        case = Case(document)
        gone = [given for given in case.fixed if (0 <= given[1] < case.horizon) == inside]
        if not gone:
            return False
        names = {case.lines[i]["id"] for *_, lots in gone for _, mask in lots for i in case.members(mask)}
        starts = {(family, start) for family, start, *_ in gone}
        changed = {
            "fixed": [p for p in document["fixed"] if (p["family"], case.offset(p["start"])) not in starts],
            "lines": [row for row in document["lines"] if row["id"] not in names],
        }
        return _differs(document | changed, total - sum(case.fixed_value(given) for given in gone))

    return binds


class _NoPremium(Case):
    """No line that a new pool could take pays more than today."""

    def benefit(self, i: int, start: int, offer: Document, tier: int) -> float:
        if i in self.free and offer["tiers"][tier]["unit_price_eur"] > self.lines[i]["unit_price_eur"]:
            return -1e12
        return super().benefit(i, start, offer, tier)


class _OwnStarts(Case):
    """Pools start only where some line of the family can start at the earliest."""

    def __init__(self, instance: Document) -> None:
        super().__init__(instance)
        family = {row["id"]: row["family"] for row in instance["categories"]}
        self.earliest = {
            (family[row["category"]], max(0, self.offset(row["earliest_start"]))) for row in instance["lines"]
        }

    def fits(self, i: int, offer: Document, start: int) -> bool:
        return (self.family(offer), start) in self.earliest and super().fits(i, offer, start)


def _without(case: type[Case]) -> Binds:
    return lambda document, total: _differs(document, total, case)


FEATURES: dict[str, Binds] = {
    "programme's quarters": _policy(max_pools_per_quarter=None),
    "participants' quarters": _each("participants", max_pools_per_quarter=None),
    "most leads": _each("participants", max_leads=None),
    "who may lead": _each("participants", may_lead=True),
    "associates": _each("participants", contracting_authority=True),
    "least participants": _policy(min_participants=1),
    "confidence": _policy(confidence=0.5),
    "correlation": _policy(forecast_correlation=0),
    "forbidden": _forbidden,
    "fixed inside the horizon": _fixed(inside=True),
    "fixed outside the horizon": _fixed(inside=False),
    "previous": _previous,
    "largest lot": _each("offers", max_quantity=None),
    "supply of an offer": _each("offers", total_max_quantity=None),
    "widest pool": _policy(max_participants_per_pool=None),
    "most countries": _policy(max_countries_per_pool=None),
    "cost of countries": _policy(country_cost_eur=0),
    "green floor": _policy(green_floor=[]),
    "required": _each("lines", required=[]),
    "refused": _each("lines", refused=[]),
    "no one worse off": _policy(no_one_worse_off=False),
    "prices above a member's own": _without(_NoPremium),
    "starts that are no line's earliest": _without(_OwnStarts),
}
