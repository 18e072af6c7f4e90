"""What is left of a lot for all buyers together, asked after by one of them: no answer tells, however it asks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pooling.agreements import holding
from pooling.tenders import succession
from pooling.transactions import written
from tests.pooling.agreements.given import Bought, LotGiven
from tests.pooling.agreements.test_call_offs import Agreed, agreed
from tests.pooling.api_client import Api, RoleClient, api

DK = "DK-82"
SHARED = LotGiven({"SE-M": Bought(500_000, 1_290_000), DK: Bought(100_000, 240_000)}, maximum=1_300_000)
"""SE-M may have 1 290 000 and DK-82 240 000, together 1 300 000."""
LEFT = (10_000, 17_000, 60_001, 119_999, 120_000, 150_000, 200_000, 239_999)
HELD, FULL, DONE = (409, "planner-needed"), (409, "maximum-reached"), (201, None)
Attack = Callable[[Agreed], list[Any]]


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as made:
        yield made


def said(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


def cancel(made: httpx.Response, by: RoleClient) -> httpx.Response:
    body, version = {"reason": "ordered twice"}, {"If-Match": made.headers["ETag"]}
    return by.post(f"{made.headers['Location']}/cancel", json=body, headers=version)


def bisect(world: Agreed) -> list[Any]:
    """A buyer looks for what is left: it orders, takes back, and orders more or less. All that it is answered."""
    low, high, answers = 0, 240_000, list[Any]()
    while low < high:
        asked = (low + high + 1) // 2
        made = world.call(asked, code=DK)
        answers.append(said(made))
        if made.status_code == 201:
            low = asked
            answers.append(said(cancel(made, world.buyer(DK))))
        else:
            high = asked - 1
    return answers


def twice(world: Agreed) -> list[Any]:
    """Once more after a planner has entered an order, and so set the buyer free."""
    first = bisect(world)
    assert said(world.call(1, code=DK, client=world.planner)) == DONE
    return [*first, *bisect(world)]


def attacked(app: Api, ask: Attack) -> set[str]:
    """What the attack is answered, by how much others have left: the answers that differ."""
    found = set()
    for left in LEFT:
        world = agreed(app, lot=SHARED)
        assert said(world.call(1_300_000 - left)) == DONE
        found.add(str(ask(world)))
    return found


@pytest.mark.parametrize(("ask", "most"), [(bisect, 2), (twice, 4)])
def test_ordering_and_taking_back_learns_one_comparison_for_each_release(app: Api, ask: Attack, most: int) -> None:
    assert len(attacked(app, ask)) <= most


def test_the_attack_finds_what_is_left_where_nobody_is_held(app: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "hold", lambda *_, **__: None)
    assert len(attacked(app, bisect)) == len(LEFT)


@pytest.mark.parametrize("left", [12_345, 100_000])
def test_who_orders_until_it_is_refused_has_bought_what_it_learned(app: Api, left: int) -> None:
    """It cannot take back by itself what it ordered to find out; a planner can."""
    world = agreed(app, lot=SHARED)
    assert said(world.call(1_300_000 - left)) == DONE
    orders = []
    while said(made := world.call(5_000, code=DK)) == DONE:
        orders.append(made)
    assert (len(orders), said(made)) == (left // 5_000, FULL)
    assert "ask a planner" in made.json()["detail"]
    assert {said(cancel(each, world.buyer(DK))) for each in orders} == {HELD}
    assert (world.left(DK)["held"], world.left(DK)["called_off_quantity"]) == (True, 5_000 * len(orders))
    assert said(world.call(1, code=DK)) == HELD
    assert said(world.call(240_001, code=DK)) == FULL, "its own maximum it knows"
    assert cancel(orders[0], world.planner).status_code == 200
    assert said(world.call(1, code=DK)) == HELD
    assert said(world.call(1, code=DK, client=world.planner)) == DONE
    assert (world.left(DK)["held"], said(world.call(1, code=DK))) == (False, DONE)
    assert not world.left()["held"]


def test_many_questions_at_once_are_one(app: Api) -> None:
    world = agreed(app, lot=SHARED)
    assert said(world.call(1_200_000)) == DONE
    world.buyer(DK)
    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(lambda number: said(world.call(110_000 + number, code=DK)), range(6)))
    assert sorted(answers) == sorted([FULL, *[HELD] * 5])


def test_what_a_planner_is_refused_or_takes_back_holds_nobody(app: Api) -> None:
    world = agreed(app, lot=SHARED)
    assert said(world.call(1_200_000)) == DONE
    refused = world.call(100_001, code=DK, client=world.planner)
    assert (said(refused), "100000 H87" in refused.json()["detail"]) == (FULL, True)
    made = world.call(100_000, code=DK)
    assert (said(made), cancel(made, world.planner).status_code) == (DONE, 200)
    assert said(world.call(50_000, code=DK)) == DONE


def test_where_each_buyer_has_its_own_nobody_is_held(app: Api) -> None:
    """A lot has room for whatever its buyers have left: nothing can be asked."""
    world = agreed(app)
    made = world.call(100_000, code=DK)
    assert cancel(made, world.buyer(DK)).status_code == 200
    assert said(world.call(240_000, code=DK)) == DONE


def test_a_successor_is_held_as_who_was_there_before(app: Api) -> None:
    """DK-84 passes to DK-OST on 1 January 2027."""
    buyers = {"SE-M": Bought(500_000, 1_290_000), "DK-84": Bought(100_000, 240_000)}
    world = agreed(app, lot=LotGiven(buyers, maximum=1_300_000))
    assert said(world.call(1_290_000)) == DONE
    assert said(world.call(10_001, code="DK-84")) == FULL
    app.clock.now = datetime(2027, 1, 2, tzinfo=UTC)
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        succession.succeed(opened.session, "DK-84", "DK-OST", now=app.clock.now)
    assert (world.left("DK-OST")["held"], said(world.call(1, code="DK-OST"))) == (True, HELD)
    assert said(world.call(1, code="DK-OST", client=world.planner)) == DONE
    assert said(world.call(1, code="DK-OST")) == DONE
