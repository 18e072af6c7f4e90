"""What the policy decides on each role, and that rows say what they mean."""

from uuid import uuid4

import pytest

from pooling.access.matrix import ALL, MATRIX, NO, OWN, PLANNING, UNSEEN, Row
from pooling.access.policy import permit
from pooling.access.rules import EVERYONE, NO_ONE, SCOPES, Kind, Principal, Role, Visible, checked_roles, checked_scopes
from pooling.demand.tables import Line
from pooling.errors import BadInput, NotAllowed, NotFound


def who(
    *roles: Role, participants: tuple[str, ...] = (), scopes: frozenset[str] = frozenset(), **more: object
) -> Principal:
    return Principal(
        id=uuid4(), kind="person", roles=frozenset(roles), participants=frozenset(participants), scopes=scopes, **more
    )


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MATRIX, "x.own", Row(coordinator=OWN, planner=ALL, partner=OWN, scope="forecasts:read"))
    monkeypatch.setitem(MATRIX, "x.unseen", PLANNING)
    monkeypatch.setitem(MATRIX, "x.planner", Row(planner=ALL))


COORDINATOR = who(Role.COORDINATOR, participants=("SE-M",))


def test_who_may_on_any_resource_is_let_on() -> None:
    assert permit(COORDINATOR, "x.own") is MATRIX["x.own"]
    assert permit(who(Role.AUDITOR), "x.unseen").auditor == ALL


def test_who_may_not_is_told_who_may() -> None:
    with pytest.raises(NotAllowed, match=r"x\.planner is for planner"):
        permit(COORDINATOR, "x.planner")


def test_what_may_not_be_known_is_not_there() -> None:
    with pytest.raises(NotFound) as refusal:
        permit(COORDINATOR, "x.unseen")
    assert "planner" not in str(refusal.value)


def test_an_operation_without_row_is_a_fault() -> None:
    with pytest.raises(KeyError):
        permit(COORDINATOR, "x.unknown")


def test_of_several_roles_the_one_that_may_counts() -> None:
    both = who(Role.COORDINATOR, Role.PLANNER, participants=("SE-M",))
    permit(both, "x.unseen")
    assert both.sees.all


def test_a_partner_needs_the_scope() -> None:
    with pytest.raises(NotAllowed, match="forecasts:read"):
        permit(who(Role.PARTNER, participants=("SE-M",), scopes=SCOPES - {"forecasts:read"}), "x.own")
    permit(who(Role.PARTNER, participants=("SE-M",), scopes=frozenset({"forecasts:read"})), "x.own")


def test_a_one_time_secret_makes_a_key_and_nothing_else() -> None:
    once = who(Role.ADMINISTRATOR, once=True)
    permit(once, "keys.create")
    permit(once, "me.read")
    for operation in sorted(MATRIX.keys() - {"keys.create", "me.read"}):
        with pytest.raises((NotAllowed, NotFound)):
            permit(once, operation)


def test_rows_that_would_mean_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="scope"):
        Row(partner=ALL)
    with pytest.raises(ValueError, match="not one of"):
        Row(partner=ALL, scope="everything")


def test_no_role_that_sees_no_prices_may_do_what_shows_them() -> None:
    subjects = (
        "lines.",
        "forecasts.",
        "submissions.",
        "uploads.",
        "offers.",
        "plans.",
        "pools.",
        "outcomes.",
        "shares.",
    )
    open_to = [
        name for name, row in MATRIX.items() if name.startswith(subjects) and row.administrator not in (NO, UNSEEN)
    ]
    assert open_to == []


def test_visible_is_a_condition_for_queries() -> None:
    assert str(EVERYONE.clause(Line.participant)) == "true"
    chosen = Visible(participants=frozenset({"SE-M", "DK-82"})).clause(Line.participant)
    assert "line.participant IN" in str(chosen)
    assert "DK-82" in Visible(participants=frozenset({"DK-82"}))
    assert "DK-82" not in NO_ONE


@pytest.mark.parametrize(
    ("role", "all_", "named"),
    [
        (Role.COORDINATOR, False, {"SE-M"}),
        (Role.PARTNER, False, {"SE-M"}),
        (Role.PLANNER, True, set()),
        (Role.AUDITOR, True, set()),
        (Role.ADMINISTRATOR, False, set()),
    ],
)
def test_each_role_sees_what_it_should(role: Role, all_: bool, named: set[str]) -> None:
    sees = who(role, participants=("SE-M",)).sees
    assert (sees.all, set(sees.participants)) == (all_, named)


@pytest.mark.parametrize(
    ("kind", "roles", "participants", "told"),
    [
        ("person", set(), set(), "none is given"),
        ("person", {Role.COORDINATOR}, set(), "participants are missing"),
        ("person", {Role.PARTNER}, {"SE-M"}, "it is for systems"),
        ("key", {Role.PLANNER}, {"SE-M"}, "partner alone"),
        ("key", {Role.PARTNER, Role.PLANNER}, {"SE-M"}, "partner alone"),
        ("person", {Role.ADMINISTRATOR}, {"SE-M"}, "leave them out"),
    ],
)
def test_roles_that_do_not_fit_are_refused(kind: Kind, roles: set[Role], participants: set[str], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        checked_roles(kind, frozenset(roles), frozenset(participants))


def test_a_scope_that_is_likely_a_slip_is_named() -> None:
    with pytest.raises(BadInput, match="did you mean forecasts:read"):
        checked_scopes(frozenset({"forecast:read"}))
