"""That what answers show adds up, and is what the rows in the database come to: for random walks."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from tests.e2e.workflow.model import table_of
from tests.e2e.workflow.sums import Place


def check_effect(bys: Mapping[str, Mapping[str, Any]], called_off: int, planned: int) -> None:
    """Rows add up to the total, and the total is the same by whatever is asked; values in cents, rounded."""
    totals: dict[tuple[str, str], float] = {}
    for by, effect in bys.items():
        if "total" not in effect:
            continue
        for side in ("planned", "called_off"):
            for name in ("spend_today_eur", "spend_eur", "cash_saving_eur", "co2_saved_tonnes"):
                summed, total = sum(row[side][name] for row in effect["rows"]), effect["total"][side][name]
                assert abs(summed - total) <= 1e-9 * max(1.0, abs(total)) + 0.01, (
                    f"{by} {side} {name}: {summed} {total}"
                )
                totals.setdefault((side, name), total)
                assert abs(totals[side, name] - total) <= 1e-9 * abs(total) + 0.01, f"{by} {side} {name}: {total}"
    for side, cents in (("called_off", called_off), ("planned", planned)):
        total = totals.get((side, "spend_eur"), 0.0)
        assert abs(total * 100 - cents) <= 50 + 1e-9 * cents, f"{side}: EUR {total}, lines come to {cents} cents"


def check_allowances(shown: Mapping[str, Any], places: list[Place]) -> None:
    """What a planner is shown of an agreement: buyers add up to their lot, and have left what their call-offs leave."""
    left = {(place.participant, place.offer): place for place in places if place.buys}
    buyers = {(each["participant"], each["offer"]): each for each in shown["buyers"]}
    assert buyers.keys() == left.keys(), f"{buyers.keys()} are shown, {left.keys()} are there"
    for key, each in buyers.items():
        assert each["left_quantity"] == left[key].left, f"{each}, the rows say {left[key]}"
    for lot in shown["lots"]:
        own = [each for each in shown["buyers"] if each["offer"] == lot["offer"]]
        for name in ("estimate_quantity", "called_off_quantity"):
            assert lot[name] == sum(each[name] for each in own), f"{name} of {lot}, its buyers: {own}"
        for name in ("estimate_value_eur", "called_off_value_eur"):
            summed = sum(Decimal(each[name]) for each in own)
            assert abs(Decimal(lot[name]) - summed) <= Decimal("0.01") * len(own), f"{name} of {lot}, its buyers: {own}"
        assert lot["left_quantity"] == lot["maximum_quantity"] - lot["called_off_quantity"], lot


def check_coverage(run: Connection, shown: Mapping[str, Any]) -> None:
    """A cycle's coverage as a planner is shown it: rows add up to the totals, and hold the lines that are frozen."""
    rows = shown["participants"]
    total = sum(row["spend_eur_per_year"] for row in rows)
    assert abs(shown["spend_eur_per_year"] - total) <= 0.01 * len(rows) + 1e-9 * total, f"{total}: {shown}"
    for state in ("sent", "standing", "missing"):
        counted = sum(row["state"] == state for row in rows if row["expected"])
        assert shown[state] == counted, f"{counted} rows are {state}: {shown}"
    if shown["status"] in ("closed", "planned", "decided"):
        line = table_of("cycle_line")
        frozen = run.execute(select(func.count()).where(line.cycle == shown["cycle"])).scalar()
        assert sum(row["lines"] for row in rows) == frozen, f"{frozen} lines are frozen: {shown}"
