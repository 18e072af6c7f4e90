"""What one version of a submission changed of another."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pooling.demand.comparing import Difference, Kind, compare
from tests.pooling.api_client import Api
from tests.pooling.demand.api_world import app, confirmed, csv, forecast, looked_at

__all__ = ["app"]


@dataclass(frozen=True)
class Row:
    """A line as it is compared."""

    id: int
    sent_as: str = "SE-M"
    category: str = "insulin-syringes"
    item_code: str | None = None
    earliest_start: str = "2027-01"
    latest_start: str = "2027-12"
    quantity: int = 10
    quantity_low: int = 9
    quantity_high: int = 11
    unit_price_micro: int = 1
    currency: str = "SEK"
    required: str = ""
    refused: str = ""
    delivered: bool | None = None
    depth: str | None = None
    external_id: str | None = None


ROWS = st.builds(
    Row,
    id=st.just(0),
    item_code=st.sampled_from([None, "a"]),
    latest_start=st.sampled_from(["2027-06", "2027-12"]),
    quantity=st.integers(1, 3),
)


def numbered(rows: list[Row], first: int) -> list[Row]:
    return [replace(row, id=number) for number, row in enumerate(rows, start=first)]


def applied(before: list[Row], found: list[Difference]) -> list[Row]:
    """What is left and has come."""
    gone = {each.before.id for each in found if each.before is not None}
    return [row for row in before if row.id not in gone] + [each.after for each in found if each.after is not None]


@given(st.lists(ROWS, max_size=6), st.lists(ROWS, max_size=6))
def test_the_differences_turn_one_version_into_the_other_and_the_same_into_none(old: list[Row], new: list[Row]) -> None:
    before, after = numbered(old, 1), numbered(new, 100)
    found = compare(before, after)
    told = sorted((replace(row, id=0) for row in applied(before, found)), key=repr)
    assert told == sorted((replace(row, id=0) for row in after), key=repr)
    assert compare(before, numbered(old[::-1], 100)) == []
    for each in found:
        assert (each.kind is Kind.CHANGED) == bool(each.fields)
        assert each.fields in ((), ("quantity",))


def test_equal_lines_are_matched_before_changed_ones() -> None:
    before = numbered([Row(0, quantity=1), Row(0, quantity=2)], 1)
    after = numbered([Row(0, quantity=3), Row(0, quantity=1)], 10)
    (found,) = compare(before, after)
    assert (found.kind, found.before.quantity, found.after.quantity) == (Kind.CHANGED, 2, 3)


def test_another_window_is_another_line_but_for_a_forecast_of_the_same_id() -> None:
    before, after = [Row(1, external_id="f")], [Row(2, external_id="f", latest_start="2028-01")]
    assert [each.kind for each in compare(before, after)] == [Kind.ADDED, Kind.REMOVED]
    (found,) = compare(before, after, by_id=True)
    assert (found.kind, found.fields) == (Kind.CHANGED, ("latest_start",))


def versions(app: Api) -> list[str]:
    """Three versions of a submission."""
    client = app.client("coordinator", participants=["SE-M"])
    made = []
    for rows in ([{}, {"Quantity per year": "7"}], [{"Quantity per year": "9"}], [{"Unit price": "2.5"}]):
        numbered_rows = [
            {**row, "Contract end": f"2027-0{place}-28", "Price date": "2026-10-01"}
            for place, row in enumerate(rows, start=1)
        ]
        made.append(confirmed(app, client, looked_at(app, client, csv(*numbered_rows))).json()["submission"])
    return made


def test_a_version_is_compared_with_the_one_before_or_any_other_that_may_be_seen(app: Api) -> None:
    first, second, third = versions(app)
    client = app.client("coordinator", participants=["SE-M"])
    told = client.get(f"/v1/submissions/{second}/changes").json()
    assert (told["against"], told["added"], told["removed"], told["changed"]) == (first, 0, 1, 1)
    changed, removed = told["items"]
    assert (changed["before"]["quantity"], changed["after"]["quantity"]) == (1000, 9)
    assert changed["fields"] == ["quantity", "quantity_low", "quantity_high"]
    assert (removed["kind"], removed["before"]["quantity"], removed["after"]) == ("removed", 7, None)
    told = client.get(f"/v1/submissions/{third}/changes?against={first}").json()
    assert [each["fields"] for each in told["items"]] == [["unit_price"], []]
    assert told["items"][0]["after"]["unit_price"] == "2.500000"
    told = client.get(f"/v1/submissions/{first}/changes").json()
    assert (told["against"], told["added"]) == (None, 2)
    page = client.get(f"/v1/submissions/{first}/changes?limit=1").json()
    rest = client.get(f"/v1/submissions/{first}/changes?limit=1&cursor={page['next_cursor']}").json()
    assert page["items"] + rest["items"] == told["items"]
    assert rest["next_cursor"] is None
    other = app.client("partner", participants=["SE-AB"])
    lines = {"source": "erp", "lines": [forecast(participant="SE-AB", external_id="a")]}
    mine = other.post("/v1/forecasts", json=lines).json()["submission"]
    assert other.get(f"/v1/submissions/{mine}/changes").json()["added"] == 1
    assert other.get(f"/v1/submissions/{second}/changes").status_code == 404
    assert other.get(f"/v1/submissions/{mine}/changes?against={first}").status_code == 404


def test_forecasts_are_compared_with_what_each_was_before(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])

    def push(**quantities: int) -> Any:
        lines = [forecast(external_id=key, quantity=quantity) for key, quantity in quantities.items()]
        return client.post("/v1/forecasts", json={"source": "erp", "lines": lines}).json()["submission"]

    push(a=1, b=2)
    push(a=3)
    told = client.get(f"/v1/submissions/{push(a=4, b=2, c=5)}/changes").json()
    shown = [(each["kind"], each["external_id"], (each["before"] or {}).get("quantity")) for each in told["items"]]
    assert shown == [("changed", "a", 3), ("added", "c", None)]
