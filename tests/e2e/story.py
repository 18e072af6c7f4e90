"""What the story needs: a service with a clock, and all who send requests to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from pooling.jobs.context import Means
from pooling.jobs.worker import Worker
from pooling.working import HANDLERS, SCHEDULE
from tests.pooling.api_client import Api, Clock, RoleClient, api

BEGINS = datetime(2026, 3, 30, 9, tzinfo=UTC)


def got(answer: httpx.Response, status: int = 200) -> Any:
    """The body of an answer that must have this status."""
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """Why something was refused, in words."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    detail: str = answer.json()["detail"]
    return detail


@dataclass(slots=True)
class Story:
    """A service, its clock, and everybody who sends requests to it."""

    app: Api

    @property
    def planner(self) -> RoleClient:
        return self.app.client("planner")

    @property
    def auditor(self) -> RoleClient:
        return self.app.client("auditor")

    def coordinator(self, code: str) -> RoleClient:
        return self.app.client("coordinator", participants=[code])

    def system(self, code: str) -> RoleClient:
        """A partner system of one participant."""
        return self.app.client("partner", participants=[code])

    def until(self, year: int, month: int, day: int, hour: int = 8, minute: int = 0) -> None:
        """Time goes by (UTC): a worker does what is due by the schedule, and all that follows."""
        self.app.clock.now = datetime(year, month, day, hour, minute, tzinfo=UTC)
        self._worker().make_recurring()
        self.work()

    def work(self) -> None:
        """A worker does all that waits."""
        worker = self._worker()
        while worker.work_once(set(HANDLERS)):
            pass

    def _worker(self) -> Worker:
        now = self.app.clock.now
        return Worker(Means(self.app.engine, clock=lambda: now, lease_clock=lambda _: now), HANDLERS, SCHEDULE)

    def changes(self, client: RoleClient, path: str, step: str, **body: Any) -> httpx.Response:
        """A step on a resource as it is now."""
        etag = client.get(path).headers["ETag"]
        return client.post(f"{path}/{step}", headers={"If-Match": etag}, **({"json": body} if body else {}))

    def looks_at(self, client: RoleClient, content: bytes, **fields: str) -> httpx.Response:
        """A file is sent, and read."""
        file = {"file": ("demand.csv", content, "text/csv")}
        sent = got(client.post("/v1/uploads", files=file, data=fields), 202)
        self.work()
        return client.get(f"/v1/uploads/{sent['id']}")

    def sends(self, client: RoleClient, content: bytes, **fields: str) -> dict[str, Any]:
        """A file is sent, looked at and confirmed; the submission it became."""
        upload = self.looks_at(client, content, **fields)
        assert upload.json()["preview"]["faults_found"] == upload.json()["preview"]["rows_waiting"] == 0, upload.text
        path = f"/v1/uploads/{upload.json()['id']}"
        got(client.post(f"{path}/confirm", json={}, headers={"If-Match": upload.headers["ETag"]}), 202)
        self.work()
        done = got(client.get(path))
        assert done["status"] == "loaded", done
        found: dict[str, Any] = got(client.get(f"/v1/submissions/{done['submission']}"))
        return found

    def plans(self, cycle: str) -> dict[str, Any]:
        """A run of the cycle's lines, done; its plan's pools by family."""
        run = got(self.planner.post(f"/v1/cycles/{cycle}/runs", json={"time_limit_s": 20}), 202)
        self.work()
        done = got(self.planner.get(f"/v1/runs/{run['id']}"))
        assert (done["status"], done["cycle"]) == ("succeeded", cycle), done
        items = got(self.planner.get(f"/v1/pools?plan={done['plan']}"))["items"]
        pools = [got(self.planner.get(f"/v1/pools/{each['id']}")) for each in items]
        return {"plan": done["plan"], "pools": {each["family"]: each for each in pools}}

    def proposes(self, cycle: str, plan: str) -> dict[str, Any]:
        """The plan becomes the cycle's proposal."""
        done: dict[str, Any] = got(self.changes(self.planner, f"/v1/cycles/{cycle}", "proposal", plan=plan), 201)
        return done

    def tender(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = got(self.planner.get(f"/v1/tenders/{key}"))
        return found

    def changes_tender(self, key: str, **changes: Any) -> httpx.Response:
        """A planner changes its lead, depth, lock or note."""
        etag = self.planner.get(f"/v1/tenders/{key}").headers["ETag"]
        return self.planner.patch(f"/v1/tenders/{key}", json=changes, headers={"If-Match": etag})

    def decides(self, key: str, step: str, **body: Any) -> httpx.Response:
        """A planner's step on a tender."""
        return self.changes(self.planner, f"/v1/tenders/{key}", step, **{"reason": "as agreed", **body})

    def answers(self, key: str, code: str, **said: Any) -> httpx.Response:
        """A coordinator reads the invitation and answers it."""
        client, path = self.coordinator(code), f"/v1/tenders/{key}"
        got(client.get(f"{path}/invitation"))
        etag = client.get(f"{path}/answers/{code}").headers["ETag"]
        return client.put(f"{path}/answers/{code}", json=said, headers={"If-Match": etag})

    def calls_off(self, key: str, code: str, quantity: int, *, by: RoleClient | None = None) -> httpx.Response:
        """A buyer's order of gloves, made by its own coordinator unless another is named."""
        body = {"participant": code, "offer": "gloves-green", "quantity": quantity, "reference": str(uuid4())}
        return (by or self.coordinator(code)).post(f"/v1/tenders/{key}/call-offs", json=body)

    def allowance(self, key: str, code: str) -> dict[str, Any]:
        """What a buyer may call off, and has."""
        (mine,) = got(self.coordinator(code).get(f"/v1/tenders/{key}/allowances"))["buyers"]
        found: dict[str, Any] = mine
        return found

    def kinds_of_notices(self, client: RoleClient) -> set[str]:
        return {each["kind"] for each in got(client.get("/v1/notices?limit=500"))["items"]}

    def audited(self) -> list[dict[str, Any]]:
        """The whole audit, page by page."""
        found, following = [], "/v1/audit?limit=500"
        while following:
            answer = self.auditor.get(following)
            found += got(answer)["items"]
            following = answer.links["next"]["url"] if "next" in answer.links else ""
        return found


@contextmanager
def told(database_url: str) -> Iterator[Story]:
    """The service at the beginning of the story; everybody has a key from the first day on."""
    with api(database_url, clock=Clock(BEGINS), with_reference=True) as app:
        yield Story(app)
