"""Offers of the demonstration: lawful, marked as made up, and read back by the market's own reader as they were."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from pooling.demo.catalogue import MADE_UP
from pooling.demo.ladders import reached
from pooling.demo.needs import needs, nordic_volume
from pooling.demo.offers import KNOWN, LEVELS, offers
from pooling.demo.policy import CRITERION_VALUE, policy_toml
from pooling.market import files, intake
from pooling.market.rules import MICRO, OfferRecord
from pooling.planning.policy import read_policy
from tests.pooling.demo.known import all_items, all_senders, rows

DAY = date(2026, 10, 30)
VOLUMES = nordic_volume(needs(all_senders(), all_items(), seed=1))


@pytest.fixture(scope="module")
def made() -> list[OfferRecord]:
    return offers(all_items(), VOLUMES, seed=1, as_of=DAY)


def test_the_same_seed_gives_the_same_offers(made: list[OfferRecord]) -> None:
    assert offers(all_items(), VOLUMES, seed=1, as_of=DAY) == made
    assert offers(all_items(), VOLUMES, seed=2, as_of=DAY) != made


def test_most_categories_have_offers_of_several_levels_and_some_have_none(made: list[OfferRecord]) -> None:
    offered = {offer.category for offer in made}
    assert 90 <= len(offered) <= 115
    for level in LEVELS:
        assert 40 <= sum(offer.id.endswith(f".{level.name}") for offer in made) <= 110


def test_every_figure_is_marked_as_made_up_or_names_its_source(made: list[OfferRecord]) -> None:
    for offer in made:
        figures = [
            offer.co2_saved,
            *(tier.price for tier in offer.tiers),
            *(tier.from_quantity for tier in offer.tiers),
        ]
        assert "(made up)" in offer.name
        for figure in figures:
            assert MADE_UP in figure.source or "range made up" in figure.source
            assert figure.low <= figure.value <= figure.high
    sourced = {offer.category for offer in made if "lakartidningen" in offer.co2_saved.source}
    assert sourced == {"plastic-aprons-single-use"}


def test_published_figures_are_in_the_leading_offer_of_their_category(made: list[OfferRecord]) -> None:
    found = {offer.category: offer for offer in made if offer.id.endswith(".leading")}
    assert set(KNOWN) <= set(found)
    apron = found["plastic-aprons-single-use"]
    assert apron.co2_saved.value == 51_000  # 56 g less 5 g an apron
    assert apron.tiers[0].price.value == round(1.40 * MICRO)
    assert "reusable" in found["isolation-non-surgical-gowns"].criteria


def test_a_greener_level_meets_more_and_tips_at_more_than_the_standard(made: list[OfferRecord]) -> None:
    by_id = {offer.id: offer for offer in made}
    for item in all_items():
        levels = [
            by_id[f"{item.category}.{level.name}"] for level in LEVELS if f"{item.category}.{level.name}" in by_id
        ]
        for lower, higher in pairwise(levels):
            assert set(lower.criteria) < set(higher.criteria)
        for offer in levels:
            assert offer.tipping_quantity < 0.3 * VOLUMES[item.category] or VOLUMES[item.category] < 50
    assert reached(all_items()[0], 2) == tuple(sorted(reached(all_items()[0], 2)))


def test_the_offer_file_is_read_back_as_the_same_offers(made: list[OfferRecord], tmp_path: Path) -> None:
    path = tmp_path / "offers.csv"
    path.write_text(files.write_csv(made), encoding="utf-8", newline="")
    drafts, faults = files.read(path)
    known = intake.Known({row["id"] for row in rows("categories.csv")}, {row["code"] for row in rows("criteria.csv")})
    found, more = intake.records(drafts, known=known, file_name="", file_sha256="")
    assert faults + more == []
    assert found == made


def test_the_policy_is_read_and_values_only_known_criteria(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(policy_toml(DAY), encoding="utf-8")
    policy = read_policy(path, today=date(2030, 1, 1))
    assert policy.as_of == DAY
    assert policy.horizon_start == "2027-11"
    assert "made up" in policy.name
    assert policy.criterion_value == CRITERION_VALUE
    assert set(CRITERION_VALUE) <= {row["code"] for row in rows("criteria.csv")}
    assert {code for item in all_items() for code in reached(item, 2)} <= set(CRITERION_VALUE)
