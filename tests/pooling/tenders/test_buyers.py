"""Who contracts and who is named apart; maxima that leave no room, or go beyond what is on offer."""

from typing import Any

from sqlmodel import Session

from pooling.market import service as market
from pooling.market.rules import TierRecord
from tests.pooling.planning.demand import NOW, add_lines, figure, line, offer, submission
from tests.pooling.tenders.conftest import MEMBERS, Round, planned_world

BUYERS = ["DK-OST", "NO-HSO", "SE-M"]
"""Of the members; FO is no contracting authority."""


def rules_of(planned: Round, key: str, rule: str) -> list[dict[str, Any]]:
    found = planned.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    return [each for each in found if each["rule"] == rule]


def test_an_associate_is_named_apart_under_the_lead(planned: Round) -> None:
    key = planned.confirmed()
    tender = planned.tender(key)
    lead = tender["lead"]
    assert (tender["buyers"], tender["associates"]) == (BUYERS, [{"participant": "FO", "under": lead}])
    parts = {each["participant"]: each["volumes"][0] for each in tender["members"]}
    assert parts["FO"]["estimate_quantity"] < parts["FO"]["maximum_quantity"]
    (fixed,) = rules_of(planned, key, "named-buyers")
    assert (fixed["figures"], "FO as associates" in fixed["why"]) == ({"buyers": 3, "associates": 1}, True)
    (apart,) = rules_of(planned, key, "associates")
    assert apart["participants"] == ["FO"]
    assert f"{lead} signs for them" in apart["why"]
    whole, *each = rules_of(planned, key, "estimate-and-maximum")
    assert "for 3 buyers; of this, counted apart" in whole["why"]
    assert whole["figures"]["associates_estimate_cents"] == parts["FO"]["estimate_value_cents"]
    assert whole["figures"]["associates_maximum_cents"] == parts["FO"]["maximum_value_cents"]
    own = next(one for one in each if one["participants"] == ["FO"])
    assert f"FO (associate, under {lead})" in own["why"]
    assert f"apart, under {lead}" in own["follows"]


def test_before_the_freeze_nobody_is_named(planned: Round) -> None:
    tender = planned.tender(planned.invited())
    assert (tender["buyers"], tender["associates"], tender["warnings"]) == ([], [], [])


def test_an_associate_calls_off_by_itself_under_the_lead(planned: Round) -> None:
    key = planned.confirmed()
    assert planned.do(key, "hand-over").status_code == 200
    lead = planned.tender(key)["lead"]
    found = planned.planner.get(f"/v1/tenders/{key}/allowances").json()["buyers"]
    assert {each["participant"]: each["under"] for each in found} == {**dict.fromkeys(BUYERS), "FO": lead}
    planned.api.clock.now = planned.api.clock.now.replace(year=2028, month=3, day=1)
    own = planned.coordinator("FO", "GL")
    order = {"participant": "FO", "offer": "gloves-green", "quantity": 10, "reference": "one"}
    done = own.post(f"/v1/tenders/{key}/call-offs", json=order)
    assert done.status_code == 201, done.text
    assert done.json()["allowance"]["under"] == lead
    other = planned.coordinator(lead, "IS").post(f"/v1/tenders/{key}/call-offs", json=order)
    assert other.status_code == 404, "the lead signs; it does not call off for it"


def exact(planned: Round, code: str, key: str) -> None:
    lot = planned.tender(key)["lots"][0]["id"]
    (part,) = planned.planner.get(f"/v1/tenders/{key}/answers/{code}").json()["volumes"]
    same = dict.fromkeys(("quantity_low", "quantity", "quantity_high"), part["quantity_per_year"])
    assert planned.answer(key, code, answer="commit", volumes=[{"lot": lot, **same}]).status_code == 200


def warned(planned: Round, key: str) -> list[tuple[list[str], str]]:
    found = rules_of(planned, key, "estimate-and-maximum")
    return [(each["participants"], each["why"]) for each in found if each["severity"] == "warning"]


def test_a_maximum_that_leaves_no_room_is_warned_of_before_and_after_the_freeze(planned: Round) -> None:
    key = planned.invited()
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    none = "no more than the estimate"
    assert [who for who, why in warned(planned, key) if none in why] == []
    exact(planned, "SE-M", key)
    assert [who for who, why in warned(planned, key) if none in why] == [["SE-M"]]
    assert planned.do(key, "confirm").status_code == 200
    assert [who for who, why in warned(planned, key) if none in why] == [["SE-M"]]
    part = next(each for each in planned.tender(key)["members"] if each["participant"] == "SE-M")["volumes"][0]
    assert part["estimate_quantity"] == part["maximum_quantity"]


def scarce(session: Session) -> None:
    """Of 1,300,000 that are on offer a year, 1,250,000 are expected to be called off."""
    tiers = (TierRecord(figure(900_000), figure(49_000)),)
    only = offer(tiers=tiers, max_quantity=1_300_000)
    market.store_offers(session, [only], file=("offers.csv", "e" * 64), loaded_at=NOW)
    add_lines(session, submission(session), [line("SE-M", 650_000), line("SE-AB", 600_000)])


def test_a_maximum_beyond_what_is_on_offer_is_warned_of(database_url: str) -> None:
    with planned_world(database_url, scarce) as planned:
        key = planned.invited()
        beyond = "1,300,000 a year are on offer"
        assert [why for _, why in warned(planned, key) if beyond in why] != []
        for code in ("SE-AB", "SE-M"):
            assert planned.answer(key, code, answer="commit").status_code == 200
        done = planned.do(key, "confirm")
        assert done.status_code == 200, done.text
        most = done.json()["lots"][0]["maximum_quantity"]
        assert most > 3 * 1_300_000
        (warning,) = done.json()["warnings"]
        assert beyond in warning
        (figures,) = [
            each["figures"] for each in rules_of(planned, key, "estimate-and-maximum") if beyond in each["why"]
        ]
        assert figures == {"most.gloves-green": -(-most // 3), "offered.gloves-green": 1_300_000}
        assert "warnings" not in planned.coordinator("SE-M").get(f"/v1/tenders/{key}").json()
