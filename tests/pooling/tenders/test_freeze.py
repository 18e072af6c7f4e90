"""The freeze: who buys, how much, at what price; and what a member may know before it."""

from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from pooling.database import reading
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.tenders import service
from tests.pooling.planning.demand import NOW, add_lines, figure, line, offer, submission
from tests.pooling.tenders.conftest import MEMBERS, Round, planned_world


def test_estimate_and_maximum_by_hand(planned: Round) -> None:
    """SE-M commits to 900 to 1,000 to 1,100 thousand a year, NO-HSO by its line (630, 700, 770), the others decline.

    SE-M: at 95 % 1.64485 / 1.28155 x 100,000 more a year, 1,128,349 rounded up: 3,385,047 over three years. Both:
    1,700,000 + 1.283486 x sqrt(100,000^2 + 70,000^2), 1,856,670 a year rounded up: 5,570,010.
    """
    key = planned.invited()
    lot = planned.coordinator("SE-M").get(f"/v1/tenders/{key}/invitation").json()["lots"][0]["lot"]
    volume = {"lot": lot, "quantity_low": 900_000, "quantity": 1_000_000, "quantity_high": 1_100_000}
    assert planned.answer(key, "SE-M", answer="commit", volumes=[volume]).status_code == 200
    assert planned.answer(key, "NO-HSO", answer="commit").status_code == 200
    for code in ("DK-OST", "FO"):
        assert planned.answer(key, code, answer="decline", reason="no").status_code == 200
    assert planned.tender(key)["lead"] in ("SE-M", "NO-HSO")
    assert planned.ask_again(key, "NO-HSO").status_code == 200
    assert planned.answer(key, "SE-M", answer="commit", volumes=[volume]).status_code == 200
    assert planned.answer(key, "NO-HSO", answer="commit").status_code == 200
    done = planned.do(key, "confirm")
    assert done.status_code == 200, done.text
    assert done.json()["buyers"] == ["NO-HSO", "SE-M"]
    parts = {each["participant"]: each["volumes"][0] for each in done.json()["members"]}
    assert (parts["SE-M"]["estimate_quantity"], parts["SE-M"]["maximum_quantity"]) == (3_000_000, 3_385_047)
    assert parts["SE-M"]["estimate_value_cents"] == 3_000_000 * 49 // 10
    assert parts["FO"]["estimate_quantity"] is None
    whole = done.json()["lots"][0]
    assert (whole["estimate_quantity"], whole["maximum_quantity"]) == (5_100_000, 5_570_010)
    assert (whole["tier"], whole["unit_price_eur"]) == (0, 0.049), "with four it was the second tier"
    assert whole["quantity_per_year"] == 1_700_000
    told = planned.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    stated, *each = [one["figures"]["maximum_cents"] for one in told if one["rule"] == "estimate-and-maximum"]
    assert stated == whole["maximum_value_cents"] < sum(each), "what call-offs are held to"
    (value,) = [one["figures"]["value_cents"] for one in told if one["rule"] == "thresholds"]
    assert value == stated
    with reading(planned.api.engine) as session:
        record = service.tender_of(session, UUID(key))
        lots = service.lots_of(session, UUID(key))
    assert {each.participant for each in lots[0].lines} == {"NO-HSO", "SE-M"}
    assert (str(record.starts_on)[:7], record.ends_before.year - record.starts_on.year) == (record.start, 3)


def test_after_the_freeze_nobody_joins_or_leaves(planned: Round) -> None:
    key = planned.confirmed()
    refused = planned.answer(key, "SE-M", answer="decline", reason="second thoughts")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert planned.change(key, lead="SE-M").status_code == 409
    assert planned.change(key, note="call them").json()["note"] == "call them"


def test_a_member_sees_its_own_and_the_whole_only_where_nobody_follows_from_it(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    path = f"/v1/tenders/{key}/invitation"
    assert planned.coordinator("SE-M").get(path).status_code == 404, "it was not invited yet"
    assert planned.do(key, "review").status_code == planned.do(key, "invite", due="2026-12-01").status_code == 200
    own = planned.coordinator("SE-M").get(path).json()
    assert own["lots"][0]["total_per_year"] == 2_350_000
    assert own["members"] == 4
    assert [each["quantity_per_year"] for each in own["lots"][0]["lines"]] == [900_000, 100_000]
    assert own["gain"]["savings_eur"] == pytest.approx(9000)  # 3 years x 1,000,000 x (0.05 - 0.047)
    assert own["risk"]["savings_at_first_tier_eur"] == pytest.approx(3000)
    assert own["risk"]["savings_at_low_eur"] == pytest.approx(8100)
    of_three = planned.coordinator("SE-M", "DK-OST", "NO-HSO").get(f"{path}?participant=SE-M").json()
    assert ("total_per_year" in of_three["lots"][0], of_three["lots"][0]["withheld"]) == (False, "too-few-others")
    several = planned.coordinator("SE-M", "DK-OST").get(path)
    assert (several.status_code, "?participant=" in several.json()["detail"]) == (404, True)
    assert planned.coordinator("IS").get(path).status_code == 404
    assert planned.answer(key, "SE-M", answer="decline", reason="x").status_code == 200
    again = planned.coordinator("NO-HSO").get(path).json()
    assert again["members"] == 3, "one has declined"
    assert again["lots"][0]["total_per_year"] == 2_350_000, "as invited: a difference would tell who declined"
    assert "SE-M" not in str(planned.coordinator("NO-HSO").get(f"/v1/tenders/{key}").json())
    assert "SE-M" not in str(planned.coordinator("NO-HSO").get(f"/v1/tenders/{key}/history").json())


def two(session: Session) -> None:
    tiers = (TierRecord(figure(900_000), figure(49_000)),)
    market.store_offers(session, [offer(tiers=tiers)], file=("offers.csv", "e" * 64), loaded_at=NOW)
    add_lines(session, submission(session), [line("SE-M", 650_000), line("SE-AB", 600_000)])


def test_of_two_members_neither_is_told_the_whole(database_url: str) -> None:
    with planned_world(database_url, two) as planned:
        key = planned.invited()
        for code in ("SE-M", "SE-AB"):
            seen: dict[str, Any] = planned.coordinator(code).get(f"/v1/tenders/{key}/invitation").json()
            assert "total_per_year" not in seen["lots"][0]
            assert "1250000" not in str(seen)


def test_a_commitment_of_nothing_or_to_a_foreign_lot_is_none(planned: Round) -> None:
    key = planned.invited()
    lot = planned.tender(key)["lots"][0]["id"]
    nothing = {"lot": lot, "quantity_low": 0, "quantity": 0, "quantity_high": 0}
    for volumes in ([nothing], [{**nothing, "lot": lot + 1, "quantity_high": 5}], [nothing, nothing]):
        assert planned.answer(key, "SE-M", answer="commit", volumes=volumes).status_code == 422
    assert planned.answer(key, "SE-M", answer="decline").status_code == 422, "without a reason"
    assert planned.answer(key, "SE-M", answer="change").status_code == 422, "without a change"
    said = planned.answer(key, "SE-M", answer="change", change={"start": "2028-09"}, reason="stock")
    assert (said.json()["answer"], said.json()["change"]) == ("change-proposed", {"start": "2028-09"})
    assert MEMBERS[3] == "SE-M"


def dear(session: Session) -> None:
    tiers = (TierRecord(figure(900_000), figure(49_000_000_000)),)
    market.store_offers(session, [offer(tiers=tiers)], file=("offers.csv", "e" * 64), loaded_at=NOW)
    lines = [line("SE-M", 650_000), line("SE-AB", 600_000)]
    add_lines(session, submission(session), [{**each, "unit_price_eur_micro": 50_000_000_000} for each in lines])


def test_what_no_agreement_could_count_is_no_commitment(database_url: str) -> None:
    """EUR 49,000 a unit: two million units a year are EUR 98 billion, and a little more is refused."""
    with planned_world(database_url, dear) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        for high, expected in ((10**15, 400), (10**12, 422), (2_100_000, 422), (2_000_000, 200)):
            volume = {"lot": lot, "quantity_low": 1_900_000, "quantity": 2_000_000, "quantity_high": high}
            for code in ("SE-M", "SE-AB"):
                said = planned.answer(key, code, answer="commit", volumes=[volume])
                assert said.status_code == expected, said.text
        done = planned.do(key, "confirm")
        assert done.status_code == 200, done.text
        assert done.json()["lots"][0]["maximum_quantity"] >= 12_000_000
