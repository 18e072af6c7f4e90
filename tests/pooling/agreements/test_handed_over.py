"""A tender that went all the way through the API: its buyers call off, and the effect is theirs."""

from datetime import UTC, datetime

import pytest

from pooling.database import reading
from pooling.invariants.commands import CHECKS
from tests.pooling.tenders.conftest import MEMBERS, Round, planned

__all__ = ["planned"]


def test_from_the_hand_over_to_the_effect(planned: Round) -> None:
    world, key = planned, planned.confirmed()
    body = {"participant": "SE-M", "offer": "gloves-green", "quantity": 1, "reference": "1"}
    path = f"/v1/tenders/{key}/call-offs"
    assert world.coordinator("SE-M").post(path, json=body).json()["code"] == "wrong-state"
    assert world.do(key, "hand-over").status_code == 200
    agreed = world.planner.get(f"/v1/tenders/{key}/allowances").json()
    buyers = {each["participant"]: each for each in agreed["buyers"]}
    assert set(buyers) == set(MEMBERS)
    (lot,) = agreed["lots"]
    assert sum(each["estimate_quantity"] for each in buyers.values()) == lot["estimate_quantity"]
    assert all(each["maximum_quantity"] >= each["estimate_quantity"] for each in buyers.values())
    assert world.coordinator("SE-M").post(path, json=body).json()["errors"][0]["code"] == "out-of-range"

    start = datetime.fromisoformat(lot["starts_on"]).replace(tzinfo=UTC, hour=12)
    world.api.clock.now = start
    world.api._accounts.clear()  # their keys have ended by then
    most = buyers["SE-M"]["maximum_quantity"]
    said = []
    for number, quantity in enumerate((most - 1, 2, 1, 1)):
        answer = world.coordinator("SE-M").post(path, json={**body, "quantity": quantity, "reference": str(number)})
        said.append(answer.json().get("code"))
    assert said == [None, "maximum-reached", None, "maximum-reached"]
    shown = world.planner.get("/v1/effect?by=participant").json()
    assert {row["key"] for row in shown["rows"]} == set(MEMBERS)
    by_key = {row["key"]: row for row in shown["rows"]}
    assert by_key["SE-M"]["called_off"]["quantities"] == [{"unit": lot["unit"], "quantity": most}]
    for code, buyer in buyers.items():
        (units,) = by_key[code]["planned"]["quantities"]
        assert units["quantity"] == buyer["estimate_quantity"]
        assert by_key[code]["planned"]["spend_eur"] == pytest.approx(float(buyer["estimate_value_eur"]), abs=0.01)
    with reading(world.api.engine) as session:
        for name in ("tenders", "call-offs"):
            assert list(CHECKS[name](session)) == []
