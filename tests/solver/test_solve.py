"""Solves against brute force, the judge, and optima worked out by hand."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, Plan, Progress, solve
from solver.check import check
from tests.solver.brute import best
from tests.solver.instances import instance, line, offer, random_instance

TOLERANCE_EUR = 0.01


def solved(document: dict[str, Any], **options: Any) -> Plan:
    plan = solve(Instance.from_document(document), **{"time_limit_s": 60.0, **options})
    assert check(document, json.loads(json.dumps(plan.to_document()))) == []
    return plan


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_the_solve_equals_brute_force(seed: int) -> None:
    document = random_instance(seed)
    total, _ = best(document)
    plan = solved(document)
    assert plan.objective_eur == pytest.approx(total, rel=1e-6, abs=TOLERANCE_EUR)
    assert plan.status == "optimal"
    assert plan.bound_eur >= total - TOLERANCE_EUR - 1e-6 * abs(total)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_families_apart_give_a_lawful_plan_and_a_true_bound(seed: int) -> None:
    document = random_instance(seed)
    total, _ = best(document)
    plan = solved(document, whole_cells=0)
    slack = TOLERANCE_EUR + 1e-6 * abs(total)
    assert plan.objective_eur <= total + slack
    assert plan.bound_eur >= total - slack


def two_regions(**policy: object) -> dict:
    """Two lines of 100 at EUR 5 and a tier of 200 at EUR 4: together they save 3 years * 200 * 1 = 600."""
    return instance(
        [line("a", "A", quantity=100, unit_price_eur=5.0), line("b", "B", quantity=100, unit_price_eur=5.0)],
        [offer("o", (200, 4.0))],
        term_months=36,
        pool_cost_eur=50,
        lot_cost_eur=10,
        line_cost_eur=5,
        country_cost_eur=0,
        **policy,
    )


def test_two_regions_reach_the_tipping_volume_together() -> None:
    plan = solved(two_regions())
    assert plan.objective_eur == pytest.approx(600 - 50 - 10 - 2 * 5)
    (pool,) = plan.pools
    (lot,) = pool.lots
    assert (lot.tier, lot.quantity, lot.sure_quantity) == (0, 200, pytest.approx(200))
    assert plan.gap == pytest.approx(0, abs=1e-9)


def test_uncertain_volume_is_not_sure_enough() -> None:
    document = two_regions(confidence=0.9)
    document["lines"][0]["quantity_low"] = 90
    plan = solved(document)
    assert plan.pools == ()
    assert {entry.reason.value for entry in plan.unpooled} == {"volume_short"}


def test_the_clock_gives_a_plan_with_a_bound() -> None:
    document = random_instance(3)
    plan = solved(document, time_limit_s=1e-9)
    total, _ = best(document)
    assert plan.bound_eur >= total - TOLERANCE_EUR
    assert plan.stopped_by_clock


@pytest.mark.parametrize("whole_cells", [20_000, 0])
def test_the_same_question_has_the_same_answer(whole_cells: int) -> None:
    document = random_instance(17)

    def answer() -> dict[str, object]:
        plan = solved(document, whole_cells=whole_cells, seed=5)
        return plan.to_document() | {"runtime_s": 0}

    assert answer() == answer()


def test_an_executor_from_outside_gives_the_same_plan() -> None:
    document = random_instance(23)
    alone = solved(document, whole_cells=0)
    seen: list[Progress] = []
    with ThreadPoolExecutor(2) as executor:
        together = solved(document, whole_cells=0, executor=executor, on_progress=seen.append)
    assert together.pools == alone.pools
    assert seen[-1].gap == pytest.approx(together.gap)


def command(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "solver", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
        check=False,
    )


def test_the_command_solves_and_checks(tmp_path: Path) -> None:
    question, answer = tmp_path / "instance.json", tmp_path / "plan.json"
    question.write_text(json.dumps(two_regions()), encoding="utf-8")
    done = command("solve", str(question), "--out", str(answer), "--time-limit", "30", "--workers", "2", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert "gap 0.000%" in done.stderr
    assert command("check", str(question), str(answer)).returncode == 0
    plan = json.loads(answer.read_text(encoding="utf-8"))
    plan["pools"][0]["lots"][0]["lines"].pop()
    judged = command("check", str(question), "-", stdin=json.dumps(plan))
    assert judged.returncode == 1
    assert judged.stdout.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "give an object"),
        ('{"schema": "pooling.instance/1", "x": NaN}', "policy"),
        ("", "not JSON"),
    ],
)
def test_a_refused_input_exits_with_2_and_says_why(text: str, message: str) -> None:
    done = command("solve", "-", stdin=text)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_that_is_no_object_is_a_violation(tmp_path: Path) -> None:
    question = tmp_path / "instance.json"
    question.write_text(json.dumps(two_regions()), encoding="utf-8")
    judged = command("check", str(question), "-", stdin="[]")
    assert judged.returncode == 1
    assert judged.stdout.strip()


def test_a_missing_folder_is_told_before_the_solve(tmp_path: Path) -> None:
    done = command("solve", "-", "--out", str(tmp_path / "no" / "plan.json"), stdin=json.dumps(two_regions()))
    assert done.returncode == 2
    assert "folder does not exist" in done.stderr
    assert "families" not in done.stderr
