"""Which tenders keep their lines from others: in their own cycle all that stand, elsewhere those that buy."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from pooling.database import reading, transaction
from pooling.demand.tables import Line
from pooling.tenders import service
from tests import copies
from tests.pooling.api_client import api
from tests.pooling.planning.demand import small_world
from tests.pooling.tenders.conftest import CYCLE, MEMBERS, Round, close, make_cycle, plan_of, planned_world
from tests.pooling.tenders.test_succession import ON, merge, pass_on

NEXT = "autumn"


def held(planned: Round, code: str) -> list[str]:
    with reading(planned.api.engine) as session:
        return [each.tender for each in service.holds(session, code, today=planned.api.clock.now.date()).fixed]


def deepened(planned: Round, depth: str, *, far: str = "confirmed") -> str:
    """The one tender, going as far as ``depth``."""
    key = planned.invited()
    assert planned.change(key, depth=depth).status_code == 200
    if far == "invited":
        return key
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    done = planned.do(key, "confirm", reason="all agree")
    assert done.status_code == 200, done.text
    return key


def next_cycle(planned: Round) -> dict[str, Any]:
    """A joint cycle over the same lines, planned by its own run and proposed."""
    planned.api.clock.now += timedelta(days=1)
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    with reading(planned.api.engine) as session:
        holds = service.holds(session, NEXT, today=planned.api.clock.now.date())
    done = planned.propose(plan_of(planned.api, NEXT, holds=holds), NEXT)
    assert done.status_code == 201, done.text
    found: dict[str, Any] = done.json()
    return found


@pytest.mark.parametrize("depth", ["dialogue", "criteria"])
@pytest.mark.parametrize("far", ["invited", "confirmed"])
def test_what_is_not_bought_is_free_for_a_later_cycle(planned: Round, depth: str, far: str) -> None:
    key = deepened(planned, depth, far=far)
    made = next_cycle(planned)
    assert (len(made["tenders"]), made["kept"]) == (1, [])
    again = planned.tender(made["tenders"][0])
    assert [each["participant"] for each in again["members"]] == list(MEMBERS)
    assert again["lots"][0]["quantity_per_year"] == planned.tender(key)["lots"][0]["quantity_per_year"]
    assert planned.do(again["id"], "review", reason="r").status_code == 200
    assert planned.do(again["id"], "invite", due="2026-12-15", reason="r").status_code == 200


@pytest.mark.parametrize("depth", ["framework", "joint"])
def test_what_is_bought_is_kept_from_a_later_cycle(planned: Round, depth: str) -> None:
    key = deepened(planned, depth)
    made = next_cycle(planned)
    assert (made["tenders"], made["kept"]) == ([], [key])


def test_in_its_own_cycle_a_dialogue_is_not_proposed_twice(planned: Round) -> None:
    key = deepened(planned, "dialogue")
    assert held(planned, CYCLE) == [key]
    made = planned.propose().json()
    assert (made["tenders"], made["kept"]) == ([], [key])


def test_a_dialogue_cannot_become_a_tender_beside_one_for_the_same_lines(planned: Round) -> None:
    first = deepened(planned, "dialogue", far="invited")
    second = next_cycle(planned)["tenders"][0]
    assert planned.change(second, locked=True).status_code == 200
    refused = planned.change(first, depth="joint")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert second in refused.json()["detail"]
    for code in MEMBERS:
        assert planned.answer(first, code, answer="commit").status_code == 200
    assert planned.do(first, "confirm", reason="the talk is agreed").status_code == 200


def test_a_cycle_of_dialogue_then_one_that_buys(database_url: str) -> None:
    """The market is talked to in one cycle, and the same lines are bought together in the next."""
    with api(database_url) as made:
        copies.install_reference(made.engine)
        with transaction(made.engine) as session:
            small_world(session)
        make_cycle(made, depth="dialogue")
        close(made)
        talked = Round(made, plan_of(made))
        key = talked.confirmed()
        assert talked.tender(key)["depth"] == "dialogue"
        etag = talked.planner.get(f"/v1/cycles/{CYCLE}").headers["ETag"]
        assert talked.planner.post(f"/v1/cycles/{CYCLE}/decide", headers={"If-Match": etag}).status_code == 200
        bought = next_cycle(talked)
        assert len(bought["tenders"]) == 1
        assert talked.tender(bought["tenders"][0])["depth"] == "joint"


def to_talk(session: Session) -> None:
    """The Danish line goes no deeper than the market dialogue."""
    ids = small_world(session)
    session.get_one(Line, ids[3]).depth = "dialogue"


def test_once_the_shallowest_has_declined_the_others_may_go_deeper(database_url: str) -> None:
    with planned_world(database_url, to_talk) as planned:
        key = planned.invited()
        assert planned.tender(key)["deepest"] == planned.tender(key)["depth"] == "dialogue"
        assert planned.change(key, depth="joint").status_code == 422
        assert planned.answer(key, "DK-OST", answer="decline", reason="made up").status_code == 200
        left = planned.tender(key)
        assert (left["depth"], left["deepest"]) == ("dialogue", "joint"), "how deep is a planner's to say"
        assert planned.change(key, depth="joint").json()["depth"] == "joint"
        late = planned.answer(key, "DK-OST", answer="commit")
        assert (late.status_code, late.json()["code"]) == (409, "wrong-state")
        assert "dialogue" in late.json()["detail"]
        assert planned.change(key, depth="dialogue").status_code == 200
        assert planned.answer(key, "DK-OST", answer="commit").status_code == 200
        assert planned.tender(key)["deepest"] == "dialogue"


def test_a_successor_that_brings_a_shallow_line_back_takes_the_tender_back_up(database_url: str) -> None:
    with planned_world(database_url, to_talk) as planned:
        key = planned.invited("2027-05-01")
        assert planned.answer(key, "DK-OST", answer="decline", reason="made up").status_code == 200
        assert planned.change(key, depth="joint").status_code == 200
        for code in ("NO-HSO", "SE-M"):
            assert planned.answer(key, code, answer="commit").status_code == 200
        merge(planned, "DK-OST", "SE-M")
        pass_on(planned, ON)
        after = planned.tender(key)
        assert (after["depth"], after["deepest"]) == ("dialogue", "dialogue")
        assert {each["answer"] for each in after["members"]} == {"none"}, "to these terms nobody has said anything"
