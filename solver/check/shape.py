"""What a plan is made of: decided pools as given, one pool a family and month, every line in one place."""

from collections.abc import Iterable, Iterator

from solver.check.reckoning import Reckoning
from solver.check.violation import Violation


def fixed_pools_stand(case: Reckoning) -> Iterator[Violation]:
    """Each decided pool is there with its lead, its lots and their lines, no more and no less."""
    stated = {(pool.family, pool.start): pool for pool in case.plan.pools if pool.fixed}
    for k, given in enumerate(case.facts.fixed):
        pool = stated.get((given.family, given.start))
        if pool is None:
            yield Violation("fixed", "pools", f"fixed[{k}] ({given.family}) is not in the plan")
            continue
        if pool.lead is not None and pool.lead != given.lead:
            yield Violation("fixed", f"{pool.path}.lead", f"{pool.lead} leads, fixed[{k}] says {given.lead}")
        wanted = _lots((offer.id, [line.id for line in lines]) for offer, lines in given.lots)
        found = _lots((lot.offer.id, [line.id for _, line in lot.places]) for lot in pool.lots)
        if found != wanted:
            yield Violation("fixed", f"{pool.path}.lots", f"are {found}, fixed[{k}] says {wanted}")


def _lots(lots: Iterable[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Lots and lines in an order of their own: neither has one in a plan."""
    return sorted((offer, sorted(lines)) for offer, lines in lots)


def one_pool_a_family_and_start(case: Reckoning) -> Iterator[Violation]:
    first: dict[tuple[str, int], str] = {}
    for pool in case.plan.pools:
        key = (pool.family, pool.start)
        if key in first:
            yield Violation("pool", pool.path, f"{first[key]} has the same family and start")
        first.setdefault(key, pool.path)


def one_lot_an_offer(case: Reckoning) -> Iterator[Violation]:
    """And every lot is of the pool's family; a new pool has at least one lot."""
    for pool in case.plan.new:
        if not pool.lots:
            yield Violation("pool", f"{pool.path}.lots", "a pool needs a lot that can be read")
        first: dict[str, str] = {}
        for lot in pool.lots:
            if lot.offer.id in first:
                yield Violation("pool", lot.path, f"{first[lot.offer.id]} takes the same offer {lot.offer.id}")
            first.setdefault(lot.offer.id, lot.path)
            if lot.offer.family != pool.family:
                yield Violation("pool", lot.path, f"{lot.offer.id} is of family {lot.offer.family}, not {pool.family}")


def every_line_has_its_place(case: Reckoning) -> Iterator[Violation]:
    """A line stands in a pool or once in ``unpooled``."""
    pooled = {line.id for pool in case.plan.pools for line in pool.lines}
    first: dict[str, str] = {}
    for path, line, _ in case.plan.unpooled:
        if line.id in first:
            yield Violation("unpooled", path, f"{line.id} is already at {first[line.id]}: one reason a line")
        elif line.id in pooled:
            yield Violation("unpooled", path, f"{line.id} stands in a pool")
        first.setdefault(line.id, path)
    for name in case.facts.lines:
        if name not in pooled and name not in first:
            yield Violation("unpooled", "unpooled", f"{name} is in no pool and has no reason here")
