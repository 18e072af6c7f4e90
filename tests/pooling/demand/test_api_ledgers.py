"""Every write of demand and market is announced and entered: nothing changes without the feed and the audit."""

from typing import Any

import pytest
from sqlalchemy import text

from pooling.database import reading
from tests.pooling.access.samples.market import SAID, offer_body
from tests.pooling.api_client import Api
from tests.pooling.demand.api_world import app, confirmed, csv, forecast, looked_at, send, work
from tests.pooling.feed_watch import watched

__all__ = ["app"]
FORECAST = "/v1/forecasts/erp/A"
WORDS = 'name = "words"\nbase = "headers"\n'


def rows(app: Api, statement: str) -> list[tuple[Any, ...]]:
    with reading(app.engine) as session:
        return [tuple(row) for row in session.connection().execute(text(statement))]


def etag(answer: Any) -> dict[str, str]:
    return {"If-Match": answer.headers["ETag"]}


def test_forecasts_are_announced_and_entered(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    with watched(app.engine):
        made = client.put(FORECAST, json=forecast())
    with watched(app.engine):
        done = client.put(FORECAST, json=forecast(quantity=5), headers=etag(made))
    with watched(app.engine):
        client.post("/v1/forecasts", json={"source": "erp", "lines": [forecast(external_id="B")]})
    with watched(app.engine):
        assert client.delete(FORECAST, headers=etag(done)).status_code == 204
    found = rows(app, "SELECT action, version FROM feed_entry WHERE type = 'forecast' ORDER BY position")
    assert found == [("created", "1"), ("updated", "2"), ("created", "1"), ("deleted", "3")]
    entered = rows(
        app, "SELECT operation, resource_type FROM audit_entry WHERE operation LIKE '%s.%' ORDER BY position"
    )
    assert ("forecasts.delete", "forecast") in entered
    assert entered.count(("submissions.load", "submission")) == 3


def test_uploads_and_submissions_are_announced_and_entered(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    with watched(app.engine):
        sent = send(client, csv({}))
    with watched(app.engine):
        work(app)
    path = f"/v1/uploads/{sent.json()['id']}"
    with watched(app.engine):
        client.post(f"{path}/confirm", json={}, headers=etag(client.get(path)))
    with watched(app.engine):
        work(app)
    submission = f"/v1/submissions/{client.get(path).json()['submission']}"
    with watched(app.engine):
        assert client.post(f"{submission}/withdraw", headers=etag(client.get(submission))).status_code == 200
    other = looked_at(app, client, csv({}), series="other")
    with watched(app.engine):
        assert client.delete(f"/v1/uploads/{other.json()['id']}", headers=etag(other)).status_code == 204
    told = rows(app, "SELECT type, action FROM feed_entry WHERE type IN ('upload', 'submission') ORDER BY position")
    assert told.count(("submission", "created")) == 1
    assert told[-1] == ("upload", "deleted")
    entered = {operation for (operation,) in rows(app, "SELECT operation FROM audit_entry")}
    assert entered >= {
        "uploads.create",
        "uploads.confirm",
        "uploads.discard",
        "submissions.load",
        "submissions.withdraw",
    }


def test_mappings_offers_and_dialogues_are_announced_and_entered(app: Api) -> None:
    client = app.client("planner")
    with watched(app.engine):
        mapping = client.put("/v1/mappings/words", json={"document": WORDS})
    with watched(app.engine):
        assert client.delete("/v1/mappings/words", headers=etag(mapping)).status_code == 204
    with watched(app.engine):
        talk = client.post("/v1/dialogues", json=SAID)
    with watched(app.engine):
        client.put(f"/v1/dialogues/{talk.json()['id']}", json={**SAID, "learnt": "more"}, headers=etag(talk))
    with watched(app.engine):
        offer = client.put("/v1/offers/a", json=offer_body())
    with watched(app.engine):
        pointing = client.put("/v1/offers/a", json=offer_body(dialogues=[talk.json()["id"]]), headers=etag(offer))
    with watched(app.engine):
        assert client.post("/v1/offers/a/withdraw", headers=etag(pointing)).status_code == 200
    entered = {operation for (operation,) in rows(app, "SELECT operation FROM audit_entry")}
    assert entered >= {"mappings.write", "mappings.delete", "dialogues.create", "dialogues.write", "offers.withdraw"}


def test_reading_anothers_figures_is_entered_and_ones_own_is_not(app: Api) -> None:
    owner = app.client("coordinator", participants=["SE-M"])
    confirmed(app, owner, looked_at(app, owner, csv({})))
    owner.get("/v1/lines")
    assert rows(app, "SELECT operation FROM read_entry") == []
    app.client("planner").get("/v1/lines")
    (entry,) = rows(app, "SELECT operation, participants FROM read_entry")
    assert entry[0] == "lines.list"
    assert "SE-M" in str(entry[1])


@pytest.mark.parametrize("kind", ["participants", "categories", "criteria", "signing-bodies"])
def test_reference_data_is_announced(app: Api, kind: str) -> None:
    from tests.pooling.reference.test_api import BODIES, NAMES

    client = app.client("administrator")
    with watched(app.engine):
        made = client.put(f"/v1/{kind}/{NAMES[kind]}", json=BODIES[kind])
    with watched(app.engine):
        done = client.put(f"/v1/{kind}/{NAMES[kind]}", json={**BODIES[kind], "name": "New"}, headers=etag(made))
    assert done.status_code == 200
