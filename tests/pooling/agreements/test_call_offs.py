"""Call-offs over HTTP: up to the maximum and not beyond, warned of in time, one at a time, taken back, taken over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from pooling.agreements import jobs, taking_over
from pooling.database import reading, transaction
from pooling.tenders import succession
from pooling.transactions import written
from tests.pooling.agreements.given import Bought, Given, LotGiven, agreement
from tests.pooling.api_client import Api, RoleClient, api
from tests.pooling.jobs.working import enqueued, work_all

OFFER = "gloves-green"
TWO = LotGiven({"SE-M": Bought(500_000), "DK-82": Bought(100_000)})


@dataclass(frozen=True, slots=True)
class Agreed:
    """A service with one agreement: SE-M and DK-82 buy gloves for two years; estimate 1 000 000 of SE-M's, a fifth
    more at most."""

    api: Api
    key: UUID

    @property
    def planner(self) -> RoleClient:
        return self.api.client("planner")

    def buyer(self, code: str = "SE-M") -> RoleClient:
        return self.api.client("coordinator", participants=[code])

    def call(
        self, quantity: int, *, code: str = "SE-M", client: RoleClient | None = None, **more: Any
    ) -> httpx.Response:
        body = {"participant": code, "offer": OFFER, "quantity": quantity, "reference": str(uuid4()), **more}
        return (client or self.buyer(code)).post(f"/v1/tenders/{self.key}/call-offs", json=body)

    def left(self, code: str = "SE-M") -> Any:
        shown = self.buyer(code).get(f"/v1/tenders/{self.key}/allowances")
        assert shown.status_code == 200, shown.text
        (mine,) = shown.json()["buyers"]
        return mine


def agreed(app: Api, *, lot: LotGiven = TWO, **more: Any) -> Agreed:
    with transaction(app.engine) as session:
        return Agreed(app, agreement(session, Given((lot,), **more)))


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as made:
        yield made


def test_a_buyer_calls_off_up_to_its_maximum_and_no_unit_beyond(app: Api) -> None:
    """1 200 000 at the most; the warning comes with 80 % of 1 000 000, and above it."""
    world = agreed(app)
    assert world.left()["left_quantity"] == 1_200_000
    said = [world.call(quantity) for quantity in (799_999, 1, 200_000, 1, 199_999)]
    assert [each.status_code for each in said] == [201] * 5
    standings = ["within", "near-estimate", "near-estimate", "above-estimate", "maximum-reached"]
    assert [each.json()["allowance"]["standing"] for each in said] == standings
    assert [each.json()["warning"] is None for each in said] == [True, False, False, False, False]
    refused = world.call(1)
    assert (refused.status_code, refused.json()["code"]) == (409, "maximum-reached")
    assert "SE-M has 0 H87 and EUR 0.00 left" in refused.json()["detail"]
    mine = world.left()
    assert (mine["called_off_quantity"], mine["left_quantity"]) == (1_200_000, 0)
    assert (mine["called_off_value_eur"], mine["left_value_eur"]) == ("60000.00", "0.00")
    assert world.call(240_000, code="DK-82").status_code == 201


def test_a_refusal_says_what_is_left_and_takes_nothing(app: Api) -> None:
    world = agreed(app)
    assert world.call(1_000_000).status_code == 201
    refused = world.call(200_001)
    assert "SE-M has 200000 H87 and EUR 10000.00 left" in refused.json()["detail"]
    assert world.left()["left_quantity"] == 200_000
    dear = world.call(1, value_eur="10000.01")
    assert (dear.status_code, dear.json()["code"]) == (409, "maximum-reached")
    assert world.call(1, value_eur="10000").status_code == 201
    assert world.left()["standing"] == "maximum-reached"


def test_the_lot_has_a_maximum_of_its_own_and_others_figures_are_not_told(app: Api) -> None:
    """SE-M may have 1 200 000 and DK-82 240 000, together 1 300 000."""
    world = agreed(app, lot=LotGiven(TWO.buyers, maximum=1_300_000))
    assert world.call(1_200_000).status_code == 201
    refused = world.call(100_001, code="DK-82")
    assert (refused.status_code, refused.json()["code"]) == (409, "maximum-reached")
    assert "100000" not in refused.text
    assert "240000" in refused.text
    told = world.call(100_001, code="DK-82", client=world.planner)
    assert "100000 H87" in told.json()["detail"]
    assert world.call(100_000, code="DK-82", client=world.planner).status_code == 201
    lots = world.planner.get(f"/v1/tenders/{world.key}/allowances").json()["lots"]
    assert [(each["standing"], each["left_quantity"]) for each in lots] == [("maximum-reached", 0)]
    assert "lots" not in world.buyer().get(f"/v1/tenders/{world.key}/allowances").json()


@pytest.mark.parametrize(("code", "maximum", "calls"), [("SE-M", 1_200_000, 16), ("DK-82", 240_000, 8)])
def test_many_at_once_never_come_beyond_the_maximum(app: Api, code: str, maximum: int, calls: int) -> None:
    """Each wants two thirteenths of it: six have room, together and one by one."""
    world = agreed(app)
    part = maximum * 2 // 13
    world.buyer(code)
    with ThreadPoolExecutor(calls) as many:
        answers = list(many.map(lambda _: world.call(part, code=code), range(calls)))
    assert sorted(each.status_code for each in answers) == [201] * 6 + [409] * (calls - 6)
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"maximum-reached"}
    assert world.left(code)["called_off_quantity"] == 6 * part
    with reading(app.engine) as session:
        summed = session.connection().execute(text("SELECT sum(quantity) FROM call_off")).scalar()
    assert summed == 6 * part


def test_only_between_start_and_end_where_the_cycle_is_run(app: Api) -> None:
    """From 1 November 2026 for 24 months, by the days of Copenhagen; none is entered before it is made."""
    world = agreed(app)
    cases: list[tuple[datetime, str | None, int]] = [
        (datetime(2026, 10, 31, 22, 59, tzinfo=UTC), None, 422),
        (datetime(2026, 10, 31, 23, 0, tzinfo=UTC), None, 201),
        (datetime(2028, 10, 31, 22, 59, tzinfo=UTC), None, 201),
        (datetime(2028, 10, 31, 23, 0, tzinfo=UTC), None, 422),
        (datetime(2028, 11, 1, tzinfo=UTC), "2028-10-31", 201),
        (datetime(2026, 11, 22, 12, tzinfo=UTC), "2026-11-23", 422),
        (datetime(2026, 11, 22, 12, tzinfo=UTC), "2026-10-31", 422),
    ]
    for now, made_on, status in cases:
        app.clock.now = now
        app._accounts.clear()  # a key is good for less than two years
        answer = world.call(10, **({} if made_on is None else {"made_on": made_on}))
        assert answer.status_code == status, (now, made_on, answer.text)
        if status == 422:
            assert answer.json()["errors"][0]["pointer"] == "#/made_on"


@pytest.mark.parametrize("change", [{"status": "confirmed"}, {"depth": "criteria"}])
def test_nothing_is_called_off_where_there_is_no_agreement(app: Api, change: dict[str, Any]) -> None:
    world = agreed(app, **change)
    answer = world.call(10)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-state")


def test_whoever_is_no_buyer_finds_nothing(app: Api) -> None:
    world = agreed(app)
    outside = world.buyer("SE-AB")
    assert world.call(10, client=outside).status_code == 404
    assert outside.get(f"/v1/tenders/{world.key}/allowances").status_code == 404
    assert world.call(10, code="DK-82", client=world.buyer("SE-M")).status_code == 404
    assert world.call(10, code="SE-AB", client=world.planner).status_code == 404
    assert world.call(10, offer="another").status_code == 404
    assert world.call(0).status_code == 400
    assert world.call(1, value_eur="1.005").status_code == 400
    made = world.call(10).json()["call_off"]["id"]
    assert world.buyer("DK-82").get(f"/v1/call-offs/{made}").status_code == 404
    assert world.buyer("DK-82").get("/v1/call-offs").json()["items"] == []
    machine = app.client("partner", participants=["SE-M"], scopes=["pools:read"])
    assert world.call(10, client=machine).status_code == 403
    assert (
        world.call(10, client=app.client("partner", participants=["SE-M"], scopes=["pools:review"])).status_code == 201
    )


def test_a_call_off_is_taken_back_once_and_makes_room_again(app: Api) -> None:
    world = agreed(app)
    made = world.call(1_200_000, reference="4711")
    address = made.headers["Location"]
    again = world.call(1, reference="4711")
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    etag = {"If-Match": made.headers["ETag"]}
    assert world.buyer().post(f"{address}/cancel", json={"reason": "ordered twice"}).status_code == 428
    done = world.buyer().post(f"{address}/cancel", json={"reason": "ordered twice"}, headers=etag)
    assert (done.status_code, done.json()["cancel_reason"], done.json()["version"]) == (200, "ordered twice", 2)
    assert world.buyer().post(f"{address}/cancel", json={"reason": "x"}, headers=etag).status_code == 412
    late = {"If-Match": done.headers["ETag"]}
    assert world.planner.post(f"{address}/cancel", json={"reason": "x"}, headers={"If-Match": "*"}).status_code == 409
    assert world.buyer().post(f"{address}/cancel", json={"reason": "x"}, headers=late).status_code == 409
    assert world.left()["left_quantity"] == 1_200_000
    assert world.buyer().get("/v1/call-offs").json()["items"] == []
    assert [each["id"] for each in world.buyer().get("/v1/call-offs?cancelled=true").json()["items"]] == [
        done.json()["id"]
    ]
    assert world.call(7, reference="4711").status_code == 201


def test_warnings_are_told_once_to_the_buyer_and_to_planners(app: Api) -> None:
    world = agreed(app)
    for quantity in (800_000, 10_000, 250_000):
        assert world.call(quantity).status_code == 201
    with reading(app.engine) as session:
        rows = session.connection().execute(
            text("SELECT audience, facts, subject_id FROM notice ORDER BY created_at, key")
        )
        told = [(row.audience, str(row.facts)) for row in rows]
    buyers = [facts for audience, facts in told if audience == "participant:SE-M"]
    assert len(buyers) == 2
    assert "near-estimate" in buyers[0] + buyers[1]
    assert "above-estimate" in buyers[0] + buyers[1]
    assert len([1 for audience, _ in told if audience == "planners"]) == 3  # the lot came near its estimate too
    assert not [1 for audience, _ in told if "DK-82" in audience]
    shown = [each["text"] for each in world.planner.get("/v1/notices").json()["items"]]
    assert sum(" by SE-M from " in each for each in shown) == 2, "planners are told whose mark it is"
    assert sum(" by all buyers together from " in each for each in shown) == 1


def test_what_is_done_is_in_audit_and_feed(app: Api) -> None:
    world = agreed(app)
    made = world.call(10)
    world.buyer().post(f"{made.headers['Location']}/cancel", json={"reason": "x"}, headers={"If-Match": "*"})
    key = made.json()["call_off"]["id"]
    with reading(app.engine) as session:
        done = session.connection().execute(
            text("SELECT operation FROM audit_entry WHERE resource_type = 'call_off' ORDER BY position")
        )
        assert list(done.scalars()) == ["call-offs.create", "call-offs.cancel"]
        fed = session.connection().execute(
            text("SELECT resource_id, version, action FROM feed_entry WHERE type = 'call_off'")
        )
        assert [tuple(row) for row in fed] == [(key, "1", "created"), (key, "2", "updated")]


def test_a_successor_takes_call_offs_over_with_the_place(app: Api) -> None:
    """DK-84 passes to DK-OST on 1 January 2027; what it called off counts against its successor's maximum, before and
    after the call-offs are given to it."""
    world = agreed(app, lot=LotGiven({"DK-84": Bought(100_000), "SE-M": Bought(500_000)}))
    assert world.call(200_000, code="DK-84").status_code == 201
    app.clock.now = datetime(2027, 1, 2, tzinfo=UTC)
    with written(app.engine, actor=None, now=app.clock.now) as opened:
        assert succession.succeed(opened.session, "DK-84", "DK-OST", now=app.clock.now) == [world.key]
    assert world.call(40_001, code="DK-OST").status_code == 409
    with reading(app.engine) as session:
        assert len(taking_over.to_take_over(session)) == 1
    for expected in (1, 0):
        with written(app.engine, actor=None, now=app.clock.now) as opened:
            assert len(taking_over.take_over(opened.session)) == expected
    (shown,) = world.buyer("DK-OST").get("/v1/call-offs").json()["items"]
    assert (shown["participant"], shown["placed_as"], shown["version"]) == ("DK-OST", "DK-84", 2)
    assert world.call(40_001, code="DK-OST").status_code == 409
    assert world.call(40_000, code="DK-OST").status_code == 201
    enqueued(app.engine, "agreements.take-over", now=app.clock.now)
    assert work_all(app.engine, jobs.HANDLERS, now=app.clock.now + timedelta(hours=1)) == 1


def test_a_predecessor_with_a_place_of_its_own_calls_off_from_that_one_alone(app: Api) -> None:
    """DK-84 has a successor named, DK-OST, and is there until 2027: nothing of it counts, or shows, for the other."""
    world = agreed(app, lot=LotGiven({"DK-84": Bought(100_000), "DK-OST": Bought(100_000)}))
    assert world.call(200_000, code="DK-84", reference="same").status_code == 201
    assert world.left("DK-OST")["called_off_quantity"] == 0
    assert world.call(240_000, code="DK-OST", reference="same").status_code == 201
    assert world.left("DK-84")["left_quantity"] == 40_000
