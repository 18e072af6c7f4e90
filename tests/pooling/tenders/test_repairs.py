"""A tender that falls short says so, and the optimiser finds what brings it back."""

from typing import Any

import pytest
from sqlmodel import Session

from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.tenders.jobs import HANDLERS
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.conftest import here
from tests.pooling.planning.demand import GLOVES, NOW, add_lines, figure, line, offer, submission
from tests.pooling.tenders.conftest import Round, planned_world

__all__ = ["here"]
pytestmark = pytest.mark.usefixtures("here")
REPAIR = {"tenders.repair": HANDLERS["tenders.repair"]}


def one_too_many(session: Session) -> None:
    """900 thousand are needed and 1,300 thousand can be made: of three lines two fit, the largest two."""
    store_offers(session)
    window = {"earliest_start": "2028-01", "latest_start": "2028-03", "required": "uhm-basic"}
    lines = [line("SE-M", 650_000, **window), line("NO-HSO", 600_000, **window), line("SE-AB", 500_000, **window)]
    add_lines(session, submission(session), lines)


def store_offers(session: Session) -> None:
    """One from 900 to 1,300 thousand; a second asks for less, costs more and is not as green."""
    tiers = (TierRecord(figure(900_000), figure(49_000)),)
    small = (TierRecord(figure(300_000), figure(49_900)),)
    offers = [
        offer(tiers=tiers, max_quantity=1_300_000),
        offer("gloves-small", tiers=small, max_quantity=1_000_000, co2_saved=figure(1_000), criteria=("uhm-basic",)),
    ]
    market.store_offers(session, offers, file=("offers.csv", "e" * 64), loaded_at=NOW)


def look(planned: Round, key: str) -> list[dict[str, Any]]:
    asked = planned.planner.post(f"/v1/tenders/{key}/repairs", json={"time_limit_s": 10})
    assert asked.status_code == 202, asked.text
    work_all(planned.api.engine, REPAIR, now=planned.api.clock.now)
    found = planned.planner.get(f"/v1/tenders/{key}/repairs")
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


def apply(planned: Round, key: str, number: int, **body: Any) -> Any:
    return planned.do(key, f"repairs/{number}/apply", **body)


def answers(planned: Round, key: str) -> dict[str, str]:
    return {each["participant"]: each["answer"] for each in planned.tender(key)["members"]}


def test_who_declines_is_replaced_and_the_others_answers_stand(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert list(answers(planned, key)) == ["NO-HSO", "SE-M"]
        assert planned.change(key, lead="SE-M").status_code == 200
        assert planned.answer(key, "SE-M", answer="commit").status_code == 200
        assert planned.tender(key)["holds"]
        assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
        assert not planned.tender(key)["holds"]
        faults = planned.planner.get(f"/v1/tenders/{key}/standing").json()["expected"]["faults"]
        assert [each["code"] for each in faults] == ["below-tipping", "too-few-authorities"]
        told = planned.planner.get("/v1/notices").json()["items"]
        assert "tender-at-risk" in {each["kind"] for each in told}
        options = look(planned, key)
        assert options[0]["kind"] == "join"
        assert (options[0]["worth_eur"], options[0]["fits"]) == (pytest.approx(options[0]["net_eur"]), True)
        joining = [(each["participant"], each["category"], each["quantity_per_year"]) for each in options[0]["joins"]]
        assert joining == [("SE-AB", GLOVES, 500_000)]
        assert [str(each["line"]) for each in options[0]["joins"]] == options[0]["lots"][0]["lines"][-1:]
        assert options[0]["leaves"] == []
        done = apply(planned, key, options[0]["number"], reason="SE-AB fits", due="2026-12-20")
        assert done.status_code == 200, done.text
        assert answers(planned, key) == {"NO-HSO": "declined", "SE-AB": "none", "SE-M": "committed"}
        after = planned.tender(key)
        assert (after["holds"], after["answers_due"], after["changed_terms"]) == (True, "2026-12-20", True)
        assert after["lots"][0]["quantity_per_year"] == 1_750_000, "those that declined stay on record until the freeze"
        whole = planned.coordinator("SE-AB").get(f"/v1/tenders/{key}/invitation").json()["lots"][0]
        assert whole["withheld"] is not None
        stale = apply(planned, key, options[0]["number"])
        assert (stale.status_code, stale.json()["code"]) == (409, "wrong-state")
        assert planned.answer(key, "SE-AB", answer="commit").status_code == 200
        frozen = planned.do(key, "confirm")
        assert frozen.json()["buyers"] == ["SE-AB", "SE-M"]
        assert frozen.json()["lots"][0]["quantity_per_year"] == 1_150_000


def test_another_offer_or_start_asks_everybody_again(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        less = {"lot": lot, "quantity_low": 200_000, "quantity": 200_000, "quantity_high": 200_000}
        for code in ("SE-M", "NO-HSO"):
            assert planned.answer(key, code, answer="commit", volumes=[less]).status_code == 200
        assert not planned.tender(key)["holds"], "400 of 900 thousand"
        options = {each["kind"]: each for each in look(planned, key)}
        assert [each["offer"] for each in options["offer"]["lots"]] == ["gloves-small"]
        done = apply(planned, key, options["offer"]["number"])
        assert done.status_code == 200, done.text
        assert answers(planned, key) == {"NO-HSO": "none", "SE-M": "none"}
        after = planned.tender(key)
        assert [each["offer"] for each in after["lots"]] == ["gloves-small"]
        assert after["lots"][0]["quantity_per_year"] == 1_250_000
        assert [each["quantity_per_year"] for each in after["members"][1]["volumes"]] == [650_000]


def test_a_proposed_start_is_tried(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        start = planned.tender(key)["start"]
        assert planned.answer(key, "SE-M", answer="change", change={"start": "2028-03"}).status_code == 200
        options = look(planned, key)
        moved = next(each for each in options if each["kind"] == "start")
        assert start != moved["start"] == "2028-03"
        assert apply(planned, key, moved["number"]).json()["start"] == "2028-03"


def test_what_has_no_repair_has_none(planned: Round) -> None:
    """All decline: there is nobody left to plan with."""
    key = planned.invited()
    for code in ("DK-OST", "FO", "NO-HSO", "SE-M"):
        assert planned.answer(key, code, answer="decline", reason="no").status_code == 200
    assert look(planned, key) == []
    missing = apply(planned, key, 1)
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")


def test_who_is_asked_again_is_judged_by_the_lines_and_not_by_the_answer_of_before(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        first = planned.tender(key)["lead"]
        (other,) = set(answers(planned, key)) - {first}
        assert planned.change(key, lead=other).status_code == 200
        assert planned.answer(key, other, answer="change", change={"start": "2028-03"}).status_code == 200
        options = look(planned, key)
        back = next((each for each in options if (each["lead"], each["kind"]) == (first, "lead")), None)
        assert back is not None, [(each["kind"], each["lead"], each["start"]) for each in options]
        assert apply(planned, key, back["number"]).status_code == 200
        assert set(answers(planned, key).values()) == {"none"}
        standing = planned.planner.get(f"/v1/tenders/{key}/standing").json()
        assert planned.tender(key)["holds"] is standing["expected"]["holds"] is True
