"""What is decided stays decided: the next run holds it, a new offer or a new file changes nothing of it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from pooling.database import reading, transaction
from pooling.demand.tables import Line, Submission
from pooling.invariants.commands import CHECKS
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.planning import service as planning
from pooling.planning.holds import Holds, holds_kept
from pooling.tenders import service
from tests.pooling.planning.demand import GOWNS, NOW, add_lines, figure, line, offer, policy, submission
from tests.pooling.tenders.conftest import CYCLE, MEMBERS, Round, close, make_cycle, plan_of

TODAY = date(2026, 11, 22)
NEXT = "autumn"


def held(planned: Round, code: str = CYCLE) -> Holds:
    with reading(planned.api.engine) as session:
        return service.holds(session, code, today=TODAY)


def pools(planned: Round, plan: UUID) -> list[dict[str, Any]]:
    found = planned.planner.get(f"/v1/pools?plan={plan}").json()["items"]
    return [planned.planner.get(f"/v1/pools/{each['id']}").json() for each in found]


def second_cycle(planned: Round, **lines: dict[str, Any]) -> None:
    """Demand is sent anew: SE-M's and NO-HSO's lines again with other volumes, and new lines."""
    with transaction(planned.api.engine) as session:
        _send(session)
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)


def _send(session: Session) -> None:
    add_lines(
        session,
        submission(session, "second"),
        [line("SE-M", 950_000), line("SE-AB", 600_000), line("SE-O", 700_000), line("NO-HV", 300_000)],
    )


def violations(planned: Round) -> list[str]:
    with reading(planned.api.engine) as session:
        return [f"{name}: {fault}" for name in ("snapshots", "plans", "pools") for fault in CHECKS[name](session)]


def test_a_second_cycle_keeps_what_is_confirmed(planned: Round) -> None:
    key = planned.confirmed()
    second_cycle(planned)
    holds = held(planned, NEXT)
    assert [(each.tender, each.start) for each in holds.fixed] == [(key, planned.tender(key)["start"])]
    assert holds_kept(holds.to_document()) == holds
    plan = plan_of(planned.api, NEXT, holds=holds)
    found = pools(planned, plan)
    ours = [each for each in found if {one["participant"] for one in each["members"]} == set(MEMBERS)]
    assert len(ours) == 1
    assert sum(each["lots"][0]["quantity"] for each in ours) == 2_350_000
    new = [each for each in found if each not in ours]
    assert [{one["participant"] for one in each["members"]} for each in new] == [{"NO-HV", "SE-AB", "SE-O"}]
    with reading(planned.api.engine) as session:
        stored = planning.stored_plan(session, plan)
    left = [(each["reason"], each["words"]) for each in stored.frozen.context["excluded"] if each["kind"] == "line"]
    assert [reason for reason, _ in left] == ["in_tender"], "SE-M's newer line"
    assert key in left[0][1]
    assert violations(planned) == []
    done = planned.propose(plan, NEXT)
    assert done.status_code == 201, done.text
    assert (len(done.json()["tenders"]), done.json()["kept"]) == (1, [key])


def test_demand_sent_anew_over_a_merger_is_not_planned_twice(planned: Round) -> None:
    """DK-84's gloves are DK-OST's in the tender: what either sends of them later is left out, DK-85's is not."""
    planned.confirmed()
    with transaction(planned.api.engine) as session:
        gloves = [line(code, 300_000) for code in ("DK-84", "DK-OST", "DK-85")]
        gloves.append(line("DK-84", 300_000, earliest_start="2026-11"))
        again, whole, other, early = add_lines(session, submission(session, "second"), gloves)
        session.get_one(Line, again).participant = "DK-OST"  # as at load: it starts after the merger
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    with reading(planned.api.engine) as session:
        frozen = planning.take_snapshot(session, policy(), cycle=NEXT, holds=held(planned, NEXT))
    left = {each["id"] for each in frozen.context["excluded"] if each["reason"] == "in_tender"}
    assert left == {str(again), str(whole), str(early)}
    assert str(other) in {each["id"] for each in frozen.instance["lines"]}


def test_an_offer_that_has_changed_since_changes_nothing_of_what_was_decided(planned: Round) -> None:
    """Tonnes and prices are those it was decided on; the offer of today takes no more than there is left of it."""
    planned.confirmed()
    with transaction(planned.api.engine) as session:
        tiers = (TierRecord(figure(800_000), figure(48_000)),)
        changed = offer(tiers=tiers, total_max_quantity=3_000_000)
        market.store_offers(session, [changed], file=("new.csv", "a" * 64), loaded_at=NOW)
    second_cycle(planned)
    plan = plan_of(planned.api, NEXT, holds=held(planned, NEXT))
    with reading(planned.api.engine) as session:
        instance = planning.stored_plan(session, plan).frozen.instance
    by_id = {each["id"]: each for each in instance["offers"]}
    frozen = next(each for each in by_id if each.startswith("gloves-green~"))
    assert [each["unit_price_eur"] for each in by_id[frozen]["tiers"]] == [0.049, 0.047]
    assert by_id["gloves-green"]["total_max_quantity"] == 650_000
    assert [each["lots"][0]["offer"] for each in instance["fixed"]] == [frozen]
    assert {"offer": frozen, "line": None, "participant": None, "family": None, "start": None} in instance["forbidden"]
    assert [
        each["lots"][0]["unit_price_eur"] for each in pools(planned, plan) if each["lots"][0]["offer"] == frozen
    ] == [0.047]
    assert violations(planned) == []


def test_what_was_declined_is_not_proposed_again(planned: Round) -> None:
    key = planned.invited()
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").status_code == 200
    assert planned.do(key, "reject", reason="too few").status_code == 200
    holds = held(planned)
    assert holds.fixed == []
    lines = {each.line for each in holds.forbidden}
    assert len(lines) == 2
    plan = plan_of(planned.api, holds=holds)
    found = pools(planned, plan)
    assert found
    assert all("SE-M" not in {one["participant"] for one in each["members"]} for each in found)


def test_what_was_declined_is_not_proposed_for_the_same_demand_sent_anew(planned: Round) -> None:
    """In that cycle and later ones; other items of the participant, and those it sent before, are free."""
    key = planned.invited()
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").status_code == 200
    assert planned.do(key, "reject", reason="too few").status_code == 200
    declined = {each.line for each in held(planned).forbidden}
    with transaction(planned.api.engine) as session:
        again, other = add_lines(
            session, submission(session, "second"), [line("SE-M", 990_000), line("SE-M", 10_000, item_code="G-2")]
        )
    planned.api.clock.now += timedelta(days=1)
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    with reading(planned.api.engine) as session:
        frozen = planning.take_snapshot(session, policy(), cycle=NEXT, holds=held(planned, NEXT))
    refused = {each["line"] for each in frozen.instance["forbidden"]}
    assert refused == {str(each) for each in (*declined, again)}
    assert str(other) in {each["id"] for each in frozen.instance["lines"]}
    assert {each.line for each in held(planned).forbidden} == declined


def test_an_old_plan_does_not_bring_back_what_was_declined_since(planned: Round) -> None:
    key = planned.invited()
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").status_code == 200
    assert planned.do(key, "reject", reason="too few").status_code == 200
    refused = planned.propose()
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert "SE-M has declined offer 'gloves-green'" in refused.json()["detail"]
    assert "ask for a new run" in refused.json()["detail"]
    done = planned.propose(plan_of(planned.api, holds=held(planned)))
    assert done.status_code == 201, done.text
    members = {each["participant"] for each in planned.tender(done.json()["tenders"][0])["members"]}
    assert members == set(MEMBERS) - {"SE-M"}


def test_what_was_rejected_without_a_refusal_can_be_proposed_again(planned: Round) -> None:
    key = planned.invited()
    assert planned.answer(key, "SE-M", answer="change", change={"start": "2028-09"}, reason="stock").status_code == 200
    assert planned.do(key, "reject", reason="not now").status_code == 200
    assert planned.propose().status_code == 201


def test_what_was_declined_in_a_later_cycle_says_nothing_of_an_earlier_one(planned: Round) -> None:
    planned.api.clock.now += timedelta(days=1)
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    key = planned.propose(plan_of(planned.api, NEXT), NEXT).json()["tenders"][0]
    assert planned.do(key, "review").status_code == planned.do(key, "invite", due="2026-12-01").status_code == 200
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").status_code == 200
    assert held(planned, NEXT).forbidden != []
    assert held(planned).forbidden == []


def test_the_last_plan_is_where_lines_stood(planned: Round) -> None:
    assert held(planned).previous == []
    planned.propose()
    stood = held(planned).previous
    assert {(each.offer, each.start) for each in stood} == {("gloves-green", pools(planned, planned.plan)[0]["start"])}
    with reading(planned.api.engine) as session:
        frozen = planning.take_snapshot(session, policy(), cycle=CYCLE, holds=held(planned))
    assert [each["line"] for each in frozen.instance["previous"]] == [str(each.line) for each in stood]


def previous(planned: Round, ids: list[int]) -> dict[int, tuple[str, str]]:
    """Where the next run of the next cycle has stood: of these lines."""
    planned.propose()
    planned.api.clock.now += timedelta(days=1)
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    with reading(planned.api.engine) as session:
        frozen = planning.take_snapshot(session, policy(), cycle=NEXT, holds=held(planned, NEXT))
    stood = {int(each["line"]): (each["offer"], each["start"]) for each in frozen.instance["previous"]}
    return {line: stood[line] for line in ids if line in stood}


def place(planned: Round) -> tuple[str, str]:
    return "gloves-green", pools(planned, planned.plan)[0]["start"]


def send_again(planned: Round, *lines: dict[str, Any]) -> list[int]:
    """All that was sent before counts no longer."""
    with transaction(planned.api.engine) as session:
        for row in session.exec(select(Submission)):
            row.status = "superseded"
        return add_lines(session, submission(session, "second"), lines)


def test_a_line_that_was_sent_again_stands_where_it_stood(planned: Round) -> None:
    """SE-M's two lines were in the pool: whichever takes their place stands there, another item or region does not."""
    sent = [line("SE-M", 910_000), line("SE-M", 110_000), line("SE-M", 5_000), line("NO-HSO", 700_000)]
    sent += [line("SE-M", 5_000, item_code="other"), line("SE-AB", 9_000), line("SE-M", 5_000, GOWNS)]
    again = send_again(planned, *sent)
    assert previous(planned, again) == dict.fromkeys(again[:4], place(planned))


def test_a_successor_s_line_stands_where_its_predecessor_s_stood(planned: Round) -> None:
    """DK-84's gloves were in the pool as DK-OST's; DK-85's were not sent."""
    again = send_again(planned, line("DK-OST", 600_000), line("DK-85", 600_000))
    assert previous(planned, again) == {again[0]: place(planned)}


def test_a_pool_with_lines_of_a_tender_that_stands_is_refused(planned: Round) -> None:
    key = planned.invited()
    other = plan_of(planned.api, by=policy(min_participants=3, pool_cost_eur=5_000, horizon_start="2028-03"))
    refused = planned.propose(other)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert key in refused.json()["detail"]
    assert planned.tender(key)["status"] == "invited"


def test_a_plan_of_other_lines_is_refused(planned: Round) -> None:
    with transaction(planned.api.engine) as session:
        _send(session)
    foreign = planning.make_plan(planned.api.engine, policy(), now=planned.api.clock.now).plan
    refused = planned.propose(foreign)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not-of-cycle")


def test_invited_and_locked_tenders_are_held_in_every_cycle(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert held(planned).fixed == []
    assert planned.change(key, locked=True).status_code == 200
    assert [each.tender for each in held(planned).fixed] == [key]
    assert planned.change(key, locked=False).status_code == 200
    assert planned.do(key, "review").status_code == planned.do(key, "invite", due="2026-12-01").status_code == 200
    assert planned.answer(key, "FO", answer="decline", reason="small").status_code == 200
    fixed = held(planned).fixed
    assert {each["participant"] for each in fixed[0].lots[0].lines} == {"DK-OST", "NO-HSO", "SE-M"}
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    assert held(planned, NEXT).fixed == fixed


@pytest.mark.parametrize("locked", [True, False])
def test_the_run_of_an_overlapping_cycle_can_be_proposed(planned: Round, *, locked: bool) -> None:
    """Another cycle froze the same lines: its run leaves the tender of the first alone, as the refusal says."""
    if locked:
        key = planned.propose().json()["tenders"][0]
        assert planned.change(key, locked=True).status_code == 200
    else:
        key = planned.invited()
    second_cycle(planned)
    clash = planned.propose(plan_of(planned.api, NEXT), NEXT)
    assert (clash.status_code, clash.json()["code"]) == (409, "wrong-state")
    assert "ask for a run of the cycle" in clash.json()["detail"]
    done = planned.propose(plan_of(planned.api, NEXT, holds=held(planned, NEXT)), NEXT)
    assert done.status_code == 201, done.text
    assert (len(done.json()["tenders"]), done.json()["kept"]) == (1, [key])


def test_of_two_tenders_for_the_same_lines_one_can_be_locked(planned: Round) -> None:
    first = planned.propose().json()["tenders"][0]
    make_cycle(planned.api, NEXT)
    close(planned.api, NEXT)
    second = planned.propose(plan_of(planned.api, NEXT), NEXT).json()["tenders"][0]
    assert planned.change(second, locked=True).status_code == 200
    refused = planned.change(first, locked=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert second in refused.json()["detail"]
    assert [each.tender for each in held(planned).fixed] == [second]
