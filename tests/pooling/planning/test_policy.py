"""The policy file: defaults, strict keys, lead time and horizon."""

from datetime import date
from pathlib import Path

import pytest

from pooling.errors import BadSetting
from pooling.planning.policy import DEFAULT, OF_THE_INSTANCE, Codes, Policy, policy_of, read_policy
from pooling.planning.rules import Timetable, milestones, month_after, offset, shifted
from solver.instance import Policy as SolverPolicy

TODAY = date(2026, 11, 21)


def test_the_packaged_policy_reads_and_looks_out_from_today() -> None:
    policy = read_policy(None, today=TODAY)
    assert (policy.as_of, policy.lead_time_months, policy.horizon_start) == (TODAY, 12, "2027-12")
    assert policy.max_participants_per_pool is None
    assert policy.max_pools_per_quarter == 24


def test_a_policy_names_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'name = "ours"\nas_of = 2026-10-01\nlead_time_months = 9\nmax_pools_per_quarter = "none"\n'
        'green_floor = ["b", "a", "a"]\n[criterion_value]\npvc-free = 0.004\n[category_term_months]\ngowns = 48\n'
        "[timetable]\ndialogue = 5\n",
        encoding="utf-8",
    )
    policy = read_policy(path, today=TODAY)
    assert policy.horizon_start == "2027-07"  # the 1st of October plus nine months
    assert policy.max_pools_per_quarter is None
    assert policy.green_floor == ("a", "b")
    assert policy.criterion_value == {"pvc-free": 0.004}
    assert policy.category_term_months == {"gowns": 48}
    assert policy.timetable == Timetable(dialogue=5, procedure=8, transition=3)
    assert policy.term_months == 36


def test_the_packaged_file_names_every_key() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    assert [name for name in Policy.__slots__ if name not in text] == []


def test_the_solver_takes_every_field_and_there_is_no_other() -> None:
    document = read_policy(None, today=TODAY).of_instance()
    assert set(document) == set(OF_THE_INSTANCE) == set(SolverPolicy.__slots__)
    assert SolverPolicy(**document | {"green_floor": ()})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"horizon_month": 12}, "horizon_month: unknown key; did you mean horizon_months?"),
        ({"timetable": {"dialog": 1}}, "timetable.dialog: unknown key; did you mean dialogue?"),
        ({"timetable": {"dialogue": 0}}, "timetable.dialogue: 0: give a whole number from 1"),
        ({"timetable": 3}, "timetable: 3: give a table"),
        ({"criterion_value": {"x": -0.1}}, "criterion_value.x: -0.1: give a number of 0 or more"),
        ({"criterion_value": {"x": True}}, "criterion_value.x: True: give a number of 0 or more"),
        ({"category_term_months": {"x": 1.5}}, "category_term_months.x: 1.5: give a whole number from 1 to 600"),
        ({"category_term_months": []}, "category_term_months: []: give a table"),
        ({"confidence": 1}, "confidence: 1: give a number from 0.5 up to, not including, 1"),
        ({"confidence": 0.4}, "confidence: 0.4: give a number from 0.5"),
        ({"forecast_correlation": 1.0}, "forecast_correlation: 1.0: give a number from 0 up to"),
        ({"pool_cost_eur": float("inf")}, "pool_cost_eur: inf: give a number of 0 or more"),
        ({"pool_cost_eur": "5"}, "pool_cost_eur: '5': give a number of 0 or more"),
        ({"term_months": 0}, "term_months: 0: give a whole number from 1"),
        ({"term_months": True}, "term_months: True: give a whole number from 1"),
        ({"max_countries_per_pool": -1}, 'max_countries_per_pool: -1: give a whole number of 0 or more, or "none"'),
        ({"no_one_worse_off": 1}, "no_one_worse_off: 1: give true or false"),
        ({"green_floor": "pvc-free"}, "green_floor: 'pvc-free': give a list of texts"),
        ({"as_of": "2026-11-01"}, "as_of: '2026-11-01': give a day as YYYY-MM-DD, without quotes"),
        ({"name": 1}, "name: 1: give a text"),
        ({"lead_time_months": 8}, "lead_time_months: 8: a joint tender needs 9 to 18 months"),
        ({"lead_time_months": 19}, "say in lead_time_reason why not"),
        ({"horizon_start": "2027-11"}, "horizon_start: 2027-11: earlier than as_of 2026-11-21 plus a lead time of 12"),
        ({"horizon_start": "2027-9"}, "horizon_start: '2027-9': give a month as YYYY-MM, zero-padded"),
    ],
)
def test_what_is_wrong_is_named_with_its_key_and_remedy(given: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting) as refused:
        policy_of(given, today=TODAY)
    assert said in str(refused.value)
    assert "1 to correct" in str(refused.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(BadSetting, match="3 to correct"):
        policy_of({"horizon_month": 1, "term_months": 0, "confidence": 2}, today=TODAY)


def test_the_horizon_and_unknown_names_are_told_in_the_same_round() -> None:
    given = {
        "term_months": 0,
        "lead_time_months": 8,
        "horizon_start": "2027-02",
        "green_floor": ["pvc-fre"],
        "criterion_value": {"nothing-like-it": 0.1},
        "category_term_months": {"gown": 48},
    }
    with pytest.raises(BadSetting) as refused:
        policy_of(given, today=TODAY, codes=Codes({"pvc-free"}, {"gowns"}))
    for said in (
        "6 to correct",
        "term_months: 0",
        "lead_time_months: 8: a joint tender",
        "horizon_start: 2027-02: earlier",
        "green_floor: 'pvc-fre' is not known; did you mean pvc-free?",
        "criterion_value.nothing-like-it: 'nothing-like-it' is not known; add it",
        "category_term_months.gown: 'gown' is not known; did you mean gowns?",
    ):
        assert said in str(refused.value)


def test_a_wrong_day_or_lead_time_is_not_held_against_the_horizon() -> None:
    with pytest.raises(BadSetting, match="1 to correct"):
        policy_of({"as_of": "soon", "horizon_start": "2020-01"}, today=TODAY)
    with pytest.raises(BadSetting, match="2 to correct"):
        policy_of({"as_of": "soon", "horizon_start": "2020"}, today=TODAY)
    with pytest.raises(BadSetting, match="1 to correct"):
        policy_of({"lead_time_months": -1, "horizon_start": "2020-01"}, today=TODAY)


def test_a_lead_time_out_of_the_ordinary_needs_its_reason() -> None:
    policy = policy_of({"lead_time_months": 0, "lead_time_reason": "a look back"}, today=TODAY)
    assert policy.horizon_start == "2026-12"
    assert policy.lead_time_reason == "a look back"


def test_the_horizon_never_starts_earlier_than_the_lead_time_allows() -> None:
    for lead in range(9, 19):
        for day in (date(2026, 11, 1), date(2026, 11, 30), date(2027, 1, 31)):
            start = policy_of({"lead_time_months": lead, "as_of": day}, today=TODAY).horizon_start
            assert start == month_after(day, lead)
            months = offset(start, day.isoformat()[:7])
            assert months == lead + (day.day > 1)
    assert policy_of({"horizon_start": "2028-03"}, today=TODAY).horizon_start == "2028-03"


@pytest.mark.parametrize("content", ["[[", "x = \x00"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadSetting, match="not TOML"):
        read_policy(path, today=TODAY)
    with pytest.raises(BadSetting, match="cannot be read"):
        read_policy(tmp_path / "none.toml", today=TODAY)


def test_dates_of_a_pool_divide_the_lead_time() -> None:
    dates = milestones("2028-01", lead_time_months=20, timetable=Timetable(9, 8, 3))
    assert (dates.dialogue_from, dates.starts_on) == (date(2026, 5, 1), date(2028, 1, 1))
    assert (dates.notice_by - dates.dialogue_from).days == 274  # nine of twenty parts of 610 days
    assert (dates.starts_on - dates.award_by).days == 92
    assert not dates.dialogue_is_short
    assert milestones("2028-01", lead_time_months=2, timetable=Timetable(9, 8, 3)).dialogue_is_short


def test_dates_are_in_order_for_every_lead_time() -> None:
    for lead in range(121):
        dates = milestones("2030-03", lead_time_months=lead, timetable=Timetable(9, 8, 3))
        assert dates.dialogue_from <= dates.notice_by <= dates.award_by <= dates.starts_on


def test_months_add_over_years() -> None:
    assert shifted("2026-11", 3) == "2027-02"
    assert shifted("2026-01", -1) == "2025-12"
    assert offset("2027-02", "2026-11") == 3
