"""The rules of cycles at their borders: days in their time zone, steps, depths."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooling.cycles.rules import DEPTHS, STEPS, Depth, Given, Status, after, day_begins, shallowest
from pooling.errors import BadFields, WrongState

DAYS: dict[str, Any] = {
    "opens_on": date(2026, 11, 1),
    "closes_on": date(2026, 11, 30),
    "plan_by": date(2026, 12, 15),
    "decide_by": date(2027, 1, 31),
}


def made(**changes: Any) -> Given:
    return Given(**{"name": "Autumn", "time_zone": "Europe/Copenhagen", **DAYS, **changes})


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Europe/Copenhagen", date(2026, 12, 1), datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("Europe/Helsinki", date(2026, 12, 1), datetime(2026, 11, 30, 22, tzinfo=UTC)),
        ("Europe/Copenhagen", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("Europe/Copenhagen", date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Atlantic/Reykjavik", date(2026, 7, 1), datetime(2026, 7, 1, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_the_cycle_is(zone: str, day: date, begins: datetime) -> None:
    assert day_begins(day, zone) == begins


@given(st.dates(date(2000, 1, 1), date(2190, 1, 1)), st.sampled_from(["Europe/Oslo", "America/Nuuk", "UTC"]))
def test_the_last_instant_before_a_day_is_of_the_day_before(day: date, zone: str) -> None:
    begins = day_begins(day, zone)
    there = ZoneInfo(zone)
    assert begins.astimezone(there).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(there).date() == day - timedelta(days=1)


def test_a_depth_is_the_shallowest_of_all_and_none_asks_for_nothing() -> None:
    assert shallowest([]) is Depth.JOINT
    assert shallowest([None, None], most="framework") is Depth.FRAMEWORK
    for first, second in product(DEPTHS, DEPTHS):
        assert shallowest([first, None, second]) is DEPTHS[min(DEPTHS.index(first), DEPTHS.index(second))]


def test_each_step_is_taken_from_its_statuses_and_no_other() -> None:
    taken = set()
    for step, status in product(STEPS, Status):
        with suppress(WrongState):
            taken.add((step, status.value, after(step, status, "cycle 'c'").value))
    assert taken == {
        ("open", "announced", "open"),
        ("close", "open", "closed"),
        ("reopen", "closed", "open"),
        ("plan", "closed", "planned"),
        ("plan", "planned", "planned"),
        ("decide", "planned", "decided"),
    }


def test_all_on_one_day_is_the_shortest_cycle() -> None:
    day = DAYS["opens_on"]
    made(**dict.fromkeys(DAYS, day))
    for name in ("closes_on", "plan_by", "decide_by"):
        with pytest.raises(BadFields, match=f"#/{name}"):
            made(**{**dict.fromkeys(DAYS, day), name: day - timedelta(days=1)})


def test_every_fault_is_told_at_once_with_a_remedy() -> None:
    with pytest.raises(BadFields) as refused:
        made(time_zone="Europe/Copenhagn", closes_on=date(2026, 10, 1), decide_by=date(2300, 1, 1))
    assert [fault.pointer for fault in refused.value.faults] == ["#/time_zone", "#/decide_by", "#/closes_on"]
    assert "did you mean Europe/Copenhagen" in refused.value.faults[0].detail
