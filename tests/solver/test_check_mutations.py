"""The judge on random instances: best plans pass, and whatever is changed in them passes only if it is still right."""

import copy
import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver.check import check
from tests.solver.brute import best
from tests.solver.brute_case import Case
from tests.solver.instances import Document, instances, month, random_instance
from tests.solver.plans import plan_document
from tests.solver.sound import sound

QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
Pools = list[Document]


@settings(max_examples=100, **QUIET)
@given(document=instances())
def test_the_best_plan_passes(document):
    total, pools = best(document)
    plan = plan_document(document, pools)
    assert plan["objective_eur"] == pytest.approx(total, abs=0.01)
    assert check(document, plan) == []


# Changes to the pools of a plan --------------------------------------------------------------------------------------


def lots_of(pools: Pools) -> list[Document]:
    return [lot for pool in pools for lot in pool["lots"]]


def move_a_line(case: Case, pools: Pools, chance: random.Random) -> None:
    """To another lot, out of the plan, or from outside it into a lot."""
    lots = lots_of(pools)
    row = chance.choice(case.lines)["id"]
    for lot in lots:
        if row in lot["lines"]:
            lot["lines"].remove(row)
    chance.choice([*lots, {"lines": []}])["lines"].append(row)


def double_a_line(case: Case, pools: Pools, chance: random.Random) -> None:
    chance.choice(lots_of(pools))["lines"].append(chance.choice(case.lines)["id"])


def change_a_start(case: Case, pools: Pools, chance: random.Random) -> None:
    chance.choice(pools)["start"] = month(case.policy["horizon_start"], chance.randint(-1, case.horizon))


def change_a_lead(case: Case, pools: Pools, chance: random.Random) -> None:
    chance.choice(pools)["lead"] = chance.choice(sorted(case.people))


def change_an_offer(case: Case, pools: Pools, chance: random.Random) -> None:
    chance.choice(lots_of(pools))["offer"] = chance.choice(sorted(case.offers))


def drop_a_lot(case: Case, pools: Pools, chance: random.Random) -> None:
    pool = chance.choice(pools)
    pool["lots"].remove(chance.choice(pool["lots"]))


def drop_a_pool(case: Case, pools: Pools, chance: random.Random) -> None:
    pools.remove(chance.choice(pools))


def merge_two_pools(case: Case, pools: Pools, chance: random.Random) -> None:
    kept, gone = chance.choice(pools), chance.choice(pools)
    if kept is not gone:
        kept["lots"] += gone["lots"]
        pools.remove(gone)


def split_a_lot(case: Case, pools: Pools, chance: random.Random) -> None:
    """Half of a lot's lines go to another month."""
    pool = chance.choice(pools)
    lot = chance.choice(pool["lots"])
    half = lot["lines"][len(lot["lines"]) // 2 :]
    lot["lines"] = [name for name in lot["lines"] if name not in half]
    start = month(case.policy["horizon_start"], chance.randrange(case.horizon))
    pools.append(pool | {"start": start, "lots": [{"offer": lot["offer"], "lines": half}]})


def add_a_pool(case: Case, pools: Pools, chance: random.Random) -> None:
    """Of lines of one category that stand nowhere, sound or not."""
    pooled = {name for lot in lots_of(pools) for name in lot["lines"]}
    free = [row for row in case.lines if row["id"] not in pooled]
    if not free or not case.offers:
        return
    offer = chance.choice(list(case.offers.values()))
    rows = [row for row in free if row["category"] == offer["category"]] or free
    start = month(case.policy["horizon_start"], chance.randrange(case.horizon))
    lots = [{"offer": offer["id"], "lines": [row["id"] for row in rows]}]
    pools.append(
        {"family": case.family(offer), "start": start, "lead": chance.choice(rows)["participant"], "lots": lots}
    )


CHANGES: tuple[Callable[[Case, Pools, random.Random], None], ...] = (
    move_a_line,
    double_a_line,
    change_a_start,
    change_a_lead,
    change_an_offer,
    drop_a_lot,
    drop_a_pool,
    merge_two_pools,
    split_a_lot,
    add_a_pool,
)


def tuples(case: Case, pools: Pools) -> list[Any]:
    number = {row["id"]: i for i, row in enumerate(case.lines)}
    return [
        (
            pool["family"],
            case.offset(pool["start"]),
            pool["lead"],
            tuple((lot["offer"], sum(1 << number[name] for name in set(lot["lines"]))) for lot in pool["lots"]),
        )
        for pool in pools
    ]


def each_line_once(pools: Pools) -> bool:
    return all(len(set(lot["lines"])) == len(lot["lines"]) for lot in lots_of(pools))


def same(first: Any, second: Any, key: str = "") -> bool:
    """Whether two plans say the same within the tolerances; the order of lines says nothing."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name], name) for name in first)
    if key == "unpooled":
        return sorted(row["line"] for row in first) == sorted(row["line"] for row in second)
    if key == "lines" and isinstance(first, list):
        return sorted(first) == sorted(second)
    if isinstance(first, list):
        return len(first) == len(second) and all(same(one, two) for one, two in zip(first, second))
    if isinstance(first, float) or isinstance(second, float):
        slack = 0.5 if key.endswith(("_eur", "_eur_per_year")) else 0.0
        return abs(first - second) <= 1e-6 * max(1.0, abs(second)) + slack
    return bool(first == second)


def judged_as_it_deserves(document: Document, chance: random.Random) -> tuple[bool, str]:
    """Changes the best plan once or twice and asks the judge; gives whether the result was valid, and the change."""
    case = Case(document)
    _, pools = best(document)
    plan = plan_document(document, pools)
    changed = copy.deepcopy(plan)
    names = []
    for _ in range(chance.choice((1, 1, 2))):
        whole = changed["pools"] and all(pool["lots"] for pool in changed["pools"])
        apply = chance.choice(CHANGES if whole else [add_a_pool])
        apply(case, changed["pools"], chance)
        names.append(apply.__name__)
    right = plan_document(document, changed["pools"])
    if chance.random() < 0.7:
        # Every figure is made to fit, so that only the change itself can be wrong
        changed = right
    valid = sound(case, tuples(case, changed["pools"])) and each_line_once(changed["pools"]) and same(changed, right)
    found = check(document, changed)
    assert (found == []) == valid, (names, [str(violation) for violation in found])
    return valid, names[0]


@settings(max_examples=150, **QUIET)
@given(document=instances(), seed=st.integers(0, 2**32))
def test_a_changed_plan_passes_only_if_it_is_right(document, seed):
    judged_as_it_deserves(document, random.Random(seed))


def test_every_change_is_met_both_right_and_wrong():
    """The positive control of the test above: its changes neither break every plan nor none."""
    outcomes: Counter[tuple[str, bool]] = Counter()
    for seed in range(500):
        valid, name = judged_as_it_deserves(random_instance(seed), random.Random(seed))
        outcomes[name, valid] += 1
    for change in CHANGES:
        assert outcomes[change.__name__, False] > 0, change
    may_be_right = {name for name, valid in outcomes if valid}
    assert may_be_right >= {"move_a_line", "change_a_start", "change_a_lead", "drop_a_lot", "drop_a_pool", "add_a_pool"}


@pytest.mark.prove
def test_a_changed_plan_passes_only_if_it_is_right_on_many():
    for seed in range(8000):
        judged_as_it_deserves(random_instance(seed), random.Random(seed))


# Changes to a document without regard to what it means ---------------------------------------------------------------

JUNK = (None, [], {}, "", "x", [None], {"x": 1}, -1, 10**400, 1e308, math.nan, -math.inf, True, [[[]]], "2027-01", "o")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document but the document itself."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [found for key in keys for found in ((*path, key), *places(value[key], (*path, key)))]


@settings(max_examples=250, **QUIET)
@given(seed=st.integers(0, 60), data=st.data())
def test_junk_anywhere_is_a_violation_and_never_an_exception(seed, data):
    document = random_instance(seed)
    plan = plan_document(document, best(document)[1])
    *parents, last = data.draw(st.sampled_from(places(plan)))
    place = plan
    for key in parents:
        place = place[key]
    before = place.pop(last)
    harmless = False
    if data.draw(st.booleans()):
        junk = data.draw(st.sampled_from(JUNK))
        if isinstance(place, list):
            place.insert(last, junk)
        else:
            place[last] = junk
        harmless = (last == "runtime_s" and junk == 1e308) or (type(junk) is type(before) and junk == before)
    assert (check(document, plan) == []) == harmless
