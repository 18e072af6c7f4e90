"""Who leads which pool: every pool one able member, nobody more than its limit (rule 7)."""

from collections.abc import Sequence

from solver.arrays import Floats


def assign_leads(able: Sequence[Sequence[int]], limit: Floats) -> list[int] | None:
    """A lead for each pool from its able members, best first in each list; None where no assignment exists.

    Augmenting paths: a pool takes its best member that has a lead left, or one whose pool can be led by another.
    """
    led: dict[int, list[int]] = {}
    lead = [-1] * len(able)

    def give(pool: int, person: int) -> bool:
        led.setdefault(person, []).append(pool)
        lead[pool] = person
        return True

    def place(pool: int, seen: set[int]) -> bool:
        people = [person for person in able[pool] if person not in seen]
        for person in people:
            if len(led.get(person, ())) < limit[person]:
                return give(pool, person)
        for person in people:
            if person in seen:
                continue
            seen.add(person)
            for other in list(led.get(person, ())):
                if place(other, seen):
                    led[person].remove(other)
                    return give(pool, person)
        return False

    return lead if all(place(pool, set()) for pool in range(len(able))) else None
