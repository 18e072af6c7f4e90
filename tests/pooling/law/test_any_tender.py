"""What holds of the rules' answers whatever the tender: each answers once at least, and borders are where they are."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from pooling import law
from pooling.law import Amount, Applies, Severity, Talk, TenderFacts
from pooling.law.evaluator import RULES
from pooling.law.facts import DEPTHS
from pooling.law.records import packaged
from tests.pooling.law.given import ON, asked, buyer, category, tender

CODES = ("SE-M", "DK-82", "NO-HV", "IS", "FO", "GL", "EE-1")
MONEY = st.none() | st.integers(0, 10**12)
DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))
SHARES = st.none() | st.floats(0, 1)


@st.composite
def facts(draw: st.DrawFn) -> TenderFacts:
    """Any tender that does not contradict itself."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=5, unique=True))
    buyers = tuple(
        buyer(
            code,
            contracting_authority=draw(st.booleans()),
            role=draw(st.sampled_from(["lead", "member", "associate"])),
            value_cents=draw(MONEY),
            maximum_value_cents=draw(MONEY),
            amounts=tuple(
                Amount(name, draw(st.integers(0, 999)), draw(st.none() | st.integers(0, 999)))
                for name in draw(st.lists(st.sampled_from(["gowns", "masks"]), unique=True))
            ),
            joined_on=draw(st.none() | DAYS),
            valid_to=draw(st.none() | DAYS),
            successor=draw(st.none() | st.just("SE-X")),
        )
        for code in codes
    )
    categories = tuple(
        category(
            id=name,
            family=draw(st.sampled_from(["stoma", "gloves"])),
            cpv=draw(st.none() | st.sampled_from(["33199000", "33100000", "18424300", "33141420-0"])),
            value_cents=draw(MONEY),
            green_criteria=draw(st.sampled_from([(), ("reusable",)])),
            suppliers=draw(st.none() | st.integers(0, 3)),
            offers=draw(st.none() | st.integers(0, 3)),
            several_suppliers=draw(st.none() | st.booleans()),
            buying_share=draw(SHARES),
        )
        for name in draw(st.lists(st.sampled_from(["gowns", "masks", "bags"]), min_size=1, unique=True))
    )
    return tender(
        buyers=buyers,
        lead=codes[0],
        lead_body=draw(st.none() | st.just(tender().lead_body)),
        categories=categories,
        term_months=draw(st.integers(1, 60)),
        option_months=draw(st.integers(0, 24)),
        start=draw(DAYS),
        notice_on=draw(st.none() | DAYS),
        depth=draw(st.sampled_from(DEPTHS)),
        lots=draw(st.none() | st.integers(0, 5)),
        lot_reasons=draw(st.none() | st.just("made up")),
        term_reasons=draw(st.none() | st.just("made up")),
        environment_weight=draw(SHARES),
        environment_reasons=draw(st.none() | st.just("made up")),
        agreement_signed=draw(st.none() | st.booleans()),
        central_government=draw(st.none() | st.booleans()),
        frozen_on=draw(st.none() | DAYS),
        talks=tuple(Talk(day, ("gowns", "masks")) for day in draw(st.lists(DAYS, max_size=3))),
    )


@given(facts(), DAYS)
def test_every_rule_answers_any_tender(given_facts: TenderFacts, on: date) -> None:
    found = law.evaluate(given_facts, on)
    assert list(dict.fromkeys(each.rule for each in found)) == list(RULES)
    known = {each.participant for each in given_facts.buyers}
    for each in found:
        assert each.why
        assert set(each.participants) <= known
        assert (each.applies is Applies.NOT_IN_FORCE) == (not packaged()[each.rule].holds(on))
        if each.applies in (Applies.NO, Applies.NOT_IN_FORCE):
            assert each.severity is Severity.NOTE
        elif each.severity is not Severity.NOTE:
            assert each.follows


@given(
    one=st.integers(0, 10**10),
    other=st.integers(0, 10**10),
    cpv=st.integers(33_000_000, 33_300_000),
    central=st.booleans(),
)
@example(one=250_000_000, other=250_000_000, cpv=33_199_000, central=False)
@example(one=250_000_000, other=249_999_999, cpv=33_100_000, central=False)
@example(one=21_600_000, other=0, cpv=33_099_999, central=False)
def test_values_and_codes_decide_as_the_rules_say(*, one: int, other: int, cpv: int, central: bool) -> None:
    buyers = (buyer("SE-M", maximum_value_cents=one), buyer("SE-AB", maximum_value_cents=other))
    made = tender(
        buyers=buyers, categories=(category(cpv=f"{cpv:08}", value_cents=one + other),), central_government=central
    )
    [threshold], [china] = asked("thresholds", made), asked("china-ipi", made)
    assert (threshold.applies is Applies.YES) == ((one + other) // 100 >= (140_000 if central else 216_000))
    assert (china.applies is Applies.YES) == (33_100_000 <= cpv <= 33_199_000 and (one + other) // 100 >= 5_000_000)
    assert Applies.UNKNOWN not in (threshold.applies, china.applies)


@given(st.integers(1, 60), st.integers(0, 60))
def test_the_term_counts_options(term: int, options: int) -> None:
    [told] = asked("term", tender(term_months=term, option_months=options))
    assert (told.severity is Severity.BLOCKING) == (term + options > 48)


@given(st.integers(0, 500))
def test_the_time_to_comment_is_counted_in_days(days: int) -> None:
    made = tender(talks=(Talk(ON - timedelta(days=days), ("gowns",)),))
    [told] = asked("dialogue-time", made)
    assert (told.severity is Severity.WARNING) == (days < 42)


@given(facts())
def test_a_tender_that_only_talks_is_bound_by_no_rule_of_agreements(given_facts: TenderFacts) -> None:
    talks = replace(given_facts, depth="dialogue")
    bound = {each.rule for each in law.evaluate(talks, ON) if each.applies in (Applies.YES, Applies.UNKNOWN)}
    assert bound <= {"dialogue-time", "confidential-prices"}
