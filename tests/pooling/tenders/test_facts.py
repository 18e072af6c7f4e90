"""Facts that planners enter on a tender: kept, shown to planners alone, and the law decides by them."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session, col, select

from pooling.database import reading
from pooling.feed import FeedEntry
from pooling.market import service as market
from pooling.reference import service as reference
from tests.pooling.planning.demand import NOW, add_lines, line, offer, submission
from tests.pooling.tenders.conftest import DUE, Round, planned_world

NEEDLES = "insulin-syringes"
"""Users need a choice of products."""
REASONS = "requirements bind every bid (made up)"
NOTHING = {
    "central_government": None,
    "environment_weight": None,
    "environment_reasons": None,
    "agreement_signed": None,
    "lot_reasons": None,
    "term_reasons": None,
    "option_months": None,
    "main_cpv": None,
    "categories": {NEEDLES: {"buying_share": None, "suppliers": None, "offers": 2}},
}


def small(session: Session) -> None:
    """A Swede and a Norwegian, about EUR 169,000 over three years, nothing environmental required."""
    standing = [offer(NEEDLES, NEEDLES, criteria=()), offer("dear", NEEDLES, criteria=(), max_quantity=1)]
    market.store_offers(session, standing, file=("offers.csv", "e" * 64), loaded_at=NOW)
    lines = [line("SE-M", 650_000, NEEDLES), line("NO-HSO", 500_000, NEEDLES)]
    add_lines(session, submission(session), lines)


@pytest.fixture
def world(database_url: str) -> Iterator[Round]:
    with planned_world(database_url, small) as made:
        yield made


@pytest.fixture
def key(world: Round) -> str:
    made = world.propose()
    assert made.status_code == 201, made.text
    tender: str = made.json()["tenders"][0]
    return tender


def enter(world: Round, key: str, **facts: Any) -> dict[str, Any]:
    answer = world.change(key, facts=facts)
    assert answer.status_code == 200, answer.text
    entered: dict[str, Any] = answer.json()["facts"]
    return entered


def says(world: Round, key: str, rule: str) -> tuple[str, str]:
    """What a rule answers, and how grave it is."""
    items = world.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    [found] = [each for each in items if each["rule"] == rule]
    return found["applies"], found["severity"]


@pytest.mark.parametrize(
    ("rule", "facts", "expected"),
    [
        ("thresholds", {}, ("unknown", "warning")),
        ("thresholds", {"central_government": True}, ("yes", "note")),
        ("thresholds", {"central_government": False}, ("no", "note")),
        ("buying-share", {}, ("unknown", "note")),
        ("buying-share", {"categories": {NEEDLES: {"buying_share": 0.15}}}, ("no", "note")),
        ("buying-share", {"categories": {NEEDLES: {"buying_share": 0.1501}}}, ("yes", "warning")),
        ("norway-environment", {}, ("yes", "blocking")),
        ("norway-environment", {"environment_weight": 0.2999}, ("yes", "blocking")),
        ("norway-environment", {"environment_weight": 0.3}, ("yes", "note")),
        ("several-suppliers", {}, ("yes", "warning")),
        ("several-suppliers", {"categories": {NEEDLES: {"suppliers": 1}}}, ("yes", "warning")),
        ("several-suppliers", {"categories": {NEEDLES: {"suppliers": 2}}}, ("yes", "note")),
        ("joint-agreement", {}, ("yes", "warning")),
        ("joint-agreement", {"agreement_signed": True}, ("yes", "note")),
        ("lots", {}, ("yes", "warning")),
        ("lots", {"lot_reasons": "one product (made up)"}, ("yes", "note")),
    ],
)
def test_each_fact_decides_its_rule(
    world: Round, key: str, rule: str, facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    if facts:
        enter(world, key, **facts)
    assert says(world, key, rule) == expected


def test_requirements_take_the_place_of_a_weight_where_the_reasons_are_given(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert says(planned, key, "norway-environment") == ("yes", "warning")
    enter(planned, key, environment_reasons=REASONS)
    assert says(planned, key, "norway-environment") == ("yes", "note")


def test_facts_are_kept_apart_and_null_takes_one_away(world: Round, key: str) -> None:
    assert world.tender(key)["facts"] == NOTHING
    enter(world, key, central_government=False, categories={NEEDLES: {"buying_share": 0.2, "suppliers": 3}})
    entered = enter(world, key, environment_weight=0.4, categories={NEEDLES: {"suppliers": None}})
    assert (entered["central_government"], entered["environment_weight"]) == (False, 0.4)
    assert entered["categories"] == {NEEDLES: {"buying_share": 0.2, "suppliers": None, "offers": 2}}
    assert enter(world, key, central_government=None, environment_weight=None, categories={NEEDLES: None}) == NOTHING


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"categories": {"stoma-bags-one-piece": {"suppliers": 2}}}, "#/facts/categories/stoma-bags-one-piece"),
        ({"categories": {NEEDLES: {"suppliers": 0}}}, "#/facts/categories"),
        ({"categories": {NEEDLES: {"buying_share": 1.01}}}, "#/facts/categories"),
        ({"environment_weight": 30}, "#/facts/environment_weight"),
        ({"environment_reasons": ""}, "#/facts/environment_reasons"),
        ({"weight": 0.3}, "#/facts"),
        (None, "#/facts"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(world: Round, key: str, facts: Any, pointer: str) -> None:
    before = world.tender(key)
    refused = world.change(key, facts=facts)
    assert refused.status_code in (400, 422), refused.text
    assert refused.json()["errors"][0]["pointer"].startswith(pointer), refused.json()
    assert world.tender(key) == before


def test_planners_alone_see_them_and_what_is_told_has_no_figure(world: Round, key: str) -> None:
    version = world.tender(key)["version"]
    enter(world, key, environment_weight=0.4321, categories={NEEDLES: {"buying_share": 0.1234}})
    enter(world, key, environment_weight=0.4321)
    assert world.tender(key)["version"] == version + 1, "the same again changes nothing"
    assert "facts" not in world.coordinator("SE-M").get(f"/v1/tenders/{key}").json()
    last = world.planner.get(f"/v1/tenders/{key}/history").json()["items"][-1]
    assert last["details"] == {"facts": f"buying_share of {NEEDLES}, environment_weight"}
    audited = world.api.client("auditor").get("/v1/audit?limit=500")
    [deed] = [each for each in audited.json()["items"] if "facts" in each["details"]]
    assert (deed["operation"], deed["resource_id"]) == ("tenders.update", key)
    assert deed["details"]["facts"] == last["details"]["facts"]
    with reading(world.api.engine) as session:
        wanted = select(FeedEntry).where(FeedEntry.resource_id == key).order_by(col(FeedEntry.position).desc())
        change = session.exec(wanted).first()
    assert change is not None
    assert (change.type, change.action, change.version) == ("tender", "updated", str(version + 1))
    assert "0.4321" not in audited.text
    assert "0.1234" not in audited.text


def test_until_the_hand_over_and_never_against_the_law(world: Round, key: str) -> None:
    assert world.do(key, "review").status_code == 200
    unasked = world.do(key, "invite", due=DUE)
    assert (unasked.status_code, unasked.json()["code"]) == (409, "blocked-by-law")
    enter(world, key, environment_weight=0.3)
    assert world.do(key, "invite", due=DUE).status_code == 200
    enter(world, key, environment_weight=0.1)
    for code in ("SE-M", "NO-HSO"):
        assert world.answer(key, code, answer="commit").status_code == 200
    stopped = world.do(key, "confirm")
    assert (stopped.status_code, stopped.json()["code"]) == (409, "blocked-by-law")
    enter(world, key, environment_weight=0.3)
    assert [each["answer"] for each in world.tender(key)["members"]] == ["committed"] * 2, "the terms are the same"
    assert world.do(key, "confirm").status_code == 200
    against = world.change(key, facts={"environment_weight": 0.2})
    assert (against.status_code, against.json()["code"]) == (409, "blocked-by-law")
    assert world.tender(key)["facts"]["environment_weight"] == 0.3
    enter(world, key, central_government=False)
    assert world.do(key, "hand-over").status_code == 200
    late = world.change(key, facts={"central_government": True})
    assert (late.status_code, late.json()["code"]) == (409, "wrong-state")
    assert world.change(key, note="still possible").status_code == 200


@pytest.mark.parametrize(("required", "severity"), [("", "blocking"), ("pvc-free", "warning")])
def test_what_a_line_requires_is_specified_and_what_the_offer_merely_meets_is_not(
    database_url: str, required: str, severity: str
) -> None:
    def demand(session: Session) -> None:
        green = offer(NEEDLES, NEEDLES, criteria=("pvc-free",))
        market.store_offers(session, [green], file=("offers.csv", "e" * 64), loaded_at=NOW)
        asking = line("SE-M", 650_000, NEEDLES, required=required)
        add_lines(session, submission(session), [asking, line("NO-HSO", 500_000, NEEDLES)])

    with planned_world(database_url, demand) as world:
        made = world.propose()
        assert says(world, made.json()["tenders"][0], "norway-environment") == ("yes", severity)


def test_a_tender_whose_lead_declined_has_no_law_until_another_leads(world: Round, key: str) -> None:
    enter(world, key, environment_weight=0.3)
    for step, body in (("review", {}), ("invite", {"due": DUE})):
        assert world.do(key, step, **body).status_code == 200
    lead = world.tender(key)["lead"]
    assert world.answer(key, lead, answer="decline", reason="no use (made up)").status_code == 200
    asked = world.planner.get(f"/v1/tenders/{key}/consequences")
    assert (asked.status_code, asked.json()["code"]) == (409, "no-lead")
    [why] = world.planner.get(f"/v1/tenders/{key}/standing").json()["blocked"]
    assert why.startswith("the lead of tender")


def test_before_the_freeze_values_are_the_most_that_would_be_called_off(world: Round, key: str) -> None:
    def value() -> float:
        items = world.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
        [found] = [each for each in items if each["rule"] == "estimate-and-maximum" and not each["participants"]]
        most: float = found["figures"]["maximum_cents"]
        return most

    enter(world, key, environment_weight=0.3)
    for step, body in (("review", {}), ("invite", {"due": DUE})):
        assert world.do(key, step, **body).status_code == 200
    for code in ("SE-M", "NO-HSO"):
        assert world.answer(key, code, answer="commit").status_code == 200
    thresholds = world.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    before = next(each["figures"] for each in thresholds if each["rule"] == "thresholds")
    assert world.do(key, "confirm").status_code == 200
    thresholds = world.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    after = next(each["figures"] for each in thresholds if each["rule"] == "thresholds")
    assert before == after
    assert after["value_cents"] == value()


def test_the_law_looks_at_the_term_with_its_extension(world: Round, key: str) -> None:
    def found(rule: str) -> dict[str, Any]:
        items = world.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
        answer: dict[str, Any] = next(each for each in items if each["rule"] == rule)
        return answer

    months = world.tender(key)["lots"][0]["term_months"]
    before = found("thresholds")["figures"]["value_cents"]
    enter(world, key, option_months=months)
    assert found("thresholds")["figures"]["value_cents"] == pytest.approx(2 * before, abs=2)
    enter(world, key, option_months=48 - months)
    assert (found("term")["severity"], found("term")["figures"]["months"]) == ("note", 48)
    enter(world, key, option_months=48 - months + 1)
    assert (found("term")["severity"], found("term")["figures"]["months"]) == ("blocking", 49)
    enter(world, key, option_months=None)
    assert found("thresholds")["figures"]["value_cents"] == before


def test_the_main_cpv_is_one_of_the_categories(world: Round, key: str) -> None:
    with reading(world.api.engine) as session:
        cpv = reference.categories(session)[NEEDLES].cpv
    assert cpv is not None
    assert enter(world, key, main_cpv=cpv)["main_cpv"] == cpv
    other = world.change(key, facts={"main_cpv": "12345678"})
    assert other.status_code == 422
    [fault] = other.json()["errors"]
    assert fault["pointer"] == "#/facts/main_cpv"
    assert cpv in fault["detail"]
