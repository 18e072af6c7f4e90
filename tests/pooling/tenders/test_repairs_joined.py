"""What a repair counts and asks where lines join: bridging from the horizon's first month on, and members of before."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from pooling.database import reading, transaction
from pooling.demand import cycle_lines
from pooling.demand.tables import Submission
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.tenders import repair_search, repairs
from tests.pooling.planning.conftest import here
from tests.pooling.planning.demand import NOW, add_lines, figure, line, offer, submission
from tests.pooling.tenders.conftest import CYCLE, Round, planned_world
from tests.pooling.tenders.test_repairs import answers, apply, look

__all__ = ["here"]
pytestmark = pytest.mark.usefixtures("here")


def one_line_too_many(session: Session) -> None:
    """900 thousand are needed and 1,300 thousand can be made: the second line of SE-M finds no room."""
    tiers = (TierRecord(figure(900_000), figure(49_000)),)
    market.store_offers(session, [offer(tiers=tiers, max_quantity=1_300_000)], file=("o.csv", "e" * 64), loaded_at=NOW)
    window = {"earliest_start": "2028-01", "latest_start": "2028-03", "required": "uhm-basic"}
    bought = (("SE-M", 420_000), ("NO-HSO", 450_000), ("DK-OST", 400_000), ("SE-M", 350_000))
    add_lines(session, submission(session), [line(code, quantity, **window) for code, quantity in bought])


def short(planned: Round) -> str:
    """The tender with everybody committed but NO-HSO, which has declined."""
    key = planned.invited()
    if planned.tender(key)["lead"] == "NO-HSO":
        assert planned.change(key, lead="SE-M").status_code == 200
    for code in ("SE-M", "DK-OST"):
        assert planned.answer(key, code, answer="commit").status_code == 200
    assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
    assert not planned.tender(key)["holds"]
    return key


def test_a_member_whose_lines_join_is_asked_again(database_url: str) -> None:
    with planned_world(database_url, one_line_too_many) as planned:
        key = short(planned)
        joined = next(each for each in look(planned, key) if each["kind"] == "join")
        assert apply(planned, key, joined["number"]).status_code == 200
        assert answers(planned, key) == {"DK-OST": "committed", "NO-HSO": "declined", "SE-M": "none"}
        assert planned.answer(key, "SE-M", answer="commit").json()["volumes"][0]["committed_quantity"] == 770_000
        frozen = planned.do(key, "confirm")
        assert frozen.status_code == 200, frozen.text
        assert frozen.json()["lots"][0]["quantity_per_year"] == 1_170_000


@pytest.mark.parametrize(("rate", "joins"), [(0.0, 1), (6.0, 0)])
def test_a_line_that_bridging_would_cost_too_much_does_not_join(database_url: str, rate: float, joins: int) -> None:
    """It could start at the horizon's first month, and would have to wait for the others."""
    with planned_world(database_url, one_line_too_many) as planned:
        key = short(planned)
        with reading(planned.api.engine) as session:
            _, question = repairs.question_of(session, UUID(key), now=planned.api.clock.now)
        first = question.policy["horizon_start"]
        assert first < question.start
        waiting = [{**each, "earliest_start": first, "bridging_rate_per_year": rate} for each in question.others]
        found = repair_search.find(
            replace(question, others=waiting), 10.0, on_progress=lambda _: None, stop=lambda: False
        )
        assert sum(bool(each["joins"]) for each in of_kind(found, "join")) == joins


def of_kind(options: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in options if each["kind"] == kind]


def corrected(planned: Round) -> None:
    """The sender's file is corrected after the cycle was planned: lines of it are others now."""
    with transaction(planned.api.engine) as session:
        key = submission(session, "later")
        session.get_one(Submission, key).series = "all"
        add_lines(session, key, [line("SE-M", 35_000)])
        cycle_lines.replace(session, CYCLE, key)


def test_a_line_that_was_corrected_since_the_plan_joins_no_more(database_url: str) -> None:
    with planned_world(database_url, one_line_too_many) as planned:
        key = short(planned)
        joined = next(each for each in look(planned, key) if each["kind"] == "join")
        corrected(planned)
        refused = apply(planned, key, joined["number"])
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
        assert "corrected since" in refused.json()["detail"]
        with reading(planned.api.engine) as session:
            _, question = repairs.question_of(session, UUID(key), now=planned.api.clock.now)
        assert question.others == []
