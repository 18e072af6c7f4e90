"""One scenario of a cycle's grid becomes the cycle's proposal, and what stands of it stays in the next grid."""

from pooling.working import HANDLERS
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.conftest import here
from tests.pooling.planning.given import POLICY
from tests.pooling.tenders.conftest import CYCLE, Round, planned

__all__ = ["here", "planned"]


def test_one_scenario_is_made_the_cycles_proposal(planned: Round, here: None) -> None:
    world, kinds = planned, {"planning.scenarios": HANDLERS["planning.scenarios"]}
    asked = world.planner.post(
        f"/v1/cycles/{CYCLE}/scenarios",
        json={"name": "grid", "policy": POLICY, "grid": {"min_participants": [2, 9]}, "time_limit_s": 60},
    )
    assert asked.status_code == 202, asked.text
    assert asked.json()["cycle"] == CYCLE
    work_all(world.api.engine, kinds, now=world.api.clock.now)
    address = f"/v1/scenarios/{asked.json()['id']}/plans"
    stored = [world.planner.post(address, json={"number": number}).json()["plan"] for number in (0, 1)]
    made = world.propose(stored[0])
    assert made.status_code == 201, made.text
    (tender,) = made.json()["tenders"]
    assert world.tender(tender)["plan"] == stored[0]
    again = world.propose(stored[1])
    assert (again.json()["tenders"], again.json()["replaced"]) == ([], [tender])
    unknown = world.planner.post("/v1/cycles/none/scenarios", json={"name": "x", "grid": {"a": [1]}})
    assert unknown.status_code == 404
