"""Which transition follows which, who may be told a whole, and how deep a tender goes: every case there is."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pooling.errors import BadFields, WrongState
from pooling.tenders.disclosure import Hidden, hidden
from pooling.tenders.rules import MOVES, Status, Step, checked_depth, move

LAWFUL = {
    ("proposed", "review"): "under-review",
    ("under-review", "invite"): "invited",
    ("invited", "confirm"): "confirmed",
    ("confirmed", "hand-over"): "handed-over",
    **{(status, "reject"): "rejected" for status in ("proposed", "under-review", "invited")},
    **{(status, "expire"): "expired" for status in ("proposed", "under-review", "invited")},
}


@pytest.mark.parametrize(("status", "step"), list(product(Status, Step)))
def test_every_transition(status: Status, step: Step) -> None:
    if (status.value, step.value) in LAWFUL:
        assert move(status, step, place="t").after == LAWFUL[status.value, step.value]
    else:
        with pytest.raises(WrongState, match=f"t is {status}"):
            move(status, step, place="t")


def test_every_step_is_in_the_table() -> None:
    assert set(MOVES) == set(Step)


def test_a_planner_may_choose_shallower_and_never_deeper() -> None:
    assert checked_depth("criteria", deepest="framework") == "criteria"
    assert checked_depth("framework", deepest="framework") == "framework"
    with pytest.raises(BadFields, match="no deeper than framework"):
        checked_depth("joint", deepest="framework")


def test_a_whole_is_told_only_where_nobody_follows_from_it() -> None:
    two = {"A": 50, "B": 50}
    assert hidden(two, {"A"}, changed=False) is Hidden.TOO_FEW
    three = {"A": 10, "B": 50, "C": 50}
    assert hidden(three, {"A"}, changed=False) is None
    assert hidden(three, {"A", "C"}, changed=False) is Hidden.TOO_FEW, "the reader knows two of three"
    assert hidden({"A": 10, "B": 80, "C": 20}, {"A"}, changed=False) is None, "80 of 100"
    assert hidden({"A": 10, "B": 81, "C": 19}, {"A"}, changed=False) is Hidden.DOMINATED
    assert hidden({"A": 10, "B": 81, "C": 19}, {"B"}, changed=False) is None, "the large one may know it"
    assert hidden({"A": 10, "B": 50, "C": 0}, {"A"}, changed=False) is Hidden.TOO_FEW, "nothing is nobody's"
    assert hidden(three, {"A"}, changed=True) is Hidden.CHANGED


@given(
    some.dictionaries(some.sampled_from("ABCDEFG"), some.integers(0, 1000), min_size=1),
    some.sets(some.sampled_from("ABCDEFG"), min_size=1),
)
def test_what_is_told_leaves_everyone_uncertain_by_a_fifth_of_the_others(
    volumes: dict[str, int], known: set[str]
) -> None:
    if hidden(volumes, known, changed=False) is None:
        others = {code: volume for code, volume in volumes.items() if code not in known}
        for volume in others.values():
            assert volume <= 0.8 * sum(others.values()), "the rest of the sum could be anybody's"
            assert volume < sum(others.values())
