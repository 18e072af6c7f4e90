"""Pools handed in beside an instance: what is reckoned from them needs them to be of that instance."""

from collections.abc import Iterable, Iterator, Sequence

from solver.errors import Fault, InvalidPlan
from solver.instance import Instance, Line, Offer
from solver.months import is_month, offset
from solver.plan import PlanPool


def known_pools(instance: Instance, pools: Iterable[PlanPool]) -> tuple[PlanPool, ...]:
    """The pools, once all they name is known to the instance; raises `InvalidPlan` with every place that is wrong.

    Whether they keep the rules is not asked.
    """
    given = tuple(pools)
    reader = _Known(instance)
    faults = [fault for k, pool in enumerate(given) for fault in reader.faults_of(pool, f"pools[{k}]")]
    if faults:
        raise InvalidPlan.naming(faults)
    return given


class _Known:
    """What the instance knows, and which lines have been met."""

    def __init__(self, instance: Instance) -> None:
        self.family = {category.id: category.family for category in instance.categories}
        self.offers = {offer.id: offer for offer in instance.offers}
        self.lines = {line.id: line for line in instance.lines}
        self.people = {participant.id for participant in instance.participants}
        self.decided = {(pool.family, pool.start) for pool in instance.fixed}
        self.origin, self.months = instance.policy.horizon_start, instance.policy.horizon_months
        self.met: set[str] = set()
        self.places: set[tuple[str, str]] = set()

    def faults_of(self, pool: PlanPool, path: str) -> Iterator[Fault]:
        if pool.family not in self.family.values():
            yield Fault(f"{path}.family", pool.family, "name the family of one of categories")
        if pool.lead not in self.people:
            yield Fault(f"{path}.lead", pool.lead, "name one of participants")
        yield from self._start(pool, path)
        if not pool.lots:
            yield Fault(f"{path}.lots", [], "give the lots of the pool")
        for k, lot in enumerate(pool.lots):
            offer = self.offers.get(lot.offer)
            place = f"{path}.lots[{k}]"
            if offer is None or self.family[offer.category] != pool.family:
                yield Fault(f"{place}.offer", lot.offer, f"name an offer of a category of family {pool.family}")
            else:
                yield from self._lines(lot.lines, offer, f"{place}.lines")

    def _start(self, pool: PlanPool, path: str) -> Iterator[Fault]:
        place = (pool.family, pool.start)
        if not is_month(pool.start):
            yield Fault(f"{path}.start", pool.start, "give a month as YYYY-MM, zero-padded")
        elif place not in self.decided and not 0 <= offset(pool.start, self.origin) < self.months:
            remedy = f"give a month of the horizon: {self.months} months from {self.origin}"
            yield Fault(f"{path}.start", pool.start, remedy)
        if place in self.places:
            yield Fault(f"{path}.start", pool.start, f"family {pool.family} has a pool in this month before")
        self.places.add(place)

    def _lines(self, names: Sequence[str], offer: Offer, path: str) -> Iterator[Fault]:
        if not names:
            yield Fault(path, [], "name the lines of the lot")
        for name in names:
            line: Line | None = self.lines.get(name)
            if line is None or line.category != offer.category:
                yield Fault(path, name, f"name lines of category {offer.category}")
            elif name in self.met:
                yield Fault(path, name, "name each line once: it stands in the pools before")
            self.met.add(name)
