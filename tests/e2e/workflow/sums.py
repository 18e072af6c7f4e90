"""What lots, places and call-offs come to, added up from their parts: for random walks."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from tests.e2e.workflow.model import BUYING, FROZEN, rows_of


def check_sums(run: Connection) -> None:
    """Lots, places in them and call-offs are what their parts come to."""
    lines: dict[Any, list[int]] = {}
    for lot, code, stands, *amounts in rows_of(
        run, "tender_line", "lot", "participant", "stands", "quantity", "quantity_low", "quantity_high"
    ):
        for key in ((lot, code), *([lot] if stands else [])):
            lines[key] = [one + more for one, more in zip(lines.get(key, [0, 0, 0]), amounts)]
    places = rows_of(run, "tender_member_lot")
    for place in places:
        summed, held = lines.get((place.lot, place.participant), [0, 0, 0]), list(place[4:7])
        assert held == summed, f"{place.participant} in lot {place.lot}: {held}, its lines {summed}"
    called = _called_off(run)
    for lot in rows_of(run, "tender_lot"):
        assert lot.quantity == lines.get(lot.id, [0])[0], f"lot {lot.id}: {lot.quantity}, its lines {lines.get(lot.id)}"
        bought = [place for place in places if place.lot == lot.id and place.estimate_quantity is not None]
        if lot.estimate_quantity is None:
            assert not bought, f"lot {lot.id} has no estimate, and {len(bought)} of its buyers have"
            continue
        for name in ("estimate_quantity", "estimate_value_minor"):
            summed = sum(getattr(place, name) for place in bought)
            assert getattr(lot, name) == summed, f"lot {lot.id}: {name} {getattr(lot, name)}, its buyers' {summed}"
        most = sum(place.maximum_quantity for place in bought)
        assert lot.estimate_quantity <= lot.maximum_quantity <= most, f"lot {lot.id}: {lot.maximum_quantity} of {most}"
        for each in (*bought, lot):
            done = called.get((lot.id, getattr(each, "participant", None)), (0, 0))
            _check_within(each, done)


def _check_within(fixed: Any, done: tuple[int, int]) -> None:
    assert fixed.estimate_quantity <= fixed.maximum_quantity, f"{fixed}"
    assert done[0] <= fixed.maximum_quantity, f"{done[0]} are called off of {fixed.maximum_quantity}: {fixed}"
    assert (done[1] + 5_000) // 10_000 <= fixed.maximum_value_minor, f"EUR {done[1]} micro are called off: {fixed}"


def _called_off(run: Connection) -> dict[tuple[int, str | None], tuple[int, int]]:
    """Quantity and value by lot and whoever holds the place now; under None those of the whole lot."""
    held = {(lot, code) for lot, code in rows_of(run, "tender_member_lot", "lot", "participant")}
    after = dict(tuple(row) for row in rows_of(run, "participant", "code", "successor"))
    found: dict[tuple[int, str | None], tuple[int, int]] = {}
    for lot, code, quantity, value, gone in rows_of(
        run, "call_off", "lot", "participant", "quantity", "value_eur_micro", "cancelled_at"
    ):
        if gone is None:
            while (lot, code) not in held:
                code = after[code]
            for key in ((lot, code), (lot, None)):
                before = found.get(key, (0, 0))
                found[key] = before[0] + quantity, before[1] + value
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What a buyer may call off of a lot still, and all buyers together. ``buys``: whether it has a maximum."""

    participant: str
    offer: str
    term_months: int
    left: int
    lot_left: int
    buys: bool


def places(run: Connection, tender: UUID) -> list[Place]:
    """Of each buyer of a tender and each lot; of one that is not frozen what might be."""
    done, lots = _called_off(run), {row.id: row for row in rows_of(run, "tender_lot")}
    found = []
    for place in rows_of(run, "tender_member_lot"):
        if place.tender == tender:
            lot = lots[place.lot]
            left = (place.maximum_quantity or 0) - done.get((lot.id, place.participant), (0, 0))[0]
            lot_left = (lot.maximum_quantity or 0) - done.get((lot.id, None), (0, 0))[0]
            found.append(
                Place(place.participant, lot.offer, lot.term_months, left, lot_left, place.maximum_quantity is not None)
            )
    return sorted(found, key=lambda each: (each.participant, each.offer))


def effect(run: Connection) -> tuple[int, int]:
    """What was called off, and what was estimated, of agreements that are bought under: EUR cents."""
    buying = {
        row.id
        for row in rows_of(run, "tender", "id", "status", "depth")
        if row.status in FROZEN and row.depth in BUYING
    }
    calls = rows_of(run, "call_off", "tender", "value_eur_micro", "cancelled_at")
    micro = sum(value for tender, value, gone in calls if gone is None and tender in buying)
    lots = rows_of(run, "tender_lot", "tender", "estimate_value_minor")
    return micro // 10_000, sum(value or 0 for tender, value in lots if tender in buying)
