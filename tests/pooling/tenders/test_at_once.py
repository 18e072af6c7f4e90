"""Several at the same tender at once: one outcome each, losers are told so, nothing is lost."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import httpx

from pooling.database import reading
from pooling.invariants.ledgers import audit, changes
from tests.pooling.tenders.conftest import MEMBERS, Round

Ask = Callable[[], httpx.Response]
ROUNDS = 6


def together(asks: Sequence[Ask]) -> list[httpx.Response]:
    """All at once, as far as threads can."""
    barrier = Barrier(len(asks))

    def one(ask: Ask) -> httpx.Response:
        barrier.wait()
        return ask()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(one, asks))


def sound(planned: Round) -> None:
    with reading(planned.api.engine) as session:
        assert [*audit(session), *changes(session)] == []


def test_two_planners_decide(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    for number in range(ROUNDS):
        etag = planned.planner.get(f"/v1/tenders/{key}").headers["ETag"]

        path, headers = f"/v1/tenders/{key}", {"If-Match": etag}
        words = (f"one {number}", f"two {number}")
        asks = [partial(planned.planner.patch, path, json={"note": word}, headers=headers) for word in words]
        found = together(asks)
        assert sorted(each.status_code for each in found) == [200, 412]
        winner = next(each for each in found if each.status_code == 200)
        assert planned.tender(key)["note"] == winner.json()["note"]
    sent: dict[str, Any] = {"json": {"reason": "x"}, "headers": {"If-Match": "*"}}
    paths = [f"/v1/tenders/{key}/{step}" for step in ("reject", "review")]
    found = together([partial(planned.planner.post, path, **sent) for path in paths])
    assert [each.status_code for each in found] in ([200, 409], [200, 200])  # reviewed first, then rejected: both
    assert planned.tender(key)["status"] == "rejected"
    sound(planned)


def test_all_members_answer_at_once_and_nothing_is_lost(planned: Round) -> None:
    key = planned.invited()
    for word in ("commit", "change"):
        body: dict[str, Any] = {"answer": word} | ({"change": {"start": "2028-09"}} if word == "change" else {})
        asks = []
        for code in MEMBERS:
            client, path = planned.coordinator(code), f"/v1/tenders/{key}/answers/{code}"
            etag = client.get(path).headers["ETag"]
            asks.append(partial(client.put, path, json=body, headers={"If-Match": etag}))
        assert [each.status_code for each in together(asks)] == [200] * len(MEMBERS)
        kept = {each["answer"] for each in planned.tender(key)["members"]}
        assert kept == {"committed" if word == "commit" else "change-proposed"}
    history = planned.planner.get(f"/v1/tenders/{key}/history").json()["items"]
    assert [each["what"] for each in history].count("answered") == 2 * len(MEMBERS)
    sound(planned)


def test_two_coordinators_of_one_member_answer(planned: Round) -> None:
    key = planned.invited()
    path = f"/v1/tenders/{key}/answers/SE-M"
    clients = [planned.coordinator("SE-M"), planned.coordinator("SE-M", "SE-AB")]
    bodies: list[dict[str, Any]] = [{"answer": "commit"}, {"answer": "decline", "reason": "x"}]
    for _ in range(ROUNDS):
        etag = clients[0].get(path).headers["ETag"]

        headers = {"If-Match": etag}
        pairs = zip(clients, bodies, strict=True)
        found = together([partial(client.put, path, json=body, headers=headers) for client, body in pairs])
        assert sorted(each.status_code for each in found) == [200, 412]
        winner = next(each for each in found if each.status_code == 200)
        assert clients[0].get(path).json()["answer"] == winner.json()["answer"]


def test_two_proposals_at_once_make_one_set_of_tenders(planned: Round) -> None:
    etag = planned.planner.get("/v1/cycles/spring").headers["ETag"]
    body = {"plan": str(planned.plan)}
    ask = partial(planned.planner.post, "/v1/cycles/spring/proposal", json=body, headers={"If-Match": etag})
    found = together([ask, ask])
    assert sorted(each.status_code for each in found) == [201, 412]
    assert len(planned.planner.get("/v1/tenders?cycle=spring").json()["items"]) == 1
