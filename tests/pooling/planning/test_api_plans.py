"""Plans, pools and outcomes over HTTP: what planners are shown, and what a coordinator is not."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from pooling.database import reading, transaction
from pooling.planning import service
from pooling.planning.words import OWN_FIGURES, REASONS, own_figures
from solver.plan import Reason
from tests.pooling.planning.conftest import OTHER, REGION, Planned
from tests.pooling.planning.demand import GOWNS, add_lines, line, policy, submission


def test_plans_are_listed_latest_first_with_their_figures(planned: Planned) -> None:
    planned.api.clock.now += timedelta(hours=1)
    later = service.make_plan(planned.api.engine, policy(min_participants=3), now=planned.api.clock.now).plan
    items = planned.planner.get("/v1/plans").json()["items"]
    assert [item["id"] for item in items] == [str(later), str(planned.plan)]
    with reading(planned.api.engine) as session:
        view = service.view_plan(session, planned.plan)
    shown = items[1]
    assert (shown["pools"], shown["as_of"], shown["policy_name"]) == (1, "2026-11-01", "default")
    assert shown["objective_eur"] == pytest.approx(view.how.objective_eur)
    assert shown["totals"]["spend_eur_per_year"] == pytest.approx(view.totals.spend_eur_per_year)
    first = planned.planner.get("/v1/plans?limit=1").json()
    second = planned.planner.get(f"/v1/plans?limit=1&cursor={first['next_cursor']}").json()
    assert (second["items"], second["next_cursor"]) == ([shown], None)


def test_a_plan_says_what_it_rested_on_and_is_not_sent_again(planned: Planned) -> None:
    answer = planned.planner.get(f"/v1/plans/{planned.plan}")
    plan = answer.json()
    assert plan["participants"] == ["DK-OST", "FI-11", "FO", "IS", "NO-HSO", "SE-AB", "SE-M"]
    assert {each["reason"]: each["lines"] for each in plan["unpooled"]} == {
        "criteria_refused": 1,
        "no_offer": 1,
        "outside_horizon": 1,
    }
    assert plan["submissions"][0]["lines_made"] == 9
    assert plan["horizon_start"] == "2027-11"
    same = planned.planner.get(f"/v1/plans/{planned.plan}", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    planned.explain()
    after = planned.planner.get(f"/v1/plans/{planned.plan}", headers={"If-None-Match": answer.headers["ETag"]})
    assert {each["kind"] for each in after.json()["explained"]} == {"near-misses", "risk", "shares", "volume"}


def test_the_list_of_pools_says_what_the_plan_says(planned: Planned) -> None:
    with reading(planned.api.engine) as session:
        (view,) = service.view_plan(session, planned.plan).pools
    (shown,) = planned.planner.get("/v1/pools").json()["items"]
    assert shown["plan"] == str(planned.plan)
    for name in ("number", "family", "start", "lead", "spend_eur_per_year", "value_over_term_eur"):
        assert shown[name] == pytest.approx(getattr(view, name)), name
    for name in ("savings_eur", "green_value_eur", "bridging_cost_eur", "set_up_cost_eur"):
        assert shown[name] == pytest.approx(getattr(view.gain, name)), name
    assert (shown["lots"], shown["lines"]) == (1, 5)
    assert shown["members"] == ["DK-OST", "FO", "NO-HSO", "SE-M"]
    assert shown["countries"] == ["DK", "FO", "NO", "SE"]
    assert planned.planner.get("/v1/pools?family=gauze").json()["items"] == []
    assert planned.planner.get(f"/v1/pools?plan={uuid4()}").status_code == 404


def test_pools_come_in_pages_and_of_the_latest_plan_unless_another_is_named(planned: Planned) -> None:
    with transaction(planned.api.engine) as session:
        table = SQLModel.metadata.tables["plan_pool"]
        row = dict(session.connection().execute(select(table)).mappings().one())
        more = [{**row, "id": row["id"] + k, "start": f"2028-0{k}"} for k in range(1, 8)]
        session.connection().execute(table.insert(), more)
    seen, cursor = [], ""
    while True:
        page = planned.planner.get(f"/v1/pools?limit=3{cursor}").json()
        seen += [item["start"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["2027-12", *(f"2028-0{k}" for k in range(1, 8))]
    planned.api.clock.now += timedelta(hours=1)
    empty = service.make_plan(planned.api.engine, policy(min_participants=20), now=planned.api.clock.now).plan
    assert planned.planner.get("/v1/pools").json()["items"] == []
    assert planned.planner.get(f"/v1/pools?plan={empty}").json()["items"] == []
    assert len(planned.planner.get(f"/v1/pools?plan={planned.plan}").json()["items"]) == 8


def test_before_the_first_plan_there_are_no_pools(opened: Any) -> None:
    assert opened.client("planner").get("/v1/pools").json() == {"items": [], "next_cursor": None}


def test_a_pool_is_shown_with_lots_lines_and_members_that_add_up(planned: Planned) -> None:
    pool = planned.planner.get(f"/v1/pools/{planned.pool}").json()
    (lot,) = pool["lots"]
    assert lot["quantity"] == sum(each["quantity_per_year"] for each in lot["lines"]) == 2_350_000
    assert (lot["tier"], lot["tipping_quantity"], lot["unit_price_eur"]) == (1, 1_000_000, 0.047)
    assert pool["gain"]["net_eur"] == pytest.approx(
        sum(each["gain"]["net_eur"] for each in lot["lines"]) - 10 - 100 - 3 * 20
    )
    assert {each["participant"] for each in pool["members"]} == {"DK-OST", "FO", "NO-HSO", "SE-M"}
    moved = next(each for each in lot["lines"] if each["held_by"] == "DK-OST")
    assert moved["participant"] == "DK-84"  # who sent it; its coordinator is shown it, the successor is not
    assert pool["law"]
    assert planned.planner.get("/v1/pools/999999").status_code == 404


OWN_IN_LIST = {"id", "plan", "number", "family", "start", "dialogue_from", "notice_by", "award_by"}
OWN_IN_POOL = (OWN_IN_LIST | {"starts_on", "lots"}) - {"members"}
OWN_IN_LOT = {"category", "category_name", "unit", "offer", "offer_name", "criteria", "term_months", "lines"}
OWN_IN_PLAN = {
    "id",
    "version",
    "created_at",
    "as_of",
    "horizon_start",
    "horizon_months",
    "lead_time_months",
    "policy_name",
    "snapshot",
    "solver_version",
    "seed",
    "workers",
    "time_limit_s",
    "runtime_s",
    "status",
    "interrupted",
}


def test_a_coordinator_is_shown_own_lines_and_no_figure_of_the_whole(planned: Planned) -> None:
    """Fields are left out, not zero: exactly these are there."""
    (item,) = planned.coordinator.get("/v1/pools").json()["items"]
    assert set(item) == OWN_IN_LIST
    pool = planned.coordinator.get(f"/v1/pools/{planned.pool}").json()
    assert set(pool) == OWN_IN_POOL
    (lot,) = pool["lots"]
    assert set(lot) == OWN_IN_LOT
    assert {each["id"] for each in lot["lines"]} == set(planned.lines[:2])
    assert {each["participant"] for each in lot["lines"]} == {REGION}
    assert lot["lines"][0]["gain"]["savings_eur"] > 0
    assert set(planned.coordinator.get(f"/v1/plans/{planned.plan}").json()) == OWN_IN_PLAN
    (plan,) = planned.coordinator.get("/v1/plans").json()["items"]
    assert not {"objective_eur", "bound_eur", "gap", "totals", "pools"} & set(plan)


def test_a_coordinator_without_a_line_in_it_finds_no_pool(planned: Planned) -> None:
    outside = planned.api.client("coordinator", participants=["FI-11"])
    assert outside.get("/v1/pools").json()["items"] == []
    assert outside.get(f"/v1/pools/{planned.pool}").status_code == 404
    (left,) = outside.get(f"/v1/plans/{planned.plan}/lines").json()["items"]
    assert left["reason"] == "criteria_refused"


def test_an_administrator_is_shown_no_plan(planned: Planned) -> None:
    administrator = planned.api.client("administrator")
    for path in ("plans", "pools", f"plans/{planned.plan}", f"pools/{planned.pool}", f"plans/{planned.plan}/lines"):
        assert administrator.get(f"/v1/{path}").status_code in (403, 404), path


def test_every_line_of_a_plan_has_one_outcome(planned: Planned) -> None:
    items = planned.planner.get(f"/v1/plans/{planned.plan}/lines").json()["items"]
    assert [item["line"] for item in items] == list(planned.lines)
    assert [item["pooled"] for item in items] == [True] * 5 + [False] * 3
    assert [item["reason"] for item in items[5:]] == ["criteria_refused", "no_offer", "outside_horizon"]
    pool = planned.planner.get(f"/v1/pools/{planned.pool}").json()
    gains = {each["id"]: each["gain"] for each in pool["lots"][0]["lines"]}
    assert {item["line"]: item["gain"] for item in items[:5]} == gains
    assert {item["pool"] for item in items[:5]} == {planned.pool}
    base = f"/v1/plans/{planned.plan}/lines"
    assert [item["line"] for item in planned.planner.get(f"{base}?pooled=false").json()["items"]] == list(
        planned.lines[5:]
    )
    assert len(planned.planner.get(f"{base}?pooled=true").json()["items"]) == 5
    (one,) = planned.planner.get(f"{base}?reason=no_offer").json()["items"]
    assert planned.planner.get(f"{base}/{one['line']}").json() == one
    assert planned.planner.get(f"{base}/{planned.lines[-1] + 1}").status_code == 404
    page = planned.planner.get(f"{base}?limit=6").json()
    rest = planned.planner.get(f"{base}?limit=6&cursor={page['next_cursor']}").json()
    assert page["items"] + rest["items"] == items


def test_a_coordinator_s_outcomes_are_the_own_lines(planned: Planned) -> None:
    base = f"/v1/plans/{planned.plan}/lines"
    items = planned.coordinator.get(base).json()["items"]
    assert [item["line"] for item in items] == list(planned.lines[:2])
    others = planned.api.client("coordinator", participants=[OTHER])
    assert others.get(f"{base}/{planned.lines[0]}").status_code == 404
    assert others.get(f"{base}/{planned.lines[2]}").status_code == 200


def test_a_line_that_could_not_take_part_says_so_to_its_own_region(planned: Planned) -> None:
    """A line in a category that nobody knows any more is in no instance: it is left out of the question."""
    with transaction(planned.api.engine) as session:
        of = submission(session, "more")
        (line_id,) = add_lines(session, of, [line("SE-AB", 70, GOWNS, required="uhm-basic", refused="uhm-basic")])
    planned.api.clock.now += timedelta(hours=1)
    plan = service.make_plan(planned.api.engine, policy(), now=planned.api.clock.now).plan
    own = planned.api.client("coordinator", participants=["SE-AB"])
    shown = own.get(f"/v1/plans/{plan}/lines/{line_id}").json()
    assert (shown["excluded"], shown["pooled"], shown["reason"]) == (True, False, "required_and_refused")
    assert "uhm-basic" in shown["words"]
    assert shown["quantity_per_year"] == 70
    assert planned.coordinator.get(f"/v1/plans/{plan}/lines/{line_id}").status_code == 404


def test_of_a_reason_s_figures_a_region_is_shown_those_that_are_its_own(planned: Planned) -> None:
    """What the others bring together is in the figures of the reason, and must not follow from what is shown."""
    with transaction(planned.api.engine) as session:
        tables = SQLModel.metadata.tables
        left = tables["plan_unpooled_line"]
        line_table = tables["line"]
        figures = {"offer": "x", "start": "2028-01", "best_sure_quantity": 123456.5, "missing_quantity": 7777.25}
        session.connection().execute(
            left.update().where(left.c.line == planned.lines[5]).values(reason="volume_short", figures=figures)
        )
        owner = session.connection().execute(
            select(line_table.c.participant).where(line_table.c.id == planned.lines[5])
        )
        assert owner.scalar_one() == "FI-11"
    own = planned.api.client("coordinator", participants=["FI-11"])
    path = f"/v1/plans/{planned.plan}/lines/{planned.lines[5]}"
    answer = own.get(path)
    assert answer.json()["figures"] == {"offer": "x", "start": "2028-01"}
    assert "123456" not in answer.text.replace(",", "")
    assert not {"all_figures", "all_words"} & set(answer.json())
    whole = planned.planner.get(path)
    assert whole.json()["all_figures"] == figures
    assert "123,457" in whole.json()["all_words"] or "123,456" in whole.json()["all_words"]


def test_every_reason_has_its_own_figures_named() -> None:
    assert set(OWN_FIGURES) == set(REASONS) == {reason.value for reason in Reason}
    assert own_figures("capacity", {"limit": "max_leads of SE-M", "would_add_eur": 3.0, "offer": "x"}) == {"offer": "x"}
    assert own_figures("a reason of tomorrow", {"quantity": 1}) == {}


def test_reads_of_others_figures_are_entered_and_own_ones_are_not(planned: Planned) -> None:
    def entered() -> list[list[str]]:
        with reading(planned.api.engine) as session:
            table = SQLModel.metadata.tables["read_entry"].c
            return list(session.connection().execute(select(table.participants).order_by(table.id)).scalars())

    planned.coordinator.get("/v1/pools")
    planned.coordinator.get(f"/v1/plans/{planned.plan}/lines")
    assert entered() == []
    planned.planner.get("/v1/pools")
    assert entered() == [["DK-OST", "FO", "NO-HSO", "SE-M"]]
    planned.planner.get(f"/v1/plans/{planned.plan}/lines/{planned.lines[2]}")
    assert entered()[-1] == ["NO-HSO"]


def test_pools_stored_before_their_figures_were_kept_are_listed_without(planned: Planned) -> None:
    with transaction(planned.api.engine) as session:
        table = SQLModel.metadata.tables["plan_pool"]
        nothing = dict.fromkeys(("number", "members", "countries", "lots", "lines", "spend_eur_per_year"))
        session.connection().execute(table.update().values(nothing))
        plan = SQLModel.metadata.tables["plan"]
        session.connection().execute(plan.update().values(totals=None))
    (shown,) = planned.planner.get("/v1/pools").json()["items"]
    assert (shown["members"], shown["lots"], shown["spend_eur_per_year"]) == (None, None, None)
    assert planned.planner.get("/v1/plans").json()["items"][0]["totals"] is None


def test_a_partner_system_needs_the_scope(planned: Planned) -> None:
    granted = planned.api.client("partner", participants=[REGION], scopes=["pools:read"])
    other = planned.api.client("partner", participants=[REGION], scopes=["forecasts:read"])
    assert len(granted.get("/v1/pools").json()["items"]) == 1
    assert other.get("/v1/pools").status_code == 403
