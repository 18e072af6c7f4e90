"""The whole story by HTTP alone: from forecasts to a joint tender that is handed over, and into the next cycle."""

from collections.abc import Iterator
from typing import Any

import pytest

from pooling.database import reading
from pooling.invariants.commands import CHECKS
from tests.e2e.story import Story, got, refused, told
from tests.e2e.story_given import (
    AUTUMN,
    BY_SYSTEM,
    DRESSINGS,
    GLOVES,
    OFFERS,
    POLICY,
    SPRING,
    SYRINGES,
    file_of,
    forecast,
    row,
    skane,
)
from tests.pooling.planning.conftest import here

__all__ = ["here"]
pytestmark = pytest.mark.usefixtures("here")
FIVE = ("DK-84", "DK-85", "FI-11", "NO-HSO", "SE-M")
DEEDS = {
    "proposed": "tenders.propose",
    "under-review": "tenders.review",
    "changed": "tenders.update",
    "invited": "tenders.invite",
    "answered": "answers.write",
    "repaired": "tender-repairs.apply",
    "confirmed": "tenders.confirm",
    "handed-over": "tenders.hand-over",
    "expired": "tenders.expire",
    "succeeded": "tenders.succeed",
}
"""What a tender's history says, as the audit names it."""


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    with told(database_url) as begun:
        yield begun


def test_the_whole_story(story: Story) -> None:
    planners_announce_a_cycle_and_know_the_market(story)
    five_participants_send_their_demand(story)
    the_cycle_closes_by_its_date_and_a_planner_corrects_a_slip(story)
    tenders = a_plan_becomes_the_proposal_and_three_pools_are_invited(story)
    members_answer_and_one_declines(story, tenders)
    what_falls_short_is_repaired(story, tenders["syringes"])
    two_tenders_are_confirmed_and_one_expires(story, tenders)
    the_agreements_are_handed_over_and_called_off_up_to_the_maximum(story, tenders)
    the_effect_is_read_inside_and_by_everybody(story)
    later = a_second_cycle_keeps_what_was_decided(story, tenders)
    two_participants_become_one_on_its_date(story, tenders, later)
    everybody_was_told(story)
    nothing_contradicts_anything(story, [*tenders.values(), *later.values()])


def planners_announce_a_cycle_and_know_the_market(story: Story) -> None:
    got(story.planner.put("/v1/policies/pilot", json=POLICY), 201)
    assert got(story.planner.put("/v1/cycles/spring", json=SPRING), 201)["status"] == "announced"
    talk = {"held_on": "2026-02-10", "participants": "two makers", "learnt": "it can be made", "categories": [GLOVES]}
    dialogue = got(story.planner.post("/v1/dialogues", json=talk), 201)["id"]
    for key, body in OFFERS.items():
        rests_on = {"dialogues": [dialogue]} if body["category"] == GLOVES else {}
        got(story.planner.put(f"/v1/offers/{key}", json={**body, **rests_on}), 201)


def five_participants_send_their_demand(story: Story) -> None:
    """SE-M's file has a slip that nobody sees yet; FI-11's is dirty; the two Danish regions send from their systems."""
    early = {"source": "erp-dk-84", "cycle": "spring", "lines": BY_SYSTEM["DK-84"]}
    refused(story.system("DK-84").post("/v1/forecasts", json=early), 409, "cycle-closed")
    story.until(2026, 4, 1, 8)
    assert got(story.planner.get("/v1/cycles/spring"))["status"] == "open"
    sent = story.sends(story.coordinator("SE-M"), skane(65_000))
    assert (sent["cycle"], sent["number"], sent["lines_made"]) == ("spring", 1, 3)
    for code, lines in BY_SYSTEM.items():
        body = {"source": f"erp-{code.lower()}", "cycle": "spring", "lines": lines}
        made = got(story.system(code).post("/v1/forecasts", json=body))
        assert {each["status"] for each in made["results"]} == {"created"}
    a_dirty_file_is_put_right(story)
    seen = got(story.planner.get("/v1/cycles/spring/coverage"))
    rows = {each["participant"]: each for each in seen["participants"]}
    assert {code for code, each in rows.items() if each["state"] == "sent"} == set(FIVE)
    own = got(story.coordinator("SE-M").get("/v1/cycles/spring/coverage"))
    assert [each["participant"] for each in own["participants"]] == ["SE-M"]
    assert "spend_eur_per_year" not in own


def a_dirty_file_is_put_right(story: Story) -> None:
    client = story.coordinator("FI-11")
    dirty = file_of(
        row("FI-11", GLOVES, 300_000, "0.05"),
        row("FI-11", SYRINGES, "-500000", "0.1", options=5),
        row("FI-11", "Foam dresings", 30_000, "2", options=14),
    )
    upload = story.looks_at(client, dirty)
    assert upload.json()["preview"]["lines_made"] == 1, upload.text
    path = f"/v1/uploads/{upload.json()['id']}"
    report = got(client.get(f"{path}/report"))
    assert [(each["row"], each["column"], each["code"]) for each in report["faults"]] == [
        (3, "Quantity per year", "negative")
    ]
    assert [each["value"] for each in report["waiting"]] == ["Foam dresings"]
    assert refused(
        client.post(f"{path}/confirm", json={}, headers={"If-Match": upload.headers["ETag"]}), 422, "bad-input"
    )
    assert client.delete(path, headers={"If-Match": upload.headers["ETag"]}).status_code == 204
    clean = file_of(
        row("FI-11", GLOVES, 300_000, "0.05"),
        row("FI-11", SYRINGES, 500_000, "0.1", options=5),
        row("FI-11", DRESSINGS, 30_000, "2", options=14),
    )
    assert story.sends(client, clean)["lines_made"] == 3


def the_cycle_closes_by_its_date_and_a_planner_corrects_a_slip(story: Story) -> None:
    """It is open to the last instant of April in Copenhagen; SE-M's syringes lack a nought."""
    story.until(2026, 4, 24, 8)
    assert "cycle-due-soon" in story.kinds_of_notices(story.coordinator("SE-AB"))
    story.until(2026, 4, 30, 21, 59)
    assert got(story.planner.get("/v1/cycles/spring"))["status"] == "open"
    story.until(2026, 4, 30, 22, 1)
    closed = got(story.planner.get("/v1/cycles/spring"))
    assert (closed["status"], closed["closed_at"]) == ("closed", "2026-04-30T22:00:00Z")
    late = {"source": "erp-dk-84", "cycle": "spring", "lines": BY_SYSTEM["DK-84"]}
    refused(story.system("DK-84").post("/v1/forecasts", json=late), 409, "cycle-closed")
    reason = "the region left out a nought"
    corrected = story.sends(story.planner, skane(650_000), cycle="spring", correction_reason=reason)
    assert (corrected["number"], corrected["correction_reason"]) == (2, reason)
    (change,) = got(story.planner.get(f"/v1/submissions/{corrected['id']}/changes"))["items"]
    assert (change["before"]["quantity"], change["after"]["quantity"]) == (65_000, 650_000)


def a_plan_becomes_the_proposal_and_three_pools_are_invited(story: Story) -> dict[str, str]:
    story.until(2026, 5, 4, 8)
    planned = story.plans("spring")
    assert {family: (pool["start"], members_of(pool)) for family, pool in planned["pools"].items()} == {
        "gloves": ("2026-10", set(FIVE)),
        "syringes": ("2026-10", {"NO-HSO", "SE-M"}),
        "wound-dressings": ("2026-10", {"FI-11", "NO-HSO", "SE-M"}),
    }
    assert len(story.proposes("spring", planned["plan"])["tenders"]) == 3
    tenders = {each["family"]: each["id"] for each in got(story.planner.get("/v1/tenders?cycle=spring"))["items"]}
    for key in tenders.values():
        refused(story.decides(key, "invite", due="2026-05-22"), 409, "wrong-state")
        assert got(story.decides(key, "review"))["status"] == "under-review"
        got(story.changes_tender(key, lead="SE-M", note="SE-M has the hands for it"))
        refused(story.decides(key, "invite", due="2026-05-22"), 409, "blocked-by-law")  # a Norwegian region buys
        got(story.changes_tender(key, facts={"environment_weight": 0.3}))
        assert got(story.decides(key, "invite", due="2026-05-22"))["status"] == "invited"
    whole, of_two = (
        got(story.coordinator("SE-M").get(f"/v1/tenders/{tenders[family]}/invitation"))["lots"][0]
        for family in ("gloves", "syringes")
    )
    assert whole["total_per_year"] == 2_900_000
    assert ("total_per_year" in of_two, of_two["withheld"]) == (False, "too-few-others")
    return tenders


def members_of(pool: dict[str, Any]) -> set[str]:
    return {each["participant"] for each in pool["members"]}


def members_answer_and_one_declines(story: Story, tenders: dict[str, str]) -> None:
    story.until(2026, 5, 12, 8)
    lot = story.tender(tenders["gloves"])["lots"][0]["id"]
    surer = {"lot": lot, "quantity_low": 880_000, "quantity": 900_000, "quantity_high": 930_000}
    got(story.answers(tenders["gloves"], "SE-M", answer="commit", volumes=[surer], conditions="delivered monthly"))
    for code in FIVE[:-1]:
        assert got(story.answers(tenders["gloves"], code, answer="commit"))["answer"] == "committed"
    got(story.answers(tenders["syringes"], "SE-M", answer="commit"))
    got(story.answers(tenders["wound-dressings"], "SE-M", answer="commit"))
    got(story.answers(tenders["wound-dressings"], "FI-11", answer="change", change={"start": "2027-01"}))
    assert story.tender(tenders["syringes"])["holds"]
    said = got(story.answers(tenders["syringes"], "NO-HSO", answer="decline", reason="a contract of our own"))
    assert said["answer"] == "declined"


def what_falls_short_is_repaired(story: Story, key: str) -> None:
    """The optimiser finds that FI-11, which was left out, can take the place of NO-HSO."""
    assert not story.tender(key)["holds"]
    standing = got(story.planner.get(f"/v1/tenders/{key}/standing"))["expected"]
    assert [each["code"] for each in standing["faults"]] == ["below-tipping", "too-few-authorities"]
    assert "tender-at-risk" in story.kinds_of_notices(story.planner)
    refused(story.decides(key, "confirm"), 409, "tender-short")
    story.work()
    option = got(story.planner.get(f"/v1/tenders/{key}/repairs"))["items"][0]
    assert (option["kind"], option["fits"], len(option["joins"]), option["leaves"]) == ("join", True, 1, [])
    assert option["worth_eur"] > 0
    got(story.decides(key, f"repairs/{option['number']}/apply", reason="FI-11 fits", due="2026-05-29"))
    assert answers_of(story, key) == {"FI-11": "none", "NO-HSO": "declined", "SE-M": "committed"}
    got(story.answers(key, "FI-11", answer="commit"))
    assert story.tender(key)["holds"]


def answers_of(story: Story, key: str) -> dict[str, str]:
    return {each["participant"]: each["answer"] for each in story.tender(key)["members"]}


def two_tenders_are_confirmed_and_one_expires(story: Story, tenders: dict[str, str]) -> None:
    story.until(2026, 5, 20, 8)
    assert got(story.decides(tenders["gloves"], "confirm"))["buyers"] == list(FIVE)
    frozen = got(story.decides(tenders["syringes"], "confirm"))
    assert (frozen["buyers"], frozen["lots"][0]["quantity_per_year"]) == (["FI-11", "SE-M"], 1_150_000)
    refused(story.answers(tenders["gloves"], "FI-11", answer="decline", reason="too late"), 409, "wrong-state")
    refused(story.changes(story.planner, "/v1/cycles/spring", "decide"), 409, "wrong-state")
    story.until(2026, 5, 22, 22, 1)
    assert story.tender(tenders["wound-dressings"])["status"] == "expired"
    assert got(story.changes(story.planner, "/v1/cycles/spring", "decide"))["status"] == "decided"
    asked = got(story.planner.get(f"/v1/tenders/{tenders['gloves']}/consequences"))["items"]
    said = {each["rule"]: each for each in asked}
    assert all(each["severity"] != "blocking" for each in asked)
    assert "Region Skåne" in said["lead-law"]["why"]
    ending = {each["participants"][0] for each in asked if each["rule"] == "succession"}
    assert ending == {"DK-84", "DK-85"}


def the_agreements_are_handed_over_and_called_off_up_to_the_maximum(story: Story, tenders: dict[str, str]) -> None:
    story.until(2026, 9, 15, 8)
    key = tenders["gloves"]
    refused(story.calls_off(key, "SE-M", 1), 409, "wrong-state")
    for each in ("gloves", "syringes"):
        assert got(story.decides(tenders[each], "hand-over"))["status"] == "handed-over"
    refused(story.calls_off(key, "SE-M", 1), 422, "bad-input")  # its term begins in October
    story.until(2026, 10, 5, 8)
    mine = story.allowance(key, "SE-M")
    assert mine["estimate_quantity"] == 1_800_000
    for quantity, standing in (
        (1_439_999, "within"),
        (1, "near-estimate"),
        (360_001, "above-estimate"),
        (mine["maximum_quantity"] - 1_800_001, "maximum-reached"),
    ):
        placed = got(story.calls_off(key, "SE-M", quantity), 201)
        assert placed["allowance"]["standing"] == standing
        assert (placed["warning"] is None) == (standing == "within")
    assert "0 left" in refused(story.calls_off(key, "SE-M", 1), 409, "maximum-reached").replace("H87 ", "")
    for code in ("FI-11", "NO-HSO", "DK-84"):
        got(story.calls_off(key, code, 200_000), 201)
    foreign = story.calls_off(key, "FI-11", 1, by=story.coordinator("SE-M"))
    refused(foreign, 404, "not-found")
    seen = got(story.planner.get(f"/v1/tenders/{key}/allowances"))
    called = sum(each["called_off_quantity"] for each in seen["buyers"])
    assert seen["lots"][0]["called_off_quantity"] == called == mine["maximum_quantity"] + 600_000


def the_effect_is_read_inside_and_by_everybody(story: Story) -> None:
    whole = got(story.planner.get("/v1/effect?by=participant"))
    assert [each["key"] for each in whole["rows"]] == list(FIVE)
    for side in ("planned", "called_off"):
        for name in ("spend_eur", "cash_saving_eur", "co2_saved_tonnes"):
            assert sum(each[side][name] for each in whole["rows"]) == pytest.approx(whole["total"][side][name])
    assert whole["total"]["planned"]["cash_saving_eur"] > whole["total"]["called_off"]["cash_saving_eur"] > 0
    own = got(story.coordinator("FI-11").get("/v1/effect?by=participant"))
    assert [each["key"] for each in own["rows"]] == ["FI-11"]
    public = story.app.nobody().get("/v1/public/effect?by=category")
    told = got(public)
    assert (told["as_of"], told["total"]["called_off"]) == ("2026-10-01", None)
    assert told["total"]["planned"]["spend_today_eur"] > 0
    assert told["rows"] == [], "two buy syringes: their figures would follow from those of gloves"
    assert not [code for code in FIVE if code in public.text]


def a_second_cycle_keeps_what_was_decided(story: Story, before: dict[str, str]) -> dict[str, str]:
    got(story.planner.put("/v1/cycles/autumn", json=AUTUMN), 201)
    story.until(2026, 11, 1, 8)
    story.sends(story.coordinator("SE-M"), skane(650_000, gloves=990_000))
    line = forecast("DK-84", DRESSINGS, 25_000, "15", latest_start="2027-12", earliest_start="2027-02")
    got(story.system("DK-84").post("/v1/forecasts", json={"source": "erp-dk-84-new", "lines": [line]}))
    story.until(2026, 12, 1, 8)
    assert got(story.planner.get("/v1/cycles/autumn"))["status"] == "closed"
    planned = story.plans("autumn")
    pools = planned["pools"]
    assert (pools["gloves"]["start"], members_of(pools["gloves"])) == ("2026-10", set(FIVE))
    assert pools["gloves"]["lots"][0]["quantity"] == 2_900_000
    assert members_of(pools["syringes"]) == {"FI-11", "SE-M"}
    assert members_of(pools["wound-dressings"]) == {"DK-OST", "FI-11", "NO-HSO", "SE-M"}
    done = story.proposes("autumn", planned["plan"])
    assert sorted(done["kept"]) == sorted(before[family] for family in ("gloves", "syringes"))
    (key,) = done["tenders"]
    got(story.changes_tender(key, facts={"environment_weight": 0.3}))
    for step, body in (("review", {}), ("invite", {"due": "2027-01-15"})):
        got(story.decides(key, step, **body))
    for code in ("FI-11", "NO-HSO", "SE-M"):
        got(story.answers(key, code, answer="commit"))
    return {"wound-dressings": key}


def two_participants_become_one_on_its_date(story: Story, tenders: dict[str, str], later: dict[str, str]) -> None:
    """DK-84 and DK-85 are DK-OST from 2027 on: what they committed to and called off is its own."""
    key = tenders["gloves"]
    parts = [story.allowance(key, code) for code in ("DK-84", "DK-85")]
    story.until(2026, 12, 31, 22)
    assert story.tender(key)["buyers"] == list(FIVE)
    story.until(2027, 1, 1, 7)
    story.until(2027, 1, 1, 9)
    assert story.tender(key)["buyers"] == ["DK-OST", "FI-11", "NO-HSO", "SE-M"]
    merged = story.allowance(key, "DK-OST")
    for name in ("estimate_quantity", "maximum_quantity", "called_off_quantity", "left_quantity"):
        assert merged[name] == sum(each[name] for each in parts), name
    refused(story.calls_off(key, "DK-84", 1), 404, "not-found")
    got(story.calls_off(key, "DK-OST", merged["left_quantity"]), 201)
    refused(story.calls_off(key, "DK-OST", 1), 409, "maximum-reached")
    told = got(story.app.nobody().get("/v1/public/effect?by=year"))
    assert (told["as_of"], told["total"]["planned"] is None) == ("2027-01-01", False)
    assert told["total"]["called_off"] is None, "of those who called off, one could tell another's within a quarter"
    asked = got(story.planner.get(f"/v1/tenders/{key}/consequences"))["items"]
    assert all(each["severity"] != "blocking" for each in asked)
    again = story.plans("autumn")
    assert members_of(again["pools"]["gloves"]) == {"DK-OST", "FI-11", "NO-HSO", "SE-M"}
    assert again["pools"]["gloves"]["lots"][0]["quantity"] == 2_900_000
    done = story.proposes("autumn", again["plan"])
    assert (done["tenders"], len(done["kept"])) == ([], 3)
    (dressings,) = later.values()
    got(story.answers(dressings, "DK-OST", answer="commit"))
    assert got(story.decides(dressings, "confirm"))["buyers"] == ["DK-OST", "FI-11", "NO-HSO", "SE-M"]
    assert got(story.changes(story.planner, "/v1/cycles/autumn", "decide"))["status"] == "decided"


def everybody_was_told(story: Story) -> None:
    own = story.coordinator("SE-M")
    assert story.kinds_of_notices(own) == {
        "cycle-opens",
        "cycle-closed",
        "cycle-decided",
        "invited",
        "correction",
        "tender-decided",
        "call-off-warning",
    }
    assert {"answer-due-soon", "tender-decided"} <= story.kinds_of_notices(story.coordinator("NO-HSO"))
    assert "succession" in story.kinds_of_notices(story.coordinator("DK-OST"))
    assert {"tender-answered", "tender-at-risk", "succession"} <= story.kinds_of_notices(story.planner)
    unread = got(own.get("/v1/notices?unread=true"))["items"]
    got(story.changes(own, f"/v1/notices/{unread[0]['id']}", "read"))
    assert len(got(own.get("/v1/notices?unread=true"))["items"]) == len(unread) - 1


def nothing_contradicts_anything(story: Story, tenders: list[str]) -> None:
    """`pooling check` finds nothing, the audit holds, and each transition is in it."""
    with reading(story.app.engine) as session:
        assert [f"{name}: {fault}" for name, holds in CHECKS.items() for fault in holds(session)] == []
    assert got(story.auditor.get("/v1/audit/verification"))["holds"]
    entries = story.audited()
    for key in tenders:
        history = got(story.planner.get(f"/v1/tenders/{key}/history?limit=500"))["items"]
        audited = [each["operation"] for each in entries if each["resource_id"] == key]
        done = [DEEDS[each["what"]] for each in history]
        assert sorted(done) == sorted(each for each in audited if each in DEEDS.values())
    for code in ("spring", "autumn"):
        steps = {each["operation"] for each in entries if each["resource_id"] == code}
        assert {"cycles.open", "cycles.close", "cycles.decide"} <= steps, steps
