"""What senders would buy: the same for a seed, in proportion to people and money, and right where countries differ."""

from datetime import date

import pytest

from pooling.demo.catalogue import BUDGETS, MADE_UP, Category, Item, items
from pooling.demo.ladders import LADDERS, SPECIAL, reached, steps
from pooling.demo.needs import NOK_PER_EUR, TOGETHER, needs, nordic_volume
from pooling.reference.rules import closure
from tests.pooling.demo.known import all_items, all_senders, rows, senders


def test_every_participant_of_the_day_sends_and_every_category_has_an_item() -> None:
    assert len(all_senders()) == 57
    assert {item.category for item in all_items()} == {row["id"] for row in rows("categories.csv")}
    assert len(all_items()) == 120


def test_the_same_seed_gives_the_same_needs_and_another_seed_others() -> None:
    who = senders("SE-M", "IS", "NO-HN")
    assert needs(who, all_items(), seed=1) == needs(who, all_items(), seed=1)
    assert needs(who, all_items(), seed=1) != needs(who, all_items(), seed=2)


def test_leaving_out_senders_and_items_changes_no_other_need() -> None:
    few = all_items()[::7]
    everything = needs(senders("SE-M", "IS"), all_items(), seed=3)
    part = needs(senders("IS"), few, seed=3)
    assert part == [need for need in everything if need.sender.code == "IS" and need.item in few]


@pytest.mark.parametrize("budget", ["hygiene", "operation", "anaesthesia", "intensive", "wound"])
def test_spend_on_hospital_consumables_follows_the_published_figures(budget: str) -> None:
    """Within 15 % over all regions: chance evens out, a few small categories are not planned by small senders."""
    people = [sender for sender in all_senders() if not sender.overlaps and sender.country in ("DK", "SE", "NO")]
    found = [need for need in needs(people, all_items(), seed=1) if need.item.budget == budget]
    nok = sum(need.quantity * need.item.price_eur for need in found) * NOK_PER_EUR
    per_inhabitant = nok / sum(sender.population for sender in people)
    assert per_inhabitant == pytest.approx(BUDGETS[budget].nok_per_inhabitant, rel=0.15)
    assert "Sykehusinnkjøp" in BUDGETS[budget].source


def test_budgets_without_a_published_figure_say_that_they_are_made_up() -> None:
    made_up = {name for name, budget in BUDGETS.items() if MADE_UP in budget.source}
    assert made_up == {"incontinence", "stoma", "dialysis", "laboratory", "implants", "equipment", "textiles"}


def test_norwegian_hospitals_send_no_stoma_and_danish_regions_no_hearing_aids() -> None:
    found = needs(all_senders(), all_items(), seed=1)
    stoma = {need.sender.country for need in found if need.item.budget == "stoma"}
    assert stoma == {"SE", "DK", "FI", "IS", "FO", "GL"}
    assert "DK" not in {need.sender.country for need in found if need.item.category == "hearing-aids"}


def test_hus_and_the_bodies_it_overlaps_share_the_use_of_the_same_people() -> None:
    uusimaa = [sender for sender in all_senders() if sender.overlaps]
    assert len(uusimaa) == 6
    found = needs(uusimaa, all_items(), seed=1)
    implants = {need.sender.code: need.quantity for need in found if need.item.category == "hip-prostheses"}
    rest = sum(quantity for code, quantity in implants.items() if code != "FI-18-HUS")
    assert implants["FI-18-HUS"] > 2 * rest


def test_contracts_end_with_a_quarter_and_run_together_where_one_body_buys() -> None:
    found = needs(all_senders(), all_items(), seed=1)
    assert {(need.contract_end.month, need.contract_end.day) for need in found} == {(3, 31), (6, 30), (9, 30), (12, 31)}
    assert date(2027, 3, 31) <= min(need.contract_end for need in found)
    for group in set(TOGETHER.values()):
        ends: dict[str, set[object]] = {}
        for need in found:
            if TOGETHER.get(need.sender.code) == group:
                ends.setdefault(need.item.category, set()).add((need.contract_end, need.extension_months))
        assert all(len(each) == 1 for each in ends.values())


def test_volumes_are_whole_packs_and_in_the_unit_that_is_pooled() -> None:
    found = needs(senders("SE-AB"), all_items(), seed=1)
    assert all(need.quantity % need.item.pack == 0 and need.packs >= 1 for need in found)
    sanitiser = next(need for need in found if need.item.category == "hand-sanitiser-alcohol-based")
    assert sanitiser.base_quantity == 1000 * sanitiser.quantity
    assert nordic_volume(found)["hand-sanitiser-alcohol-based"] == sanitiser.base_quantity


def test_nothing_is_required_and_refused_at_once() -> None:
    found = needs(all_senders(), all_items(), seed=1)
    assert any(need.refused for need in found)
    assert all(not set(need.required) & set(need.refused) for need in found)


def test_ladders_name_known_criteria_and_rise() -> None:
    known = {row["code"] for row in rows("criteria.csv")}
    implied = {row["code"]: frozenset(row["implies"].split()) for row in rows("implications.csv")}
    families = {item.family for item in all_items()}
    assert set(LADDERS) <= families
    assert set(SPECIAL) <= {item.category for item in all_items()}
    for item in all_items():
        assert {code for part in steps(item) for code in part} <= known
        for step in (1, 2):
            lower, higher = closure(reached(item, step - 1), implied), closure(reached(item, step), implied)
            assert lower < higher


def test_an_item_without_a_price_or_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        Item("c", "f", "H87", 1, "wound", 0.1, 0.0, 1, {"da": "a", "sv": "a", "nb": "a", "fi": "a"})
    with pytest.raises(ValueError, match="no name in fi"):
        Item("c", "f", "H87", 1, "wound", 0.1, 1.0, 1, {"da": "a", "sv": "a", "nb": "a"})
    assert items([Category("no-such-category", "f", "n", "H87", 1)]) == ()
