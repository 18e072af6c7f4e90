"""From lines, offers and reference data to the solver's question."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pooling.errors import BadSetting
from pooling.market.rules import Figure, OfferRecord, TierRecord
from pooling.planning.instance import Built, build
from pooling.planning.live import Known, LiveLine
from pooling.planning.policy import policy_of
from pooling.planning.pricing import weighted_prices
from pooling.planning.volume import volume_of
from pooling.reference.rates import rate_on
from pooling.reference.rules import CategoryRecord, ParticipantRecord
from solver import Instance

DAY = date(2025, 6, 2)


def participant(code: str, **changes: object) -> ParticipantRecord:
    fields: dict[str, Any] = {
        "code": code,
        "name": f"Region {code}",
        "country": code[:2],
        "currency": "EUR",
        "contracting_authority": True,
        "may_lead": True,
        "max_leads": None,
        "max_pools_per_quarter": None,
        "signing_body": code,
        "valid_from": None,
        "valid_to": None,
        "successor": None,
        "population": 1000,
        "population_year": 2025,
        "population_overlaps": False,
        "organisation_id": None,
        "source": "made up",
    }
    return ParticipantRecord(**fields | changes)


def category(key: str) -> CategoryRecord:
    return CategoryRecord(key, f"{key}-family", None, None, None, key.title(), "KGM", "GRM", "made up")


MERGED = date(2027, 1, 1)
KNOWN = Known(
    participants={
        each.code: each
        for each in (
            participant("DK-84", valid_to=MERGED, successor="DK-OST"),
            participant("DK-85", valid_to=MERGED, successor="DK-OST"),
            participant("DK-OST", valid_from=MERGED),
            participant("SE-M", max_leads=2, max_pools_per_quarter=5),
            participant("GONE", valid_to=MERGED),
            participant("FO", contracting_authority=False, may_lead=False),
        )
    },
    categories={key: category(key) for key in ("gowns", "soap")},
    criteria=frozenset({"basic", "advanced", "spearhead", "pvc-free"}),
    implications={"spearhead": frozenset({"advanced"}), "advanced": frozenset({"basic"})},
)


def line(number: int, code: str = "SE-M", **changes: object) -> LiveLine:
    fields: dict[str, Any] = {
        "id": number,
        "submission": "s",
        "participant": code,
        "category": "gowns",
        "quantity": 1000,
        "quantity_low": 900,
        "quantity_high": 1100,
        "unit_price_eur_micro": 2_000_000,
        "earliest_start": "2026-12",
        "latest_start": "2028-12",
        "required": (),
        "refused": (),
    }
    return LiveLine(**fields | changes)


def figure(value: int, spread: int = 10) -> Figure:
    return Figure(value, value - spread, value + spread, "made up", DAY)


def offer(name: str = "o", **changes: object) -> OfferRecord:
    fields: dict[str, Any] = {
        "id": name,
        "category": "gowns",
        "name": "Gown",
        "criteria": (),
        "price_basis": "absolute",
        "currency": "EUR",
        "tiers": (
            TierRecord(figure(1500), figure(1_900_000, 100_000)),
            TierRecord(figure(5000), figure(1_800_000, 100_000)),
        ),
        "co2_saved": figure(12_000),
    }
    return OfferRecord(**fields | changes)


def built(lines: list[LiveLine], *offers: OfferRecord, **policy: object) -> Built:
    given = {"as_of": date(2025, 11, 1), "lead_time_months": 12} | policy
    return build(lines, offers, known=KNOWN, policy=policy_of(given, today=DAY))


def test_the_solver_takes_the_document_word_for_word() -> None:
    document = built([line(2), line(1, "FO")], offer(criteria=("spearhead",))).document
    assert Instance.from_document(document).to_document() == document
    assert [each["id"] for each in document["lines"]] == ["1", "2"]


def held(found: Built) -> dict[str, tuple[str, str, str]]:
    """Participant, earliest and latest start of each line of the document."""
    lines = found.document["lines"]
    return {each["id"]: (each["participant"], each["earliest_start"], each["latest_start"]) for each in lines}


def test_demand_passes_to_the_successor_from_the_month_that_it_takes_over() -> None:
    lines = [
        line(1, "DK-84", latest_start="2026-12"),
        line(2, "DK-84", latest_start="2027-01"),
        line(3, "DK-84", earliest_start="2026-11", latest_start="2027-06"),
        line(4, "DK-84", earliest_start="2027-01", latest_start="2027-06"),
        line(5, "DK-85", earliest_start="2027-06"),
        line(6, earliest_start="2027-03"),
    ]
    found = built(lines)
    assert held(found) == {
        "1": ("DK-84", "2026-12", "2026-12"),
        "2": ("DK-OST", "2027-01", "2027-01"),
        "3": ("DK-OST", "2027-01", "2027-06"),
        "4": ("DK-OST", "2027-01", "2027-06"),
        "5": ("DK-OST", "2027-06", "2028-12"),
        "6": ("SE-M", "2027-03", "2028-12"),
    }
    assert found.warnings == (
        "DK-84 ends while 2 of its lines could start: they are planned as DK-OST's, from 2027-01 on (lines 2, 3).",
    )
    assert Instance.from_document(found.document).to_document() == found.document


def test_a_takeover_after_the_last_month_of_the_horizon_changes_nothing() -> None:
    found = [built([line(1, "DK-84", earliest_start="2026-11")], horizon_months=months) for months in (2, 3)]
    assert [held(each)["1"] for each in found] == [("DK-84", "2026-11", "2028-12"), ("DK-OST", "2027-01", "2028-12")]
    assert [len(each.warnings) for each in found] == [0, 1]


def test_a_takeover_within_a_month_counts_from_the_next_and_the_last_of_several_holds() -> None:
    within, later = date(2027, 1, 15), date(2027, 5, 1)
    chain = (
        participant("A", valid_to=within, successor="B"),
        participant("B", valid_from=within, valid_to=later, successor="C"),
        participant("C", valid_from=later),
    )
    known = replace(KNOWN, participants={each.code: each for each in chain})
    lines = [line(number, "A", latest_start=f"2027-0{number}") for number in (1, 2, 4, 5)]
    given = policy_of({"as_of": date(2025, 11, 1), "lead_time_months": 12}, today=DAY)
    assert held(build(lines, [], known=known, policy=given)) == {
        "1": ("A", "2026-12", "2027-01"),
        "2": ("B", "2027-02", "2027-02"),
        "4": ("B", "2027-02", "2027-04"),
        "5": ("C", "2027-05", "2027-05"),
    }


def test_demand_that_nobody_takes_over_starts_before_its_participant_ends() -> None:
    found = built([line(1, "GONE"), line(2, "GONE", latest_start="2026-12")])
    assert held(found) == {"1": ("GONE", "2026-12", "2026-12"), "2": ("GONE", "2026-12", "2026-12")}
    assert found.warnings == ("GONE ends while 1 of its lines could start: they are planned up to 2026-12 (line 1).",)


def test_volume_to_market_names_those_who_hold_the_demand_at_the_start() -> None:
    lines = [
        line(1, "DK-84", earliest_start="2026-11", latest_start="2027-06"),
        line(2, earliest_start="2027-03"),
        line(3, "DK-85", latest_start="2026-12"),
    ]
    rows = volume_of(built(lines).document, KNOWN.implications)
    assert {row.start: dict(row.participants) for row in rows} == {
        "2026-12": {"DK-85": 1000},
        "2027-01": {"DK-OST": 1000},
        "2027-03": {"DK-OST": 1000, "SE-M": 1000},
        "2027-07": {"SE-M": 1000},
    }


def test_the_horizon_counts_where_it_starts_later_than_the_line() -> None:
    found = built([line(1, "DK-84"), line(2, "DK-85")], horizon_start="2027-02")
    assert {each["participant"] for each in found.document["lines"]} == {"DK-OST"}
    assert [each["id"] for each in found.document["participants"]] == ["DK-OST"]


def test_lines_that_nobody_holds_or_that_contradict_themselves_are_named() -> None:
    lines = [
        line(1, "GONE", earliest_start="2027-01"),
        line(2, "DK-OST"),
        line(3, required=("basic",), refused=("basic",)),
        line(4, category="other"),
        line(5, quantity_low=1001),
        line(6, earliest_start="2029-01"),
        line(7),
        line(8, quantity_high=2**53 + 1),
    ]
    found = built(lines)
    assert [(one.kind, one.id, one.reason) for one in found.excluded] == [
        ("line", "1", "no_participant"),
        ("line", "2", "no_participant"),
        ("line", "3", "required_and_refused"),
        ("line", "4", "no_category"),
        ("line", "5", "not_a_quantity"),
        ("line", "6", "not_a_window"),
        ("line", "8", "not_a_quantity"),
    ]
    assert "ended on 2027-01-01 without a successor" in found.excluded[0].words
    assert [each["id"] for each in found.document["lines"]] == ["7"]


def test_only_participants_and_categories_with_lines_are_in_it() -> None:
    document = built([line(1), line(2, "FO")]).document
    assert [each["id"] for each in document["participants"]] == ["FO", "SE-M"]
    assert document["participants"][0]["contracting_authority"] is False
    assert document["categories"] == [
        {"id": "gowns", "family": "gowns-family", "unit": "GRM", "term_months": None},
    ]


def test_limits_of_participants_are_their_own_or_the_policys() -> None:
    lines = [line(1), line(2, "DK-84")]
    found = built(lines, participant_max_leads=3, participant_max_pools_per_quarter=8).document["participants"]
    limits = {each["id"]: (each["max_leads"], each["max_pools_per_quarter"]) for each in found}
    assert limits == {"SE-M": (2, 5), "DK-OST": (3, 8)}


def test_criteria_of_offers_are_closed_and_those_of_lines_are_not() -> None:
    document = built([line(1, required=("basic",))], offer(criteria=("spearhead", "pvc-free"))).document
    assert document["offers"][0]["criteria"] == ["advanced", "basic", "pvc-free", "spearhead"]
    assert document["lines"][0]["required"] == ["basic"]


def test_an_index_is_taken_on_todays_volume_weighted_price_of_all_live_lines() -> None:
    lines = [
        line(1, quantity=3000, quantity_high=3000, unit_price_eur_micro=1_000_001),
        line(2, quantity=1000, unit_price_eur_micro=2_000_000),
        line(3, "GONE", quantity=4000, quantity_high=4000, unit_price_eur_micro=500_000, earliest_start="2027-01"),
        line(4, category="soap", unit_price_eur_micro=9_000_000),
    ]
    mean = (3000 * 1_000_001 + 1000 * 2_000_000 + 4000 * 500_000) / 8000
    assert float(weighted_prices(lines)["gowns"]) == mean
    tiers = (
        TierRecord(figure(10), figure(1_050_000, 50_000)),
        TierRecord(figure(20), figure(950_000, 50_000)),
    )
    found = built(lines, offer(price_basis="index", tiers=tiers))
    assert [tier["unit_price_eur"] for tier in found.document["offers"][0]["tiers"]] == [
        round(mean * 1.05) / 1e6,
        round(mean * 0.95) / 1e6,
    ]
    assert found.offers[0].tiers_micro[0] == (round(mean * 1.05), round(mean), round(mean * 1.1))
    assert found.offers[0].index_base_micro == round(mean)


def test_an_absolute_price_is_converted_at_the_rate_of_its_date() -> None:
    found = built([line(1)], offer(currency="SEK"))
    rate = rate_on("SEK", DAY)
    expected = round(1_900_000 / float(rate.per_eur)) / 1e6
    assert found.document["offers"][0]["tiers"][0]["unit_price_eur"] == pytest.approx(expected, abs=1e-9)
    assert (found.offers[0].per_eur, found.offers[0].rate_day) == (str(rate.per_eur), rate.day.isoformat())


def test_offers_count_from_their_first_day_to_the_day_before_the_last_named() -> None:
    as_of = date(2025, 11, 1)
    assert built([line(1)], offer(valid_from=as_of)).document["offers"]
    assert built([line(1)], offer(valid_to=date(2025, 11, 2))).document["offers"]
    for late in (offer(valid_from=date(2025, 11, 2)), offer(valid_to=as_of)):
        found = built([line(1)], late)
        assert found.document["offers"] == []
        assert [(one.kind, one.reason) for one in found.excluded] == [("offer", "not_valid")]


def test_offers_without_demand_or_for_another_term_are_named() -> None:
    found = built(
        [line(1)],
        offer("a", category="soap"),
        offer("b", term_months=24),
        offer("c", term_months=48),
        category_term_months={"gowns": 48},
    )
    assert [(one.id, one.reason) for one in found.excluded] == [("a", "no_demand"), ("b", "other_term")]
    assert [each["id"] for each in found.document["offers"]] == ["c"]
    assert found.document["categories"][0]["term_months"] == 48


def test_the_order_of_what_comes_in_does_not_matter() -> None:
    lines, offers = [line(1), line(2, "DK-84"), line(10, category="soap")], (offer("a"), offer("b"))
    assert built(lines, *offers) == built(lines[::-1], *offers[::-1])


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"criterion_value": {"basik": 0.1}}, "criterion_value.basik: 'basik' is not known; did you mean basic?"),
        ({"green_floor": ["zzz"]}, "green_floor: 'zzz' is not known; add it to the reference data first"),
        ({"category_term_months": {"gown": 24}}, "category_term_months.gown: 'gown' is not known; did you mean gowns?"),
    ],
)
def test_a_policy_that_names_the_unknown_is_refused(policy: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting) as refused:
        built([line(1)], **policy)
    assert said in str(refused.value)


def test_nothing_at_all_is_a_valid_question() -> None:
    assert Instance.from_document(built([]).document).lines == ()


def test_a_changed_line_changes_the_document() -> None:
    assert built([line(1)]).document != built([replace(line(1), quantity_high=1101)]).document
