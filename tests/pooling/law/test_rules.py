"""Each rule of the law on both sides of its border, and outside its dates."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pooling import law
from pooling.law import Amount, Applies, Body, Severity, Talk
from pooling.law.evaluator import RULES
from pooling.law.facts import DEPTHS, Supply
from pooling.law.records import packaged
from tests.pooling.law.given import BODY, ON, answer, asked, buyer, category, tender

YES, NO, UNKNOWN = Applies.YES, Applies.NO, Applies.UNKNOWN
NOTE, WARNING, BLOCKING = Severity.NOTE, Severity.WARNING, Severity.BLOCKING
DATED = [(rule.id, day) for rule in packaged().values() for day in (rule.valid_from, rule.valid_to) if day]


def worth(cents: int, cpv: str = "33199000") -> law.TenderFacts:
    """Two buyers that may buy for so much together."""
    half = buyer("SE-AB", maximum_value_cents=cents // 2)
    rest = buyer("SE-M", maximum_value_cents=cents - cents // 2)
    return tender(buyers=(rest, half), categories=(category(cpv=cpv, value_cents=cents),))


# the rules as data


def test_every_rule_has_a_function_and_every_function_a_rule() -> None:
    assert set(RULES) == set(packaged())


def test_every_rule_answers_with_its_source() -> None:
    found = law.evaluate(tender(), ON)
    assert {each.rule for each in found} == set(RULES)
    assert all(each.source and each.why and each.title for each in found)
    assert {each.rule for each in found if not each.verified} == {
        "term", "named-buyers", "lead-law", "joint-agreement", "associates", "lots", "confidential-prices",
    }  # fmt: skip
    assert [each.rule for each in found if each.severity is not NOTE] == []


@pytest.mark.parametrize(("rule", "border"), DATED)
def test_a_rule_outside_its_dates_does_not_apply_and_says_so(rule: str, border: date) -> None:
    begins = packaged()[rule].valid_from == border
    inside, outside = (border, border - timedelta(days=1)) if begins else (border - timedelta(days=1), border)
    assert Applies.NOT_IN_FORCE not in {each.applies for each in asked(rule, tender(), inside)}
    [told] = asked(rule, tender(), outside)
    assert (told.applies, told.severity) == (Applies.NOT_IN_FORCE, NOTE)
    assert str(outside) in told.why
    assert ("look up" in told.follows) == (not begins)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_rule_bears_only_on_tenders_that_are_deep_enough(depth: str) -> None:
    facts = tender(depth=depth)
    for rule in packaged().values():
        shallow = any("as far as" in each.why for each in asked(rule.id, facts))
        assert shallow == (depth not in rule.depths), rule.id


# thresholds


@pytest.mark.parametrize(
    ("central", "cents", "expected"),
    [
        (False, 21_600_000, (YES, NOTE)),
        (False, 21_599_999, (NO, NOTE)),
        (True, 14_000_000, (YES, NOTE)),
        (True, 13_999_999, (NO, NOTE)),
        (None, 21_600_000, (YES, NOTE)),
        (None, 21_599_999, (UNKNOWN, WARNING)),
        (None, 14_000_000, (UNKNOWN, WARNING)),
        (None, 13_999_999, (NO, NOTE)),
    ],
)
def test_the_threshold(central: bool | None, cents: int, expected: tuple[Applies, Severity]) -> None:
    facts = replace(worth(cents), central_government=central)
    assert answer("thresholds", facts) == expected
    assert asked("thresholds", facts)[0].figures["value_cents"] == cents


def test_the_threshold_counts_the_most_that_may_be_bought_not_the_estimate() -> None:
    low = buyer("SE-M", value_cents=100, maximum_value_cents=21_600_000)
    assert answer("thresholds", tender(buyers=(low,))) == (YES, NOTE)


def test_the_threshold_is_unknown_where_a_buyers_value_is() -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("SE-AB", value_cents=None, maximum_value_cents=None)))
    assert answer("thresholds", facts) == (UNKNOWN, WARNING)
    assert asked("thresholds", facts)[0].participants == ("SE-AB",)


# the measure against bidders from China


@pytest.mark.parametrize(
    ("cpv", "cents", "expected"),
    [
        ("33199000", 500_000_000, (YES, WARNING)),
        ("33199000", 499_999_999, (NO, NOTE)),
        ("33100000", 500_000_000, (YES, WARNING)),
        ("33141420-0", 500_000_000, (YES, WARNING)),
        ("33099999", 500_000_000, (NO, NOTE)),
        ("33199001", 500_000_000, (NO, NOTE)),
        ("18424300", 900_000_000, (NO, NOTE)),
    ],
)
def test_the_china_rule(cpv: str, cents: int, expected: tuple[Applies, Severity]) -> None:
    assert answer("china-ipi", worth(cents, cpv)) == expected


def test_the_china_rule_says_where_it_follows_from_buying_together() -> None:
    [told] = asked("china-ipi", worth(500_000_000))
    assert "follows from buying together" in told.why
    assert "50 %" in told.follows
    assert "never divide" in told.follows
    alone = tender(buyers=(buyer("SE-M", maximum_value_cents=500_000_000), buyer("SE-AB")))
    assert "follows from" not in asked("china-ipi", alone)[0].why


def test_categories_in_the_range_count_where_the_main_cpv_is_outside() -> None:
    gloves = category(id="gloves", cpv="18424300", value_cents=900_000_000)
    inside = [category(value_cents=cents) for cents in (500_000_000, 499_999_999)]
    answers = [
        answer("china-ipi", replace(worth(1_400_000_000), categories=(gloves, each), main_cpv="18424300"))
        for each in inside
    ]
    assert answers == [(YES, WARNING), (NO, NOTE)]


def test_the_china_rule_is_unknown_where_a_cpv_or_value_is() -> None:
    without = replace(worth(500_000_000), categories=(category(cpv=None),))
    assert answer("china-ipi", without) == (UNKNOWN, WARNING)
    hidden = category(id="gloves", cpv=None, value_cents=1)
    part = replace(worth(500_000_000), categories=(category(cpv="18424300"), hidden), main_cpv="18424300")
    assert answer("china-ipi", part) == (UNKNOWN, WARNING)
    valueless = tender(buyers=(buyer("SE-M", value_cents=None, maximum_value_cents=None),))
    assert answer("china-ipi", valueless) == (UNKNOWN, WARNING)


# the share of the buying market


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.15, (NO, NOTE)),
        (0.1500001, (YES, WARNING)),
        (None, (UNKNOWN, NOTE)),
        (0.0, (NO, NOTE)),
        (1.0, (YES, WARNING)),
    ],
)
def test_the_buying_share_warns_above_and_never_blocks(share: float | None, expected: tuple[Applies, Severity]) -> None:
    assert answer("buying-share", tender(categories=(category(buying_share=share),))) == expected


# four years


@pytest.mark.parametrize(
    ("term", "options", "reasons", "expected"),
    [
        (36, 12, None, (YES, NOTE)),
        (48, 0, None, (YES, NOTE)),
        (36, 13, None, (YES, BLOCKING)),
        (49, 0, None, (YES, BLOCKING)),
        (49, 0, "one maker, long approval", (YES, WARNING)),
    ],
)
def test_the_term(term: int, options: int, reasons: str | None, expected: tuple[Applies, Severity]) -> None:
    facts = tender(term_months=term, option_months=options, term_reasons=reasons)
    assert answer("term", facts) == expected


# estimate and maximum


def test_estimate_and_maximum_are_told_for_the_whole_and_for_each_buyer() -> None:
    whole, *each = asked("estimate-and-maximum", tender())
    assert (whole.figures["estimate_cents"], whole.figures["maximum_cents"]) == (60_000_000, 72_000_000)
    assert [told.participants for told in each] == [("SE-M",), ("SE-AB",)]
    assert each[0].figures == {
        "estimate_cents": 30_000_000,
        "maximum_cents": 36_000_000,
        "estimate.gowns": 300_000,
        "maximum.gowns": 360_000,
    }


@pytest.mark.parametrize(
    ("amount", "most_cents", "frozen", "expected"),
    [
        (Amount("gowns", 100, 101), 30_000_000, True, (YES, NOTE)),
        (Amount("gowns", 100, 99), 30_000_000, True, (YES, BLOCKING)),
        (Amount("gowns", 100, 100), 29_999_999, True, (YES, BLOCKING)),
        (Amount("gowns", 100), 30_000_000, False, (YES, WARNING)),
        (Amount("gowns", 100), 30_000_000, True, (YES, BLOCKING)),
        (Amount("gowns", 100, 100), None, False, (YES, WARNING)),
    ],
)
def test_a_maximum_is_needed_and_not_below_the_estimate(
    amount: Amount, most_cents: int | None, frozen: bool, expected: tuple[Applies, Severity]
) -> None:
    one = buyer("SE-M", amounts=(amount,), maximum_value_cents=most_cents)
    facts = tender(buyers=(one, buyer("SE-AB")), frozen_on=date(2027, 2, 1) if frozen else None)
    assert answer("estimate-and-maximum", facts) == expected
    if expected[1] is not NOTE:
        assert asked("estimate-and-maximum", facts)[0].participants == ("SE-M",)


@pytest.mark.parametrize(
    ("amount", "warned"),
    [
        (Amount("gowns", 100, 100), True),
        (Amount("gowns", 100, 101), False),
        (Amount("gowns", 100, exact=True), True),
        (Amount("gowns", 100), False),
        (Amount("gowns", 0, 0), False),
    ],
)
def test_a_maximum_that_is_the_estimate_is_warned_of(amount: Amount, *, warned: bool) -> None:
    facts = tender(buyers=(buyer("SE-M", amounts=(amount,)), buyer("SE-AB")))
    said = [each for each in asked("estimate-and-maximum", facts) if "no more than the estimate" in each.why]
    assert [(each.severity, each.participants) for each in said] == ([(WARNING, ("SE-M",))] if warned else [])


@pytest.mark.parametrize(("most", "warned"), [(1_300_000, False), (1_300_001, True)])
def test_a_maximum_beyond_what_is_on_offer_is_warned_of(most: int, *, warned: bool) -> None:
    facts = tender(supplies=(Supply("o", most, 1_300_000),))
    said = [each for each in asked("estimate-and-maximum", facts) if "are on offer" in each.why]
    assert [each.severity for each in said] == ([WARNING] if warned else [])


def test_associates_are_counted_apart_under_the_lead() -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("FO", contracting_authority=False, country="FO", role="associate")))
    whole, *each = asked("estimate-and-maximum", facts)
    assert "for 1 buyers; of this, counted apart" in whole.why
    assert whole.figures["associates_estimate_cents"] == facts.buyers[1].value_cents
    assert [one.follows for one in each if one.participants == ("FO",)] == [
        "to be stated in the notice apart, under SE-M, which signs for it"
    ]
    assert asked("named-buyers", facts)[0].figures == {"buyers": 1, "associates": 1}


@pytest.mark.parametrize(("cents", "expected"), [(60_000_000, (YES, NOTE)), (59_999_999, (YES, BLOCKING))])
def test_the_maximum_of_the_whole_is_its_own(cents: int, expected: tuple[Applies, Severity]) -> None:
    facts = tender(maximum_value_cents=cents)
    assert answer("estimate-and-maximum", facts) == expected
    whole, first, *_ = asked("estimate-and-maximum", facts)
    assert (whole.figures["maximum_cents"], first.figures["maximum_cents"]) == (cents, 36_000_000)


@pytest.mark.parametrize(("cents", "expected"), [(21_600_000, YES), (21_599_999, NO)])
def test_the_threshold_goes_by_the_maximum_of_the_whole(cents: int, expected: Applies) -> None:
    assert answer("thresholds", tender(maximum_value_cents=cents))[0] is expected


# named buyers


@pytest.mark.parametrize(
    ("frozen", "joined", "expected"),
    [
        (date(2027, 2, 1), date(2027, 2, 1), (YES, NOTE)),
        (date(2027, 2, 1), date(2027, 2, 2), (YES, BLOCKING)),
        (date(2027, 2, 1), None, (YES, NOTE)),
        (None, date(2027, 2, 2), (YES, NOTE)),
        (ON, date(2027, 2, 2), (YES, NOTE)),
        (ON + timedelta(days=1), date(2027, 2, 2), (YES, BLOCKING)),
    ],
)
def test_nobody_joins_after_the_freeze(
    frozen: date | None, joined: date | None, expected: tuple[Applies, Severity]
) -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("SE-AB", joined_on=joined)), frozen_on=frozen)
    assert answer("named-buyers", facts) == expected


# the lead's law


def test_law_language_and_complaint_board_are_those_of_the_leads_signing_body() -> None:
    [told] = asked("lead-law", tender(buyers=(buyer("SE-M"), buyer("DK-82"))))
    for word in ("Lag (2016:1145)", "sv", "Förvaltningsrätten", "DK"):
        assert word in told.follows
    other = Body("DK-82", "Region Midtjylland", "DK", "Udbudsloven", "da", "Klagenævnet for Udbud")
    changed = tender(buyers=(buyer("SE-M"), buyer("DK-82")), lead="DK-82", lead_body=other)
    assert "Udbudsloven" in asked("lead-law", changed)[0].follows


def test_a_lead_without_signing_body_blocks_and_unverified_law_warns() -> None:
    assert answer("lead-law", tender(lead_body=None)) == (YES, BLOCKING)
    outside = tender(buyers=(buyer("SE-M", contracting_authority=False), buyer("SE-AB")))
    assert answer("lead-law", outside) == (YES, BLOCKING)
    assert answer("lead-law", tender(lead_body=replace(BODY, complaint_board="not verified"))) == (YES, WARNING)


# agreement across borders


@pytest.mark.parametrize(
    ("codes", "signed", "frozen", "expected"),
    [
        (("SE-M", "SE-AB"), False, True, (NO, NOTE)),
        (("SE-M", "DK-82"), True, True, (YES, NOTE)),
        (("SE-M", "DK-82"), False, False, (YES, WARNING)),
        (("SE-M", "DK-82"), False, True, (YES, BLOCKING)),
        (("SE-M", "DK-82"), None, True, (YES, WARNING)),
    ],
)
def test_buyers_of_several_states_agree(
    codes: tuple[str, ...], signed: bool | None, frozen: bool, expected: tuple[Applies, Severity]
) -> None:
    facts = tender(
        buyers=tuple(map(buyer, codes)), agreement_signed=signed, frozen_on=date(2027, 2, 1) if frozen else None
    )
    assert answer("joint-agreement", facts) == expected


def test_an_associate_makes_no_second_state() -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("GL", contracting_authority=False, role="associate")))
    assert answer("joint-agreement", facts) == (NO, NOTE)


# associates


@pytest.mark.parametrize(
    ("code", "authority", "role", "expected"),
    [
        ("SE-AB", True, "member", (NO, NOTE)),
        ("FO", False, "associate", (YES, WARNING)),
        ("FO", False, "member", (YES, BLOCKING)),
        ("GL", True, "member", (YES, BLOCKING)),
        ("GL", True, "associate", (YES, WARNING)),
        ("IS", True, "member", (NO, NOTE)),
    ],
)
def test_who_is_outside_the_eea_signs_nothing(
    code: str, authority: bool, role: str, expected: tuple[Applies, Severity]
) -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer(code, contracting_authority=authority, role=role)))
    assert answer("associates", facts) == expected


# Norway


@pytest.mark.parametrize(
    ("code", "weight", "green", "reasons", "expected"),
    [
        ("NO-HV", 0.3, (), None, (YES, NOTE)),
        ("NO-HV", 0.2999, (), None, (YES, BLOCKING)),
        ("NO-HV", 0.2999, (), "requirements bind all bids", (YES, BLOCKING)),
        ("NO-HV", None, (), None, (YES, BLOCKING)),
        ("NO-HV", 0.3, ("reusable",), None, (YES, NOTE)),
        ("NO-HV", 0.2999, ("reusable",), None, (YES, WARNING)),
        ("NO-HV", 0.2999, ("reusable",), "requirements bind all bids", (YES, NOTE)),
        ("NO-HV", None, ("reusable",), None, (YES, WARNING)),
        ("NO-HV", None, ("reusable",), "requirements bind all bids", (YES, NOTE)),
        ("SE-AB", None, (), None, (NO, NOTE)),
    ],
)
def test_norways_thirty_per_cent(
    code: str, weight: float | None, green: tuple[str, ...], reasons: str | None, expected: tuple[Applies, Severity]
) -> None:
    facts = tender(
        buyers=(buyer("SE-M"), buyer(code)),
        categories=(category(green_criteria=green),),
        environment_weight=weight,
        environment_reasons=reasons,
    )
    assert answer("norway-environment", facts) == expected


def test_one_category_without_green_criteria_is_one_too_many_for_norway() -> None:
    facts = tender(
        buyers=(buyer("SE-M"), buyer("NO-HV")),
        categories=(category(), category(id="masks", green_criteria=())),
        environment_weight=0.1,
    )
    assert answer("norway-environment", facts) == (YES, BLOCKING)
    assert "masks require" in asked("norway-environment", facts)[0].why


# languages


def test_labels_are_in_the_languages_of_all_buyers() -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("DK-82"), buyer("FI-19")))
    assert answer("label-languages", facts) == (YES, NOTE)
    assert "da, fi and sv" in asked("label-languages", facts)[0].why
    assert "not verified for FI and SE" in asked("label-languages", facts)[0].why


def test_a_small_language_warns_and_an_unknown_country_is_unknown() -> None:
    iceland = tender(buyers=(buyer("SE-M"), buyer("IS")))
    assert answer("label-languages", iceland) == (YES, WARNING)
    assert asked("label-languages", iceland)[0].participants == ("IS",)
    assert answer("label-languages", tender(buyers=(buyer("SE-M"), buyer("EE")))) == (UNKNOWN, WARNING)


# succession


@pytest.mark.parametrize(
    ("ends", "successor", "expected"),
    [
        (date(2031, 1, 1), None, (NO, NOTE)),
        (date(2030, 12, 31), "SE-NEW", (YES, NOTE)),
        (date(2030, 12, 31), None, (YES, BLOCKING)),
    ],
)
def test_a_buyer_that_ends_within_the_term_names_its_successor(
    ends: date, successor: str | None, expected: tuple[Applies, Severity]
) -> None:
    facts = tender(buyers=(buyer("SE-M"), buyer("SE-AB", valid_to=ends, successor=successor)))
    assert facts.ends_on == date(2031, 1, 1)
    assert answer("succession", facts) == expected


# lots


@pytest.mark.parametrize(
    ("lots", "reasons", "expected"),
    [
        (2, None, (YES, NOTE)),
        (1, None, (YES, WARNING)),
        (1, "one machine", (YES, NOTE)),
        (None, None, (UNKNOWN, WARNING)),
    ],
)
def test_lots_or_reasons(lots: int | None, reasons: str | None, expected: tuple[Applies, Severity]) -> None:
    assert answer("lots", tender(lots=lots, lot_reasons=reasons)) == expected


# several suppliers


@pytest.mark.parametrize(
    ("name", "family", "needed", "suppliers", "expected"),
    [
        ("gowns", "protective-clothing", None, 1, (NO, NOTE)),
        ("gowns", "protective-clothing", True, 1, (YES, WARNING)),
        ("gowns", "protective-clothing", True, 2, (YES, NOTE)),
        ("stoma-bags-one-piece", "stoma", None, 1, (YES, WARNING)),
        ("stoma-bags-one-piece", "stoma", None, 2, (YES, NOTE)),
        ("stoma-bags-one-piece", "stoma", None, None, (YES, WARNING)),
        ("stoma-bags-one-piece", "stoma", False, 1, (NO, NOTE)),
        ("insulin-syringes", "syringes", None, 1, (YES, WARNING)),
    ],
)
def test_categories_that_need_several_suppliers(
    name: str, family: str, needed: bool | None, suppliers: int | None, expected: tuple[Applies, Severity]
) -> None:
    chosen = category(id=name, family=family, several_suppliers=needed, suppliers=suppliers)
    assert answer("several-suppliers", tender(categories=(chosen,))) == expected


@pytest.mark.parametrize(
    ("suppliers", "offers", "said"), [(None, None, "not set)"), (None, 3, "not set, 3 at most by"), (1, 3, "(1)")]
)
def test_what_is_on_offer_is_told_where_the_number_of_suppliers_is_not_set(
    suppliers: int | None, offers: int | None, said: str
) -> None:
    chosen = category(several_suppliers=True, suppliers=suppliers, offers=offers)
    assert said in asked("several-suppliers", tender(categories=(chosen,)))[0].why


# time for the dialogue


@pytest.mark.parametrize(
    ("held", "expected", "word"),
    [
        (date(2026, 6, 1), (YES, NOTE), "9 months or more"),
        (date(2026, 6, 2), (YES, NOTE), "less than 9 months"),
        (ON - timedelta(days=42), (YES, NOTE), "less than 9 months"),
        (ON - timedelta(days=41), (YES, WARNING), "41 days"),
        (ON + timedelta(days=1), (YES, WARNING), "no dialogue"),
        (None, (YES, WARNING), "no dialogue"),
    ],
)
def test_the_time_between_dialogue_and_notice(held: date | None, expected: tuple[Applies, Severity], word: str) -> None:
    facts = tender(talks=() if held is None else (Talk(held, ("gowns", "masks")),))
    assert answer("dialogue-time", facts) == expected
    assert word in asked("dialogue-time", facts)[0].why


def test_every_category_needs_its_own_dialogue_and_the_first_one_counts() -> None:
    masks = category(id="masks")
    talks = (Talk(date(2026, 3, 1), ("gowns",)), Talk(ON, ("gowns",)))
    assert answer("dialogue-time", tender(talks=talks)) == (YES, NOTE)
    assert answer("dialogue-time", tender(talks=talks, categories=(category(), masks))) == (YES, WARNING)
    assert answer("dialogue-time", tender(notice_on=None)) == (UNKNOWN, NOTE)
