"""The projection: what of an answer each reader is shown, and whose figures that were."""

from collections.abc import Collection
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS, File, Unprojectable, mark, project
from pooling.access.rules import Principal, Role
from pooling.errors import NotFound


def who(role: Role, *participants: str) -> Principal:
    return Principal(id=uuid4(), kind="person", roles=frozenset({role}), participants=frozenset(participants))


SKANE = who(Role.COORDINATOR, "SE-M")
PARTNER = who(Role.PARTNER, "SE-M")
PLANNER = who(Role.PLANNER)
AUDITOR = who(Role.AUDITOR)
KEEPER = who(Role.ADMINISTRATOR)
EMPLOYED = Principal(
    id=uuid4(), kind="person", roles=frozenset({Role.PLANNER, Role.COORDINATOR}), participants=frozenset({"SE-M"})
)
CLOSED = (SKANE, PARTNER, KEEPER)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    original_quantity: Annotated[str, OWN] | UnsetType = UNSET


class Line(msgspec.Struct, frozen=True, kw_only=True):
    owner: ClassVar[tuple[str, ...]] = ("participant", "sent_as")
    participant: str
    sent_as: str
    rows: Annotated[int, OPEN] = 1
    quantity: Annotated[int, Meta(ge=0), OWN] | UnsetType = UNSET
    price: Annotated[float | None, OWN] | UnsetType = UNSET
    near_miss: Annotated[int, PLANNERS] | UnsetType = UNSET
    origin: Origin = Origin(file="a.csv")


class Share(msgspec.Struct, frozen=True):
    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    gain: Annotated[float, OWN]


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    owner: ClassVar[str] = "members"
    members: list[str]
    total: Annotated[int, PLANNERS] | UnsetType = UNSET
    shares: list[Share] = []
    lines: dict[str, Line] = {}


class Page(msgspec.Struct, frozen=True):
    items: list[Line]
    next_cursor: str | None = None


def line(participant: str = "SE-M", sent_as: str | None = None, **more: Any) -> Line:
    figures = {"quantity": 7, "price": 2.5, "near_miss": 3, "origin": Origin(file="a", original_quantity="7 st")}
    return Line(participant=participant, sent_as=sent_as or participant, **{**figures, **more})


def as_json(body: Any, reader: Principal) -> Any:
    return msgspec.to_builtins(project(body, reader)[0])


def test_the_owner_sees_own_figures_and_not_the_planners() -> None:
    assert (
        as_json(line(), SKANE)
        == as_json(line(), PARTNER)
        == {
            "participant": "SE-M",
            "sent_as": "SE-M",
            "rows": 1,
            "quantity": 7,
            "price": 2.5,
            "origin": {"file": "a", "original_quantity": "7 st"},
        }
    )


@pytest.mark.parametrize("reader", [PLANNER, AUDITOR, EMPLOYED])
def test_planners_and_auditors_see_all_of_it_unchanged(reader: Principal) -> None:
    body = line("DK-82")
    assert project(body, reader)[0] is body


@pytest.mark.parametrize("reader", CLOSED)
def test_others_figures_are_absent_and_neither_zero_nor_null(reader: Principal) -> None:
    shown = as_json(line("DK-82"), reader)
    assert shown == {"participant": "DK-82", "sent_as": "DK-82", "rows": 1, "origin": {"file": "a"}}


def test_whoever_sent_a_line_that_another_holds_now_sees_it_too() -> None:
    assert as_json(line("DK-OST", sent_as="DK-84"), who(Role.COORDINATOR, "DK-84"))["quantity"] == 7
    assert as_json(line("DK-OST", sent_as="DK-84"), who(Role.COORDINATOR, "DK-OST"))["quantity"] == 7
    assert "quantity" not in as_json(line("DK-OST", sent_as="DK-84"), SKANE)


def test_items_that_may_not_be_seen_are_dropped() -> None:
    pool = Pool(members=["SE-M", "DK-82"], total=99, shares=[Share("SE-M", 1.5), Share("DK-82", 2.5)])
    assert as_json(pool, SKANE)["shares"] == [{"participant": "SE-M", "gain": 1.5}]
    assert as_json(pool, KEEPER)["shares"] == []
    assert len(as_json(pool, PLANNER)["shares"]) == 2


def test_a_whole_body_that_may_not_be_seen_is_not_there() -> None:
    with pytest.raises(NotFound):
        project(Share("DK-82", 2.5), SKANE)


def test_models_in_models_keep_the_owner_they_are_in_or_name_their_own() -> None:
    pool = Pool(members=["SE-M"], lines={"a": line("SE-M"), "b": line("DK-82")})
    shown = as_json(pool, SKANE)["lines"]
    assert ("quantity" in shown["a"], "quantity" in shown["b"]) == (True, False)


def test_a_figure_of_several_participants_is_none_of_theirs_alone() -> None:
    class Sum(msgspec.Struct, frozen=True):
        owner: ClassVar[str] = "members"
        members: list[str]
        total: Annotated[int, OWN] | UnsetType = UNSET

    assert "total" not in as_json(Sum(["SE-M", "DK-82"], 5), SKANE)
    assert as_json(Sum(["SE-M", "DK-82"], 5), who(Role.COORDINATOR, "SE-M", "DK-82"))["total"] == 5
    assert "total" not in as_json(Sum([], 5), SKANE)


def test_an_own_figure_of_nobody_is_the_planners() -> None:
    assert as_json(Origin(file="a", original_quantity="7"), SKANE) == {"file": "a"}
    assert as_json(Origin(file="a", original_quantity="7"), PLANNER)["original_quantity"] == "7"


def test_unknown_is_null_for_who_may_see_it_absent_for_others_and_no_reading() -> None:
    body = Line(participant="DK-82", sent_as="DK-82", price=None)
    assert as_json(body, PLANNER)["price"] is None
    assert "price" not in as_json(body, SKANE)
    assert project(body, PLANNER)[1] == frozenset()


def test_whose_figures_were_read_is_told_without_ones_own() -> None:
    page = Page([line("SE-M"), line("DK-82"), line("NO-HV", sent_as="NO-HN")])
    assert project(page, PLANNER)[1] == {"SE-M", "DK-82", "NO-HV", "NO-HN"}
    assert project(page, EMPLOYED)[1] == {"DK-82", "NO-HV", "NO-HN"}
    assert project(page, SKANE)[1] == frozenset()
    assert project(Pool(members=["SE-M", "DK-82"], total=1), PLANNER)[1] == {"SE-M", "DK-82"}


def test_own_lines_held_by_a_successor_are_no_reading_of_others() -> None:
    assert project(line("DK-OST", sent_as="DK-84"), who(Role.COORDINATOR, "DK-84"))[1] == frozenset()


class Branch(msgspec.Struct, frozen=True):
    owner: ClassVar[str] = "participant"
    participant: str
    quantity: Annotated[int, OWN] | UnsetType = UNSET
    branches: list["Branch"] = []


def test_models_within_themselves_are_decided_each_by_its_own_owner() -> None:
    tree = Branch("SE-M", 1, [Branch("DK-82", 2, [Branch("SE-M", 3)])])
    assert as_json(tree, SKANE) == {
        "participant": "SE-M",
        "quantity": 1,
        "branches": [{"participant": "DK-82", "branches": [{"participant": "SE-M", "quantity": 3, "branches": []}]}],
    }
    assert project(tree, EMPLOYED)[1] == {"DK-82"}


def test_a_file_goes_out_whole_or_not_at_all() -> None:
    report = File(b"7", "text/csv", "report.csv", "own", ("SE-M",))
    assert project(report, SKANE) == (report, frozenset())
    assert project(report, PLANNER) == (report, {"SE-M"})
    both = File(b"7", "text/csv", "report.csv", "own", ("SE-M", "DK-82"))
    for reader, body in ((KEEPER, report), (SKANE, both), (SKANE, File(b"7", "text/csv", "x", "planners", ("SE-M",)))):
        with pytest.raises(NotFound):
            project(body, reader)
    template = File(b"", "text/csv", "template.csv", "open")
    assert project(template, KEEPER) == (template, frozenset())


class Untyped(msgspec.Struct):
    anything: Any


class Required(msgspec.Struct, frozen=True):
    quantity: Annotated[int, OWN]


class Misnamed(msgspec.Struct, frozen=True):
    owner: ClassVar[str] = "region"
    participant: str


@pytest.mark.parametrize("body", [b"bytes", UUID(int=1), [object()], {"a": {1, 2}}, Required(1), Misnamed("SE-M")])
def test_what_cannot_be_decided_on_is_refused(body: Any) -> None:
    with pytest.raises(Unprojectable):
        project(body, PLANNER)


def test_readers_who_are_shown_different_things_have_different_marks() -> None:
    readers = (SKANE, PARTNER, PLANNER, AUDITOR, KEEPER, EMPLOYED, who(Role.COORDINATOR, "DK-82"))
    assert len({mark(reader) for reader in readers}) == len(readers)
    assert mark(SKANE) == mark(who(Role.COORDINATOR, "SE-M"))


CODES = st.sampled_from(["SE-M", "DK-82", "NO-HV"])


@given(owners=st.lists(st.tuples(CODES, CODES), max_size=6), mine=st.sets(CODES), role=st.sampled_from(sorted(Role)))
def test_figures_are_shown_to_owners_planners_and_auditors_alone(
    owners: Collection[tuple[str, str]], mine: set[str], role: str
) -> None:
    reader = who(Role(role), *mine)
    shown, read = project(Page([line(holder, sent_as=sender) for holder, sender in owners]), reader)
    for item, (holder, sender) in zip(shown.items, owners, strict=True):
        all_ = Role(role) in (Role.PLANNER, Role.AUDITOR)
        own = Role(role) in (Role.COORDINATOR, Role.PARTNER) and bool({holder, sender} & mine)
        assert (item.quantity is not UNSET) == (item.origin.original_quantity is not UNSET) == (all_ or own)
        assert (item.near_miss is not UNSET) == all_
    assert bool(read) == (bool(owners) and Role(role) in (Role.PLANNER, Role.AUDITOR))
