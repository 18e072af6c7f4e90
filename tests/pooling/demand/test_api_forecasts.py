"""Forecasts over HTTP: one line or many under ids of the sender's system, through the checks of a file's row."""

from typing import Any

import pytest
from sqlalchemy import text

from pooling.database import reading
from tests.pooling.api_client import Api
from tests.pooling.demand.api_world import app, forecast, work

__all__ = ["app"]
PATH = "/v1/forecasts/erp/A-1"


def lines(app: Api) -> list[tuple[Any, ...]]:
    """External id, quantity and whether it has ended, of every line."""
    with reading(app.engine) as session:
        found = session.connection().execute(text("SELECT external_id, quantity, ended_at FROM line ORDER BY id"))
        return [(row[0], row[1], row[2] is not None) for row in found]


def test_a_forecast_is_made_read_replaced_and_deleted(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    made = client.put(PATH, json=forecast())
    assert (made.status_code, made.headers["Location"]) == (201, PATH), made.text
    body = made.json()
    assert (body["version"], body["sent"]["quantity"], body["line"]["unit_price"]) == (1, 1000, "1.250000")
    assert body["line"]["provenance"]["original_price"] == "1.25"
    assert body["line"]["live"] is True
    assert client.get(PATH).json() == {**body, "warnings": []}
    etag = {"If-Match": made.headers["ETag"]}
    done = client.put(PATH, json=forecast(quantity=2000), headers=etag)
    assert (done.status_code, done.json()["version"], done.json()["line"]["quantity"]) == (200, 2, 2000)
    assert lines(app) == [("A-1", 1000, True), ("A-1", 2000, False)]
    old = client.get(f"/v1/lines/{body['line']['id']}").json()
    assert (old["live"], old["provenance"]["ended_at"] is not None) == (False, True)
    assert client.delete(PATH).status_code == 428
    assert client.delete(PATH, headers=etag).status_code == 412
    assert client.delete(PATH, headers={"If-Match": done.headers["ETag"]}).status_code == 204
    assert client.get(PATH).status_code == 404
    assert client.get("/v1/lines").json()["items"] == []
    again = client.put(PATH, json=forecast())
    assert (again.status_code, again.json()["version"]) == (201, 4)


def test_the_same_forecast_again_changes_nothing_and_another_needs_the_version(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])
    first = client.put(PATH, json=forecast())
    again = client.put(PATH, json=forecast())
    assert (again.status_code, again.json()["version"], again.headers["ETag"]) == (200, 1, first.headers["ETag"])
    assert client.put(PATH, json=forecast(quantity=5)).status_code == 428
    assert client.put(PATH, json=forecast(quantity=5), headers={"If-Match": '"9.x"'}).status_code == 412
    assert client.put("/v1/forecasts/erp/B", json=forecast(), headers={"If-Match": '"1.x"'}).status_code == 412
    assert lines(app) == [("A-1", 1000, False)]


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"participant": "SE-NONE"}, "participant", "unknown-participant"),
        ({"participant": "SE-H"}, "participant", "not-yours"),
        ({"category": "no such thing", "item_code": None}, "category", "unknown-category"),
        ({"unit": "barrow"}, "unit", "unknown-unit"),
        ({"unit": "pack"}, "pack_size", "unknown-pack"),
        ({"quantity": 0}, "quantity", "not-positive"),
        ({"unit_price": "0"}, "unit_price", "not-positive"),
        ({"quantity_low": 1001}, "quantity_low", "low-above-quantity"),
        ({"quantity": 10**12, "unit": "DZN"}, "quantity", "too-large"),
        ({"quantity": 10**12, "unit_price": "1000"}, "unit_price", "too-large"),
        ({"unit_price": "1000000001"}, "unit_price", "too-large"),
        ({"currency": "XXX"}, "currency", "unknown-currency"),
        ({"date": "2030-01-01"}, "date", "no-exchange-rate"),
        ({"price_basis": "inc-vat"}, "vat_rate", "missing-vat-rate"),
        ({"latest_start": "2027-01"}, "earliest_start", "window-reversed"),
        ({"required": ["no-such"]}, "required", "unknown-criterion"),
        ({"required": ["uhm-advanced"], "refused": ["uhm-basic"]}, "refused", "criteria-overlap"),
    ],
)
def test_a_fault_of_a_row_is_a_fault_here_with_its_place(
    app: Api, changes: dict[str, Any], place: str, code: str
) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    refused = client.put(PATH, json=forecast(**changes))
    assert (refused.status_code, refused.json()["code"]) == (422, "forecasts-refused"), refused.text
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [(f"#/{place}", code)]
    assert client.get(PATH).status_code == 404
    assert lines(app) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"unit_price": "1,25"},
        {"unit_price": "1.1234567"},
        {"unit_price": 1.25},
        {"quantity": -1},
        {"quantity": 1.5},
        {"quantity": 10**12 + 1},
        {"quantity_low": 10**12 + 1},
        {"quantity_high": 2 * 10**12 + 1},
        {"earliest_start": "2027-13"},
        {"colour": "green"},
        {"item_name": "x" * 201},
        {"required": ["x"] * 51},
        {"currency": "kr"},
    ],
)
def test_what_is_out_of_bounds_is_refused(app: Api, changes: dict[str, Any]) -> None:
    client = app.client("planner")
    assert client.put(PATH, json=forecast(**changes)).status_code == 400
    assert lines(app) == []


def test_another_participants_forecast_is_not_there(app: Api) -> None:
    owner = app.client("coordinator", participants=["SE-M"])
    made = owner.put(PATH, json=forecast())
    stranger = app.client("coordinator", participants=["SE-H"])
    etag = {"If-Match": made.headers["ETag"]}
    assert stranger.get(PATH).status_code == 404
    assert stranger.get("/v1/forecasts").json()["items"] == []
    assert stranger.put(PATH, json=forecast(participant="SE-H")).status_code == 404
    assert stranger.delete(PATH, headers=etag).status_code == 404
    assert stranger.get(f"/v1/lines/{made.json()['line']['id']}").status_code == 404
    assert owner.get(PATH).json()["version"] == 1
    assert [each["external_id"] for each in app.client("planner").get("/v1/forecasts").json()["items"]] == ["A-1"]


def test_who_sent_for_a_body_that_ends_sees_its_successors_line(app: Api) -> None:
    client = app.client("coordinator", participants=["DK-84"])
    made = client.put(PATH, json=forecast(participant="DK-84", currency="DKK"))
    assert (made.status_code, made.json()["line"]["participant"]) == (201, "DK-OST"), made.text
    assert [line["quantity"] for line in client.get("/v1/lines").json()["items"]] == [1000]
    other = app.client("coordinator", participants=["DK-85"])
    assert other.get("/v1/lines").json()["items"] == []


def bulk(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"source": "erp", "lines": list(lines), **more}


def test_many_forecasts_are_set_together_with_a_result_each(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])
    sent = bulk(forecast(external_id="A"), forecast(external_id="B", quantity=7))
    done = client.post("/v1/forecasts", json=sent)
    assert (done.status_code, done.json()["created"]) == (200, 2), done.text
    changed = bulk(forecast(external_id="A", version=1, quantity=5), forecast(external_id="B", quantity=7))
    again = client.post("/v1/forecasts", json=changed).json()
    assert [(each["status"], each["version"]) for each in again["results"]] == [("replaced", 2), ("unchanged", 1)]
    same = client.post("/v1/forecasts", json=bulk(forecast(external_id="B", quantity=7))).json()
    assert (same["submission"], same["unchanged"]) == (None, 1)
    assert lines(app) == [("A", 1000, True), ("B", 7, False), ("A", 5, False)]


def test_one_fault_refuses_them_all_unless_partial(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    sent = bulk(
        forecast(external_id="A"),
        forecast(external_id="B", quantity=0),
        forecast(external_id="A"),
        forecast(external_id="C", version=3),
    )
    refused = client.post("/v1/forecasts", json=sent)
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("#/lines/1/quantity", "not-positive"),
        ("#/lines/2/external_id", "duplicate"),
        ("#/lines/3/version", "precondition-failed"),
    ]
    assert lines(app) == []
    done = client.post("/v1/forecasts?partial=true", json=sent).json()
    assert [each["status"] for each in done["results"]] == ["created", "refused", "refused", "refused"]
    assert done["results"][1]["faults"][0]["pointer"] == "#/lines/1/quantity"
    assert lines(app) == [("A", 1000, False)]


def test_a_stored_mapping_explains_the_senders_words(app: Api) -> None:
    document = 'name = "erp words"\nbase = "headers"\n[categories.words]\n"Spruta" = "insulin-syringes"\n'
    assert app.client("planner").put("/v1/mappings/erp-words", json={"document": document}).status_code == 201
    client = app.client("coordinator", participants=["SE-M"])
    line = forecast(external_id="A", category="Spruta", item_code=None)
    assert client.post("/v1/forecasts", json=bulk(line)).status_code == 422
    done = client.post("/v1/forecasts", json=bulk(line, mapping="erp-words"))
    assert (done.status_code, done.json()["created"]) == (200, 1), done.text
    unknown = client.post("/v1/forecasts", json=bulk(line, mapping="none"))
    assert unknown.status_code == 404


def test_a_long_request_is_accepted_at_once_and_stored_by_a_job(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])
    many = [forecast(external_id=f"L{number}", quantity=number + 1) for number in range(501)]
    sent = client.post("/v1/forecasts", json=bulk(*many))
    assert (sent.status_code, sent.json()["status"]) == (202, "confirmed"), sent.text
    assert sent.headers["Location"] == f"/v1/operations/{sent.json()['operation']}"
    assert lines(app) == []
    assert work(app) == 1
    upload = client.get(f"/v1/uploads/{sent.json()['id']}").json()
    assert upload["status"] == "loaded"
    results = client.get(f"/v1/uploads/{sent.json()['id']}/report").json()["results"]
    assert (results["created"], len(results["results"]), len(lines(app))) == (501, 501, 501)


def test_a_client_may_ask_for_a_job_and_is_told_its_faults_there(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    sent = client.post(
        "/v1/forecasts", json=bulk(forecast(external_id="A", quantity=0)), headers={"Prefer": "respond-async"}
    )
    assert (sent.status_code, sent.headers["Preference-Applied"]) == (202, "respond-async")
    work(app)
    upload = client.get(f"/v1/uploads/{sent.json()['id']}").json()
    assert (upload["status"], upload["problem"]["code"]) == ("refused", "forecasts-refused")
    report = client.get(f"/v1/uploads/{sent.json()['id']}/report").json()
    assert [each["pointer"] for each in report["line_faults"]] == ["#/lines/0/quantity"]


def test_a_forecast_says_how_deep_it_goes(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])
    made = client.put("/v1/forecasts/erp/deep", json=forecast(depth="criteria"))
    assert (made.status_code, made.json()["line"]["depth"]) == (201, "criteria"), made.text
    assert client.put("/v1/forecasts/erp/other", json=forecast()).json()["line"]["depth"] is None
    assert client.put("/v1/forecasts/erp/wrong", json=forecast(depth="sea")).status_code == 400


def test_another_query_is_another_request(app: Api) -> None:
    client = app.client("partner", participants=["SE-M"])
    body = {
        "source": "erp",
        "lines": [{**forecast(), "external_id": "1"}, {**forecast(participant="SE-H"), "external_id": "2"}],
    }
    key = {"Idempotency-Key": "0123456789abcdef"}
    partial = client.post("/v1/forecasts?partial=true", json=body, headers=key)
    assert partial.status_code < 300, partial.text
    whole = client.post("/v1/forecasts", json=body, headers=key)
    assert (whole.status_code, whole.json()["code"]) == (422, "idempotency-key-reused")
    again = client.post("/v1/forecasts?partial=true", json=body, headers=key)
    assert (again.status_code, again.content, again.headers["idempotent-replayed"]) == (
        partial.status_code,
        partial.content,
        "true",
    )


def test_each_answer_with_others_figures_is_entered_also_one_that_is_given_again(app: Api) -> None:
    planner, auditor = app.client("planner"), app.client("auditor")
    key = {"Idempotency-Key": "0123456789abcdef"}
    answers = [planner.put(PATH, json=forecast(), headers=key) for _ in range(3)]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    found = auditor.get("/v1/audit/readings").json()["items"]
    assert [(each["operation"], each["participants"]) for each in found] == [("forecasts.write", ["SE-M"])] * 3
    assert {each["request_id"] for each in found} == {answer.headers["x-request-id"] for answer in answers}
    own = app.client("coordinator", participants=["SE-M"])
    for _ in range(2):
        own.put("/v1/forecasts/erp/B", json=forecast(), headers=key)
    assert auditor.get("/v1/audit/readings").json()["items"] == found


def test_an_answer_of_which_nobody_knows_whose_figures_it_shows_is_not_given_again(app: Api) -> None:
    planner = app.client("planner")
    key = {"Idempotency-Key": "0123456789abcdef"}
    planner.put(PATH, json=forecast(), headers=key)
    with app.engine.begin() as connection:
        connection.execute(text("UPDATE stored_response SET owners = NULL"))  # as one of an earlier version
    refused = planner.put(PATH, json=forecast(), headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-replayable")
    assert lines(app) == [("A-1", 1000, False)]


def test_a_head_of_others_figures_is_entered_as_the_get_is(app: Api) -> None:
    planner = app.client("planner")
    planner.put(PATH, json=forecast())
    head = planner.request("HEAD", PATH)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", planner.get(PATH).headers["etag"])
    found = app.client("auditor").get("/v1/audit/readings").json()["items"]
    assert [each["operation"] for each in found] == ["forecasts.write", "forecasts.read", "forecasts.read"]


@pytest.mark.parametrize("header", [{}, {"Authorization": ""}, {"Authorization": "Basic YTpi"}])
@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("PUT", PATH, b'{"a":1}'),
        ("PUT", PATH, b'{"participant":"' + b"a" * 9_900_000 + b'"}'),
        ("PUT", PATH, b"{"),
        ("POST", "/v1/forecasts?odd=1", b"{}"),
        ("POST", "/v1/uploads", b"--x"),
    ],
    ids=["wrong", "large", "no JSON", "odd query", "no form"],
)
def test_who_is_asking_is_asked_before_the_body_is_judged(
    app: Api, header: dict[str, str], method: str, path: str, content: bytes
) -> None:
    kind = "multipart/form-data; boundary=x" if path == "/v1/uploads" else "application/json"
    answer = app.nobody().request(method, path, content=content, headers={"Content-Type": kind, **header})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
