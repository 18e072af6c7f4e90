"""From stored demand to a stored, judged plan, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel

import solver
from pooling.database import reading, transaction
from pooling.errors import BadInput, NotFound, PlanRefused
from pooling.market import service as market
from pooling.planning import service, solving, storing
from pooling.planning.service import Effort, make_plan
from pooling.planning.views import PlanView
from tests.pooling.planning.demand import (
    AS_OF,
    GOWNS,
    NOW,
    add_lines,
    line,
    offer,
    policy,
    small_world,
    small_world_in,
    submission,
)

TABLES = ("snapshot", "plan", "plan_pool", "plan_lot", "plan_lot_line", "plan_unpooled_line")


@pytest.fixture
def ids(engine: Engine) -> list[int]:
    return small_world_in(engine)


def counts(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        return {
            name: session.connection()
            .execute(select(func.count()).select_from(SQLModel.metadata.tables[name]))
            .scalar_one()
            for name in TABLES
        }


def planned(engine: Engine, **changes: Any) -> PlanView:
    made = make_plan(engine, policy(**changes), now=NOW)
    with reading(engine) as session:
        return service.view_plan(session, str(made.plan))


def test_the_way_from_lines_to_a_pool(engine: Engine, ids: list[int]) -> None:
    """Sure volume of all that fit: 2 350 000 less 1.28 standard deviations is above the second tier of 2 000 000."""
    view = planned(engine)
    (pool,) = view.pools
    (lot,) = pool.lots
    assert (pool.family, pool.start) == ("gloves", "2027-12")
    assert sorted(each.id for each in lot.lines) == ids[:5]
    assert lot.tier == 1
    assert lot.quantity == 2_350_000
    assert lot.tipping_quantity == 1_000_000
    assert lot.next_tier is None
    assert pool.countries == ("DK", "FO", "NO", "SE")
    assert {member.participant for member in pool.members} == {"DK-OST", "FO", "NO-HSO", "SE-M"}
    assert [member.contracting_authority for member in pool.members if member.participant == "FO"] == [False]
    assert pool.lead != "FO"
    assert view.how.status == "optimal"
    reasons = {each.id: each.reason for each in view.unpooled}
    assert reasons == {ids[5]: "criteria_refused", ids[6]: "no_offer", ids[7]: "outside_horizon"}


def test_a_line_that_requires_basic_takes_a_spearhead_offer(engine: Engine, ids: list[int]) -> None:
    view = planned(engine)
    (basic,) = [each for each in view.pools[0].lots[0].lines if each.required]
    assert basic.required == ("uhm-basic",)
    assert view.pools[0].lots[0].offer.criteria == ("uhm-spearhead",)
    assert view.pools[0].lots[0].offer.criteria_met == ("uhm-advanced", "uhm-basic", "uhm-spearhead")


def test_danish_demand_of_2027_is_ostdanmarks(engine: Engine, ids: list[int]) -> None:
    view = planned(engine)
    (moved,) = [each for each in view.pools[0].lots[0].lines if each.trace.sent_as == "DK-84"]
    assert (moved.participant, moved.participant_name) == ("DK-OST", "Region Østdanmark")


def test_money_and_volumes_add_up(engine: Engine, ids: list[int]) -> None:
    view = planned(engine)
    totals = view.totals
    lots = [lot for pool in view.pools for lot in pool.lots]
    for lot in lots:
        assert lot.quantity == sum(each.quantity for each in lot.lines)
        assert lot.spend_eur_per_year == pytest.approx(sum(each.quantity * 0.05 for each in lot.lines))
        assert lot.gain.set_up_cost_eur == 10 + len(lot.lines)
        assert lot.quantity - lot.sure_quantity == pytest.approx(lot.likely_maximum - lot.quantity, abs=1)
        # a third of the term's savings, by hand: 2 350 000 at 0.05 less 0.047
        assert lot.gain.savings_eur / 3 == pytest.approx(2_350_000 * 0.003)
        carbon = 2_350_000 * 0.012 / 1000
        assert lot.co2_saved_tonnes_per_year == pytest.approx(carbon)
        assert lot.gain.green_value_eur / 3 == pytest.approx(carbon * 120 + 0.01 * lot.spend_eur_per_year)
    for pool in view.pools:
        for lot in pool.lots:
            brought = [own for member in pool.members for own in member.lots if own.category == lot.category]
            assert sum(own.quantity for own in brought) == lot.quantity
            assert sum(own.share for own in brought) == pytest.approx(1)
        assert pool.spend_eur_per_year == pytest.approx(sum(member.spend_eur_per_year for member in pool.members))
        assert pool.value_over_term_eur == pytest.approx(
            sum(lot.quantity * lot.unit_price_eur * 3 for lot in pool.lots)
        )
    gain = sum((pool.gain for pool in view.pools), type(totals.gain)())
    for name in type(gain).__slots__:
        assert getattr(gain, name) == pytest.approx(getattr(totals.gain, name), abs=0.01)
    assert gain.net_eur == pytest.approx(view.how.objective_eur, abs=0.01)
    assert totals.lines == totals.lines_pooled + len(view.unpooled) == len(ids)
    assert totals.spend_pooled_eur_per_year == pytest.approx(sum(lot.spend_eur_per_year for lot in lots))
    assert totals.co2_saved_tonnes_per_year == pytest.approx(sum(lot.co2_saved_tonnes_per_year for lot in lots))


def test_what_is_stored_is_what_is_shown(engine: Engine, ids: list[int]) -> None:
    view = planned(engine)
    assert counts(engine) == {
        "snapshot": 1,
        "plan": 1,
        "plan_pool": 1,
        "plan_lot": 1,
        "plan_lot_line": 5,
        "plan_unpooled_line": 3,
    }
    tables = SQLModel.metadata.tables
    with reading(engine) as session:
        (pool,) = session.connection().execute(select(tables["plan_pool"])).mappings()
        lines = set(session.connection().execute(select(tables["plan_lot_line"].c.line)).scalars())
        out = dict(session.connection().execute(select(tables["plan_unpooled_line"].c["line", "reason"])).all())
    shown = view.pools[0]
    for name in ("family", "start", "lead", "dialogue_from", "notice_by", "award_by"):
        assert pool[name] == getattr(shown, name)
    assert pool["signing_body"] == shown.signing_body.code
    assert lines == {each.id for each in shown.lots[0].lines}
    assert out == {each.id: each.reason for each in view.unpooled}


def test_the_lead_time_lies_before_the_start(engine: Engine, ids: list[int]) -> None:
    view = planned(engine)
    pool = view.pools[0]
    assert pool.starts_on == date(2027, 12, 1)
    assert pool.dialogue_from == date(2026, 12, 1) >= AS_OF
    assert pool.dialogue_from < pool.notice_by < pool.award_by < pool.starts_on
    assert view.horizon_start == "2027-11"


def test_a_norwegian_lead_is_signed_for_by_its_body(engine: Engine) -> None:
    with transaction(engine) as session:
        small_world(session)
        session.connection().exec_driver_sql("UPDATE participant SET may_lead = (code = 'NO-HSO')")
    body = planned(engine).pools[0].signing_body
    assert body.code != "NO-HSO"
    assert "Sykehusinnkjøp" in body.name
    assert (body.country, bool(body.law), bool(body.language), bool(body.complaint_board)) == ("NO", True, True, True)


def test_the_same_question_gives_the_stored_plan_back(engine: Engine, ids: list[int]) -> None:
    first = make_plan(engine, policy(), now=NOW)
    before = counts(engine)
    second = make_plan(engine, policy(), now=NOW, effort=Effort(time_limit_s=5))
    assert (first.again, second.again) == (False, True)
    assert first.plan == second.plan
    assert counts(engine) == before


def test_another_seed_policy_or_line_is_another_question(engine: Engine, ids: list[int]) -> None:
    plans = {make_plan(engine, policy(), now=NOW).plan}
    plans.add(make_plan(engine, policy(), now=NOW, effort=Effort(seed=1)).plan)
    plans.add(make_plan(engine, policy(line_cost_eur=2), now=NOW).plan)
    with transaction(engine) as session:
        add_lines(session, submission(session, "more"), [line("FI-11", 5000)])
    plans.add(make_plan(engine, policy(), now=NOW).plan)
    assert len(plans) == counts(engine)["plan"] == 4
    assert counts(engine)["snapshot"] == 3


def test_a_plan_stored_while_another_was_solved_stands(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    judged = service.solve_judged(frozen, effort=Effort())
    with transaction(engine) as session:
        first = service.store_plan(session, judged, effort=Effort(), now=NOW)
    with transaction(engine) as session:
        second = service.store_plan(session, judged, effort=Effort(), now=NOW)
    assert (first.again, second.again) == (False, True)
    assert first.plan == second.plan


def test_a_question_that_the_solver_refuses_names_the_line_and_whose_it_is(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    at, line = next((at, line) for at, line in enumerate(frozen.instance["lines"]) if line["participant"] == "IS")
    rows = [*frozen.instance["lines"]]
    rows[at] = line | {"quantity_high": 2**53 + 1}
    wrong = replace(frozen, instance={**frozen.instance, "lines": rows, "schema": "x"})
    with pytest.raises(BadInput) as refused:
        service.solve_judged(wrong, effort=Effort())
    said = str(refused.value).splitlines()[1:]
    assert any(each.startswith(f"  line {line['id']} of IS: lines[{at}].quantity_high: ") for each in said), said


def test_a_plan_stopped_by_the_clock_is_looked_for_again_with_more_time(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    judged = service.solve_judged(frozen, effort=Effort())
    document = dict(judged.document)
    stopped = document | {"status": "feasible", "stopped_by_clock": True, "bound_eur": document["bound_eur"] * 2}
    stopped["gap"] = (stopped["bound_eur"] - stopped["objective_eur"]) / stopped["bound_eur"]
    with transaction(engine) as session:
        made = service.store_plan(session, service.Judged(frozen, stopped), effort=Effort(time_limit_s=10), now=NOW)
    with reading(engine) as session:
        assert service.find_plan(session, frozen, Effort(time_limit_s=10)) == made.plan
        assert service.find_plan(session, frozen, Effort(time_limit_s=5)) == made.plan
        assert service.find_plan(session, frozen, Effort(time_limit_s=11)) is None
        assert service.find_plan(session, frozen, Effort(time_limit_s=10, workers=2)) is None


def test_a_plan_that_ended_by_the_limits_of_its_work_is_not_looked_for_again(
    engine: Engine, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same limits would end the next search at the same place: only a closer gap is another question."""
    real, solves = service.solve_judged, []

    def ended_by_work(frozen: Any, **named: Any) -> service.Judged:
        solves.append(named["effort"].gap)
        document = dict(real(frozen, **named).document)
        ended = document | {"status": "feasible", "stopped_by_clock": False, "bound_eur": document["bound_eur"] * 2}
        return service.Judged(frozen, ended | {"gap": 1 - ended["objective_eur"] / ended["bound_eur"]})

    monkeypatch.setattr(service, "solve_judged", ended_by_work)
    asked = [0.1, 0.1, 0.2, 0.05, 0.05, 0.1]
    made = [
        make_plan(engine, policy(), now=NOW + timedelta(hours=hour), effort=Effort(time_limit_s=9 + hour, gap=gap))
        for hour, gap in enumerate(asked)
    ]
    assert [each.again for each in made] == [False, True, True, False, True, True]
    assert [made[0].plan, made[3].plan] == [made[5].plan, made[4].plan]
    assert solves == [0.1, 0.05]
    assert counts(engine)["plan"] == 2


def test_a_plan_within_the_asked_gap_stands_however_it_ended(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    document = dict(service.solve_judged(frozen, effort=Effort()).document)
    stopped = document | {"status": "feasible", "stopped_by_clock": True, "bound_eur": document["bound_eur"] * 1.25}
    judged = service.Judged(frozen, stopped | {"gap": 1 - stopped["objective_eur"] / stopped["bound_eur"]})
    with transaction(engine) as session:
        made = service.store_plan(session, judged, effort=Effort(time_limit_s=10, gap=0.01), now=NOW)
    with reading(engine) as session:
        assert service.find_plan(session, frozen, Effort(time_limit_s=60, gap=0.21)) == made.plan
        assert service.find_plan(session, frozen, Effort(time_limit_s=60, gap=0.19)) is None


def test_the_snapshot_does_not_depend_on_when_or_how_rows_came(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        first = service.take_snapshot(session, policy())
        again = service.take_snapshot(session, policy())
    assert first == again
    assert len(first.id) == 64
    assert first.context["rates"] == [
        {
            "currency": "SEK",
            "day": "2026-10-30",
            "per_eur": "11.000000",
            "source": "European Central Bank, reference rate",
        }
    ]
    assert [each["series"] for each in first.context["submissions"]] == ["all"]
    assert first.context["offer_files"] == [{"file_name": "offers.csv", "sha256": "e" * 64, "offers": 1}]


def test_superseded_lines_are_not_planned(engine: Engine, ids: list[int]) -> None:
    with transaction(engine) as session:
        add_lines(session, submission(session, "old", status="superseded"), [line("SE-O", 9_000_000)])
    assert planned(engine).totals.lines == len(ids)


def test_a_plan_stays_as_it_was_when_offers_and_names_change(engine: Engine, ids: list[int]) -> None:
    before = planned(engine)
    with transaction(engine) as session:
        market.store_offers(session, [offer(name="gloves-green", currency="DKK")], file=("x", "y"), loaded_at=NOW)
        session.connection().exec_driver_sql("UPDATE participant SET name = 'other'")
    with reading(engine) as session:
        assert service.view_plan(session, str(before.id)) == before


def test_a_plan_the_judge_refuses_leaves_nothing(
    engine: Engine, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = solving.solve

    class Tampered:
        def __init__(self, plan: Any) -> None:
            self.plan = plan

        def to_document(self) -> dict[str, Any]:
            document = json.loads(json.dumps(self.plan.to_document()))
            document["pools"][0]["lots"][0]["quantity"] += 1
            return document

    monkeypatch.setattr(solving, "solve", lambda *given, **named: Tampered(real(*given, **named)))
    with pytest.raises(PlanRefused, match="nothing was stored") as refused:
        make_plan(engine, policy(), now=NOW)
    assert "quantity" in str(refused.value)
    assert set(counts(engine).values()) == {0}
    monkeypatch.undo()
    assert make_plan(engine, policy(), now=NOW)
    assert counts(engine)["plan"] == 1


def test_a_plan_that_was_ended_early_says_so_and_is_looked_for_again(engine: Engine, ids: list[int]) -> None:
    """Told to stop before its first model, the solver has an empty plan and a true bound."""
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    early = service.solve_judged(frozen, effort=Effort(), stop=lambda: True)
    assert early.document["interrupted"] is True
    assert early.document["bound_eur"] > early.document["objective_eur"]
    with transaction(engine) as session:
        first = service.store_plan(session, early, effort=Effort(), now=NOW)
        assert service.find_plan(session, frozen, Effort()) is None
        assert service.find_plan(session, frozen, Effort(gap=0.999999)) is None
    whole = make_plan(engine, policy(), now=NOW)
    assert (whole.again, whole.plan == first.plan) == (False, False)
    optimal = service.solve_judged(frozen, effort=Effort(), stop=lambda: False)
    assert optimal.document["interrupted"] is False


def test_the_solver_is_named_by_all_of_its_sources_but_the_judge_s() -> None:
    """Code that moves into a package of its own must still tell a newer solver from the one that made a plan."""
    folder = Path(solver.__file__).parent
    all_of_it = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    named = dict(solving._sources(resources.files("solver"), ""))
    assert set(named) == {place for place in all_of_it if not place.startswith("check/")}
    assert any(place.startswith("check/") for place in all_of_it)
    assert len(named) > 50


def test_there_is_no_way_past_the_judge(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    document = json.loads(json.dumps(dict(service.solve_judged(frozen, effort=Effort()).document)))
    document["pools"][0]["lead"] = "FO"
    with pytest.raises(PlanRefused, match="lead"):
        service.Judged(frozen, document)


@pytest.mark.parametrize("broken", ["store_snapshot", "_store_lots", "_store_unpooled"])
def test_a_failure_at_any_step_of_storing_leaves_nothing(
    engine: Engine, ids: list[int], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    real = getattr(storing, broken)

    def fail(*given: Any) -> None:
        real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(storing, broken, fail)
    with pytest.raises(KeyboardInterrupt):
        make_plan(engine, policy(), now=NOW)
    assert set(counts(engine).values()) == {0}


def test_plans_are_named_by_the_first_characters(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session, pytest.raises(NotFound, match="no plan is stored"):
        service.view_plan(session)
    made = make_plan(engine, policy(), now=NOW).plan
    with reading(engine) as session:
        assert service.view_plan(session).id == made
        assert service.view_plan(session, str(made)[:4]).id == made
        assert service.view_plan(session, made).id == made
        for name in (str(made)[:3], "zzzz", ""):
            with pytest.raises(NotFound, match="give more of the id"):
                service.view_plan(session, name)


def test_no_demand_gives_an_empty_plan(engine: Engine) -> None:
    with transaction(engine) as session:
        small_world(session)
        session.connection().exec_driver_sql("UPDATE submission SET status = 'superseded'")
    view = planned(engine)
    assert (view.pools, view.unpooled, view.how.objective_eur) == ((), (), 0)
    assert [one.reason for one in view.excluded] == ["no_demand"]


def test_volume_to_market_needs_no_offer(engine: Engine, ids: list[int]) -> None:
    with reading(engine) as session:
        rows = service.volume_to_market(session, policy())
    gowns = [row for row in rows if row.category == GOWNS]
    assert [(row.start, row.quantity, row.participants) for row in gowns] == [
        ("2027-12", 500_000, (("SE-AB", 500_000),))
    ]
    make_plan(engine, policy(), now=NOW)
    with reading(engine) as session:
        assert service.plan_volume(session) == rows


def test_warnings_of_a_pool(engine: Engine, ids: list[int]) -> None:
    said = " ".join(planned(engine, term_months=49, lead_time_months=2, lead_time_reason="a test").pools[0].warnings)
    assert "longer than the four years" in said
    assert "Less than six weeks" in said
    assert "no contracting authority" in said
    assert "Region Skåne (43% of Examination gloves" in said
    quiet = " ".join(planned(engine).pools[0].warnings)
    assert "longer than the four years" not in quiet
    assert "Less than six weeks" not in quiet


def test_a_line_whose_participant_ends_within_its_window_is_told_of(engine: Engine, ids: list[int]) -> None:
    quiet = planned(engine)
    assert quiet.warnings == ()
    view = planned(engine, as_of=date(2026, 11, 1), lead_time_months=0, lead_time_reason="a test")
    assert {line.participant for pool in view.pools for line in pool.lots[0].lines} >= {"DK-OST"}
    (said,) = view.warnings
    assert said.startswith("DK-84 ends while 1 of its lines could start: they are planned as DK-OST's, from 2027-01 on")


@pytest.mark.parametrize("plans_before", [0, 1])
def test_those_that_store_the_same_plan_at_once_store_one(engine: Engine, ids: list[int], plans_before: int) -> None:
    for seed in range(plans_before):
        make_plan(engine, policy(), now=NOW, effort=Effort(seed=seed + 1))
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    judged = service.solve_judged(frozen, effort=Effort())
    ready = Barrier(3)

    def store(_: int) -> service.Made:
        ready.wait(timeout=30)
        with transaction(engine) as session:
            return service.store_plan(session, judged, effort=Effort(), now=NOW)

    with ThreadPoolExecutor(3) as threads:
        made = list(threads.map(store, range(3)))
    assert len({each.plan for each in made}) == 1
    assert sorted(each.again for each in made) == [False, True, True]
    stored = counts(engine)
    assert (stored["snapshot"], stored["plan"], stored["plan_pool"]) == (1, 1 + plans_before, 1 + plans_before)


def test_the_snapshot_is_one_consistent_view(engine: Engine, ids: list[int]) -> None:
    """Lines that arrive while the question is solved are in the next plan, not half in this one."""
    with reading(engine) as session:
        frozen = service.take_snapshot(session, policy())
    with transaction(engine) as session:
        add_lines(session, submission(session, "later"), [line("SE-O", 800_000)])
    judged = service.solve_judged(frozen, effort=Effort())
    with transaction(engine) as session:
        made = service.store_plan(session, judged, effort=Effort(), now=NOW)
    with reading(engine) as session:
        assert service.view_plan(session, made.plan).totals.lines == len(ids)
