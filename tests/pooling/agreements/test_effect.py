"""The effect of agreements: sums that are their lines', each reader's own, and what everybody may know."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as draw
from hypothesis import settings
from hypothesis import strategies as st
from litestar import Response, get

from pooling.agreements.disclosure import Cell, shown
from pooling.agreements.effect import by_year, weighted_price
from pooling.agreements.public import quarters
from pooling.agreements.substances import avoided, substances
from pooling.calls import Asked
from pooling.database import reading, transaction
from pooling.parameters import Handled
from pooling.reference import service as reference
from tests.pooling.agreements.given import Bought, Given, LotGiven, agreement
from tests.pooling.api_client import Api, api
from tests.pooling.planning.demand import GOWNS

SIDES = ("participant", "country", "category", "cycle", "year")
PARTS = ("planned", "called_off")
GLOVE_BUYERS = {"SE-M": Bought(500_000), "DK-82": Bought(300_000), "NO-HV": Bought(200_000), "SE-AB": Bought(400_000)}


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as made:
        yield made


def two_cycles(app: Api, *, iceland: int = 10) -> tuple[UUID, UUID]:
    """Gloves of four buyers over 24 months and gowns of three, without the criterion on PVC, over 12 months."""
    gowns = LotGiven(
        {"SE-M": Bought(1000), "IS": Bought(iceland), "NO-HV": Bought(900)},
        category=GOWNS,
        offer="gowns-green",
        price_micro=1_500_000,
        criteria=("uhm-basic",),
    )
    with transaction(app.engine) as session:
        first = agreement(session, Given((LotGiven(GLOVE_BUYERS),)))
        return first, agreement(session, Given((gowns,), cycle="spring", term_months=12))


def call_off(app: Api, tender: UUID, code: str, quantity: int, offer: str = "gloves-green", **more: Any) -> Any:
    body = {"participant": code, "offer": offer, "quantity": quantity, "reference": f"{code} {quantity}", **more}
    answer = app.client("coordinator", participants=[code]).post(f"/v1/tenders/{tender}/call-offs", json=body)
    assert answer.status_code == 201, answer.text
    return answer


def effect(app: Api, query: str, role: str = "planner", **more: Any) -> Any:
    answer = app.client(role, **more).get(f"/v1/effect?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_effect_of_one_buyer_worked_out_by_hand(app: Api) -> None:
    """SE-M: 500 000 gloves a year for 24 months at EUR 0.05 instead of 0.06, 12 g CO2e a glove; 2 months of it in 2026.
    It has called off 100 000, for EUR 4 800.
    """
    first, _ = two_cycles(app)
    call_off(app, first, "SE-M", 100_000, value_eur="4800")
    (row,) = [each for each in effect(app, "by=participant&cycle=autumn")["rows"] if each["key"] == "SE-M"]
    planned, done = row["planned"], row["called_off"]
    assert (planned["spend_today_eur"], planned["spend_eur"], planned["cash_saving_eur"]) == (60_000, 50_000, 10_000)
    assert [planned[f"co2_saved{part}_tonnes"] for part in ("", "_low", "_high")] == [12, 10, 15]
    assert (done["spend_today_eur"], done["spend_eur"], done["cash_saving_eur"]) == (6000, 4800, 1200)
    assert done["co2_saved_tonnes"] == pytest.approx(1.2)
    (pvc,) = planned["substances"]
    assert (pvc["substance"], pvc["units"]) == ("pvc", [{"unit": "H87", "quantity": 1_000_000}])
    assert pvc["sources"][0].startswith("pvc-free: ")
    levels = {each["criterion"]: (each["level"], each["share"]) for each in planned["criteria"]}
    assert levels == {"pvc-free": (None, 1), "uhm-advanced": ("advanced", 1), "uhm-basic": ("basic", 1)}
    years = {
        each["key"]: each for each in effect(app, "by=year&cycle=autumn", "coordinator", participants=["SE-M"])["rows"]
    }
    units = {year: each["planned"]["quantities"] for year, each in years.items()}
    assert {year: each[0]["quantity"] for year, each in units.items()} == {
        "2026": 83_333,
        "2027": 500_000,
        "2028": 416_667,
    }
    assert years["2026"]["called_off"]["quantities"] == [{"unit": "H87", "quantity": 100_000}]


def test_every_side_adds_up_to_the_same_total(app: Api) -> None:
    first, second = two_cycles(app)
    for code, quantity in (("SE-M", 7), ("DK-82", 11), ("NO-HV", 13)):
        call_off(app, first, code, quantity)
    call_off(app, second, "IS", 3, "gowns-green")
    totals = []
    for side in SIDES:
        found = effect(app, f"by={side}")
        for part in PARTS:
            for name in ("spend_today_eur", "spend_eur", "cash_saving_eur", "co2_saved_tonnes"):
                rows = sum(each[part][name] for each in found["rows"])
                assert rows == pytest.approx(found["total"][part][name], rel=1e-12), (side, part, name)
            units: Counter[str] = Counter()
            for row in found["rows"]:
                units.update({each["unit"]: each["quantity"] for each in row[part]["quantities"]})
            assert units == {each["unit"]: each["quantity"] for each in found["total"][part]["quantities"]}
        totals.append({part: found["total"][part] for part in PARTS})
    assert all(each == totals[0] for each in totals)
    own = [effect(app, "by=cycle", "coordinator", participants=[code])["total"] for code in (*GLOVE_BUYERS, "IS")]
    for part in PARTS:
        whole = sum(each[part]["spend_eur"] for each in own)
        assert whole == pytest.approx(totals[0][part]["spend_eur"], rel=1e-12)


def test_a_coordinator_is_shown_nothing_of_others(app: Api) -> None:
    first, _ = two_cycles(app)
    call_off(app, first, "DK-82", 4242)
    for side in SIDES:
        found = effect(app, f"by={side}", "coordinator", participants=["SE-AB"])
        assert found["total"]["participants"] == ["SE-AB"]
        assert {code for each in found["rows"] for code in each["participants"]} == {"SE-AB"}
        assert "4242" not in str(found)
    nobody = effect(app, "by=country", "coordinator", participants=["FO"])
    assert (nobody["rows"], "total" in nobody) == ([], False)
    assert app.client("administrator").get("/v1/effect").status_code == 403
    assert app.client("planner").get("/v1/effect?cycle=none").status_code == 404


def test_what_was_taken_back_and_what_is_not_agreed_does_not_count(app: Api) -> None:
    first, _ = two_cycles(app)
    with transaction(app.engine) as session:
        agreement(session, Given((LotGiven({"FO": Bought(9)}),), status="invited"))
        agreement(session, Given((LotGiven({"GL": Bought(9)}),), depth="dialogue"))
    made = call_off(app, first, "SE-M", 5)
    path, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    app.client("planner").post(f"{path}/cancel", json={"reason": "wrong"}, headers=tag)
    found = effect(app, "by=participant")
    assert {each["key"] for each in found["rows"]} == {*GLOVE_BUYERS, "IS"}
    assert found["total"]["called_off"]["spend_eur"] == 0


def told(app: Api, side: str) -> Any:
    answer = app.nobody().get(f"/v1/public/effect?by={side}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_everybody_is_told_sums_of_three_and_no_participant(app: Api) -> None:
    """Gowns: NO-HV and SE-M have most, IS has half as much: whoever takes its own off knows no other. Iceland is one
    buyer alone, Denmark and Norway too: they are told as one, Sweden's two with them."""
    first, _ = two_cycles(app, iceland=500)
    call_off(app, first, "SE-M", 1000)
    categories = told(app, "category")
    assert {each["key"] for each in categories["rows"] if each["planned"]} == {
        "examination-gloves-nitrile-non-sterile",
        GOWNS,
    }
    assert categories["total"]["planned"]["cash_saving_eur"] is None  # two lots: it would tell their prices
    assert categories["as_of"] == "2026-10-01"
    for side in ("country", "category", "cycle", "year"):
        page = str(told(app, side))
        assert not any(code in page for code in (*GLOVE_BUYERS, "Sk", "4711"))
        assert all(each["called_off"] is None for each in [*told(app, side)["rows"], told(app, side)["total"]])
    countries = told(app, "country")
    assert countries["rows"] == []
    assert countries["total"]["planned"]["spend_today_eur"] > 0
    app.clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert told(app, "category")["total"]["called_off"] is None  # of one alone
    for code in ("DK-82", "NO-HV", "SE-AB"):
        call_off(app, first, code, 1000)
    app.clock.now = datetime(2027, 3, 31, tzinfo=UTC)
    assert told(app, "category")["total"]["called_off"] is None  # the quarter is not over
    app.clock.now = datetime(2027, 4, 1, tzinfo=UTC)
    total = told(app, "category")["total"]["called_off"]
    assert total["spend_today_eur"] == pytest.approx(4 * 60)
    assert app.nobody().get("/v1/public/effect?by=participant").status_code == 400
    assert app.nobody().get("/v1/effect").status_code == 401


@pytest.mark.parametrize(("third", "is_told"), [(40_000, False), (787_499, False), (787_500, True)])
def test_a_buyer_who_takes_its_own_off_does_not_know_another(app: Api, third: int, is_told: bool) -> None:
    """NO-HV buys 3 150 000: told is the sum where what is left beside the two largest is a quarter of that or more."""
    buyers = {"SE-M": Bought(850_000), "NO-HV": Bought(3_150_000), "FO": Bought(third)}
    with transaction(app.engine) as session:
        agreement(session, Given((LotGiven(buyers),)))
    own = {code: effect(app, "by=category", "coordinator", participants=[code])["total"]["planned"] for code in buyers}
    figures = [own[code]["spend_today_eur"] for code in buyers]
    for side in ("category", "country", "cycle", "year"):
        page = told(app, side)
        assert (page["total"]["planned"] is not None) is is_told
        for planned in [each["planned"] for each in [*page["rows"], page["total"]] if each["planned"]]:
            for mine in figures:
                left = planned["spend_today_eur"] - mine
                assert not any(0.8 * left < other <= left for other in figures if other != mine), side


@get("/v1/planted", operation_id="effect.planted", sync_to_thread=True)
def planted(request: Asked, handling: Handled) -> Response[Any]:
    """Would answer anybody what is not public."""
    return handling.public(request, lambda call: {"rows": "secret"})


def test_only_what_the_matrix_calls_public_is_answered_without_credentials(database_url: str) -> None:
    with api(database_url, planted, with_reference=True) as app:
        answer = app.nobody().get("/v1/planted")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        first = app.nobody().get("/v1/public/effect")
        same = app.nobody().get("/v1/public/effect", headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, same.status_code) == (200, 304)


NAMES = st.sampled_from("abcdefg")
CELLS = st.dictionaries(NAMES, st.integers(0, 100), max_size=7)
TABLES = st.dictionaries(st.sampled_from("KLMNOP"), st.tuples(CELLS, CELLS), max_size=6)


def safe(sizes: Counter[str]) -> bool:
    """The rule, written again."""
    some = {code: size for code, size in sizes.items() if size > 0}
    left = [[size for code, size in some.items() if code != reader] for reader in some]
    return len(some) >= 3 and all(10 * max(others) <= 8 * sum(others) for others in left)


@settings(max_examples=150, deadline=None)
@draw(TABLES)
def test_what_is_shown_and_what_follows_from_it_holds_to_the_rule(table: Any) -> None:
    """What follows from the total and the rows: the sum of those not shown, and every row."""
    found = shown({key: Cell(*each) for key, each in table.items()})
    for part in (0, 1):
        sums = {key: Counter(each[part]) for key, each in table.items()}
        rest = sum((each for key, each in sums.items() if key not in found.rows), Counter[str]())
        told_of = [sums[key] for key in found.rows]
        if found.total:
            told_of.append(sum(sums.values(), Counter[str]()))
            told_of += [rest] if rest else []
        else:
            assert not found.rows
        assert all(safe(each) for each in told_of if part == 0 or any(each.values()))


@pytest.mark.parametrize(
    ("sizes", "is_open"),
    [
        ({"a": 80, "b": 20, "c": 20}, True),
        ({"a": 80, "b": 10, "c": 10}, False),
        ({"a": 81, "b": 20, "c": 20}, False),
        ({"a": 500, "b": 200, "c": 100, "d": 24}, False),
        ({"a": 500, "b": 200, "c": 100, "d": 25}, True),
        ({"a": 50, "b": 50}, False),
        ({"a": 50, "b": 50, "c": 0}, False),
        ({"a": 1, "b": 1, "c": 1}, True),
    ],
)
def test_the_borders_of_the_rule(sizes: dict[str, int], is_open: bool) -> None:
    assert Cell(sizes).open is is_open
    assert Cell({"x": 1, "y": 1, "z": 1}, sizes).open is is_open


def test_a_row_that_would_follow_from_the_others_takes_the_smallest_with_it() -> None:
    even = {"a": 10, "b": 10, "c": 10}
    cells = {"large": Cell(dict.fromkeys(even, 90)), "small": Cell(even), "one": Cell({"a": 5})}
    assert shown(cells).rows == {"large"}
    assert shown({**cells, "one": Cell({"a": 10_000})}).total is False
    assert shown({key: cells[key] for key in ("large", "small")}).rows == {"large", "small"}


@settings(max_examples=200, deadline=None)
@draw(st.integers(0, 10**9), st.integers(1, 12), st.integers(1, 120))
def test_a_quantity_spread_over_years_is_whole(quantity: int, month: int, months: int) -> None:
    parts = dict(by_year(quantity, start=f"2027-{month:02d}", months=months))
    assert sum(parts.values()) == quantity
    assert all(abs(part - quantity * 12 / months) <= 1 for part in list(parts.values())[1:-1])


def test_prices_are_weighted_and_quarters_begin_where_they_do() -> None:
    assert weighted_price([(1, 10), (3, 20)]) == 18
    assert weighted_price([]) == 0
    assert [str(day) for day in quarters(datetime(2027, 1, 31).date())] == ["2027-01-01", "2026-10-01"]  # noqa: DTZ001
    assert [str(day) for day in quarters(datetime(2027, 12, 1).date())] == ["2027-10-01", "2027-07-01"]  # noqa: DTZ001


def test_every_substance_rests_on_a_criterion_that_there_is(app: Api) -> None:
    with reading(app.engine) as session:
        known = reference.criteria(session)
    assert {each.criterion for each in substances()} <= set(known)
    assert all(each.source for each in substances())
    assert avoided(["uhm-basic"]) == frozenset()
    assert avoided(["halogen-free", "pvc-free"]) == {"pvc", "halogenated-plastics"}
