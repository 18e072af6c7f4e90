"""Repairs of a tender whose plan names bodies that have ended since: whoever holds their lines by now is in."""

import pytest

from tests.pooling.planning.conftest import here
from tests.pooling.tenders.conftest import Round, planned_world
from tests.pooling.tenders.test_repairs import answers, apply, look, one_too_many
from tests.pooling.tenders.test_succession import ON, merge, pass_on

__all__ = ["here"]
pytestmark = pytest.mark.usefixtures("here")
DAY = "2027-04-01"


def short(planned: Round) -> str:
    """SE-M leads and has committed, NO-HSO has declined."""
    key = planned.invited(DAY)
    assert planned.change(key, lead="SE-M").status_code == 200
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
    return key


@pytest.mark.parametrize(("old", "new"), [("SE-M", "SE-O"), ("SE-AB", "SE-O")])
def test_successors_of_members_and_of_those_that_join_take_part(database_url: str, old: str, new: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = short(planned)
        merge(planned, old, new)
        pass_on(planned, ON)
        found = next(each for each in look(planned, key) if each["kind"] == "join")
        joins, member = ({"SE-M": "SE-AB", "SE-AB": new}[old], {"SE-M": new, "SE-AB": "SE-M"}[old])
        assert ([each["participant"] for each in found["joins"]], found["lead"]) == ([joins], member)
        assert apply(planned, key, found["number"]).status_code == 200
        assert answers(planned, key) == {"NO-HSO": "declined", joins: "none", member: "committed"}
        assert planned.answer(key, joins, answer="commit").status_code == 200
        done = planned.do(key, "confirm")
        assert (done.status_code, done.json().get("buyers")) == (200, sorted([joins, member])), done.text


def test_a_tender_that_starts_otherwise_keeps_the_successor(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited(DAY)
        lead = planned.tender(key)["lead"]
        merge(planned, "SE-M", "SE-O")
        pass_on(planned, ON)
        said = planned.answer(key, "NO-HSO", answer="change", change={"start": "2028-03"}, reason="stock")
        assert said.status_code == 200, said.text
        found = next(each for each in look(planned, key) if each["start"] == "2028-03")
        assert apply(planned, key, found["number"]).status_code == 200
        tender = planned.tender(key)
        assert answers(planned, key) == {"NO-HSO": "none", "SE-O": "none"}
        assert (tender["start"], tender["lead"]) == ("2028-03", "SE-O" if lead == "SE-M" else lead)
        assert {each["participant"] for each in tender["members"] if each["volumes"]} == {"NO-HSO", "SE-O"}
