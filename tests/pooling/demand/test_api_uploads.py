"""Files over HTTP: kept, looked at, confirmed, stored by jobs; what was found as JSON and as a workbook."""

import io
from datetime import timedelta
from typing import Any

import fastexcel
import pytest
from sqlalchemy import text

from pooling.database import reading
from tests.pooling.api_client import Api
from tests.pooling.demand.api_world import app, confirmed, csv, looked_at, send, work
from tests.pooling.jobs.working import enqueued

__all__ = ["app"]


def stored(app: Api) -> tuple[int, ...]:
    """Rows in submission, line and upload_content."""
    with reading(app.engine) as session:
        tables = ("submission", "line", "upload_content")
        return tuple(session.connection().execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables)


def test_a_file_is_looked_at_confirmed_and_stored(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    sent = send(client, csv({}, {"Quantity per year": "500"}))
    assert (sent.status_code, sent.json()["status"]) == (202, "received"), sent.text
    assert sent.headers["Location"] == f"/v1/operations/{sent.json()['operation']}"
    assert work(app) == 1
    ready = client.get(f"/v1/uploads/{sent.json()['id']}")
    preview = ready.json()["preview"]
    assert (ready.json()["status"], preview["rows_read"], preview["lines_made"], preview["added"]) == ("ready", 2, 2, 2)
    assert (preview["series"], preview["participants"]) == ("template SE-M", ["SE-M"])
    assert [line["quantity"] for line in preview["first"]] == [1000, 500]
    assert {"column": "quantity", "header": "Quantity per year"} in preview["columns"]
    assert stored(app) == (0, 0, 1)
    done = confirmed(app, client, ready)
    assert (done.json()["status"], stored(app)) == ("loaded", (1, 2, 0))
    submission = client.get(f"/v1/submissions/{done.json()['submission']}").json()
    assert (submission["lines_made"], submission["file_name"], submission["participants"]) == (
        2,
        "demand.csv",
        ["SE-M"],
    )
    found = client.get(f"/v1/lines?submission={submission['id']}").json()["items"]
    assert sorted(line["quantity"] for line in found) == [500, 1000]
    detail = client.get(f"/v1/lines/{found[0]['id']}").json()["provenance"]
    assert (detail["file_sha256"], detail["row"]) == (sent.json()["file_sha256"], 2)
    assert client.get(f"/v1/submissions/{submission['id']}/report").json()["upload"] == sent.json()["id"]


def test_the_same_file_twice_has_one_effect(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    first = confirmed(app, client, looked_at(app, client, csv({})))
    again = looked_at(app, client, csv({}), "other-name.csv")
    assert again.json()["preview"]["already_loaded"] is True
    second = confirmed(app, client, again)
    assert second.json()["submission"] == first.json()["submission"]
    assert stored(app)[:2] == (1, 1)


def test_a_later_file_replaces_the_series_and_says_so_before(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    first = confirmed(app, client, looked_at(app, client, csv({}, {"Quantity per year": "7"})))
    later = looked_at(app, client, csv({}, {"Quantity per year": "8"}))
    preview = later.json()["preview"]
    assert (preview["replaces"], preview["unchanged"], preview["added"], preview["dropped"]) == (
        first.json()["submission"],
        1,
        1,
        1,
    )
    confirmed(app, client, later)
    old = client.get(f"/v1/submissions/{first.json()['submission']}").json()
    assert (old["status"], old["version"]) == ("superseded", 2)
    assert sorted(line["quantity"] for line in client.get("/v1/lines").json()["items"]) == [8, 1000]
    assert len(client.get("/v1/lines?live=false").json()["items"]) == 4


def test_faults_are_told_and_only_the_good_rows_kept_on_demand(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    ready = looked_at(app, client, csv({}, {"Quantity per year": "-5"}, {"Category": "none such"}))
    preview = ready.json()["preview"]
    assert (preview["rows_refused"], preview["rows_waiting"], preview["faults_found"]) == (1, 1, 1)
    path = f"/v1/uploads/{ready.json()['id']}"
    report = client.get(f"{path}/report").json()
    assert [(each["row"], each["column"], each["code"]) for each in report["faults"]] == [
        (3, "Quantity per year", "negative")
    ]
    assert report["faults"][0]["remedy"]
    assert [(each["reason"], each["value"]) for each in report["waiting"]] == [("unknown-category", "none such")]
    workbook = client.get(f"{path}/report.xlsx")
    assert workbook.headers["Content-Type"].endswith("spreadsheetml.sheet")
    sheet = fastexcel.read_excel(workbook.content).load_sheet("Faults").to_polars()
    assert sheet["code"].to_list() == ["negative"]
    etag = {"If-Match": ready.headers["ETag"]}
    refused = client.post(f"{path}/confirm", json={}, headers=etag)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/partial")
    done = confirmed(app, client, ready, partial=True)
    submission = client.get(f"/v1/submissions/{done.json()['submission']}").json()
    assert (submission["lines_made"], submission["rows_refused"], submission["rows_waiting"]) == (1, 1, 1)
    waiting = client.get(f"/v1/submissions/{submission['id']}/report").json()["waiting"]
    assert [(each["row"], each["value"]) for each in waiting] == [(4, "none such")]


def test_rows_of_others_are_refused_and_their_series_is_safe(app: Api) -> None:
    theirs = app.client("coordinator", participants=["SE-H"])
    confirmed(app, theirs, looked_at(app, theirs, csv({"Participant": "SE-H"}), series="shared name"))
    client = app.client("coordinator", participants=["SE-M"])
    mixed = looked_at(app, client, csv({}, {"Participant": "SE-H"}), series="own name")
    report = client.get(f"/v1/uploads/{mixed.json()['id']}/report").json()
    assert [(each["row"], each["code"]) for each in report["faults"]] == [(3, "not-yours")]
    taken = looked_at(app, client, csv({}), series="shared name").json()
    assert (taken["status"], taken["problem"]["code"], taken["preview"]) == ("unreadable", "series-taken", None)
    assert len(theirs.get("/v1/lines").json()["items"]) == 1


def test_an_upload_is_the_senders_and_the_planners(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    ready = looked_at(app, client, csv({}))
    path = f"/v1/uploads/{ready.json()['id']}"
    stranger = app.client("coordinator", participants=["SE-H"])
    etag = {"If-Match": ready.headers["ETag"]}
    for answer in (
        stranger.get(path),
        stranger.get(f"{path}/report"),
        stranger.get(f"{path}/report.xlsx"),
        stranger.post(f"{path}/confirm", json={}, headers=etag),
        stranger.delete(path, headers=etag),
    ):
        assert answer.status_code == 404
    assert stranger.get("/v1/uploads").json()["items"] == []
    assert app.client("planner").get(path).json()["preview"]["first"][0]["quantity"] == 1000
    assert app.client("auditor").get(path).status_code == 200
    assert app.client("auditor").post(f"{path}/confirm", json={}, headers=etag).status_code == 403


@pytest.mark.parametrize(
    ("content", "name", "fields", "pointer"),
    [
        (csv({}), "demand.pdf", {}, "#/file"),
        (b"", "demand.csv", {}, "#/file"),
        (csv({}), "demand.csv", {"series": "two\nlines"}, "#/series"),
        (csv({}), "demand.csv", {"mapping": "a", "mapping_file": 'name = "b"'}, "#/mapping"),
    ],
)
def test_what_cannot_be_an_upload_is_refused_with_its_place(
    app: Api, content: bytes, name: str, fields: dict[str, Any], pointer: str
) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    refused = send(client, content, name, **fields)
    assert (refused.status_code, [each["pointer"] for each in refused.json()["errors"]]) == (422, [pointer])
    assert stored(app) == (0, 0, 0)


@pytest.mark.parametrize("fields", [{"series": "x" * 121}, {"mapping": ""}, {"colour": "green"}])
def test_a_form_is_bounded_and_has_no_other_fields(app: Api, fields: dict[str, str]) -> None:
    assert send(app.client("planner"), csv({}), **fields).status_code == 400
    assert stored(app) == (0, 0, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Some;Other\n1;2\n", "bad-mapping"),
        (b"\x00\x01\x02 not a table", "not-a-table"),
        (csv({}, {"Participant": "SE-H"}), "bad-input"),
    ],
)
def test_what_cannot_be_read_says_why(app: Api, content: bytes, code: str) -> None:
    client = app.client("planner")
    found = looked_at(app, client, content).json()
    assert found["status"] == "unreadable"
    assert found["problem"]["code"] == code or code == "not-a-table"
    assert found["problem"]["detail"]
    path = f"/v1/uploads/{found['id']}"
    refused = client.post(f"{path}/confirm", json={}, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert client.get(path).status_code == 404
    assert stored(app) == (0, 0, 0)


MAPPING = """
name = "own"
series = "own series"
[columns]
participant = "Participant"
category = "Category"
quantity = "Quantity per year"
unit = "Unit"
unit_price = "Unit price"
currency = "Currency"
contract_end = "Contract end"
[price]
basis = "ex-vat"
[currency]
day = "2026-10-01"
[window]
rule = "contract-end"
source = "the test"
extension_months = 6
[uncertainty]
spread = "0.1"
"""


def test_a_mapping_may_come_along_or_be_named(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    came = looked_at(app, client, csv({}), mapping_file=MAPPING).json()
    assert (came["status"], came["preview"]["mapping_name"], came["own_mapping"]) == ("ready", "own", True), came
    made = app.client("planner").put("/v1/mappings/own", json={"document": MAPPING})
    assert made.status_code == 201, made.text
    named = looked_at(app, client, csv({}), mapping="own")
    assert (named.json()["preview"]["series"], named.json()["mapping"]) == ("own series", "own")
    done = confirmed(app, client, named).json()
    (line,) = client.get(f"/v1/lines?submission={done['submission']}").json()["items"]
    assert (line["earliest_start"], line["latest_start"]) == ("2027-04", "2027-10")
    assert send(client, csv({}), mapping="none").status_code == 404


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.csv", "codes.csv"])
def test_a_mapping_that_came_over_http_reads_no_file_of_the_service(app: Api, name: str) -> None:
    document = f'{MAPPING}\n[categories]\nfile = "{name}"\n'
    refused = app.client("planner").put("/v1/mappings/own", json={"document": document})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-mapping")
    assert "did not come with the mapping" in refused.json()["detail"]
    lists = {"codes.csv": "word,category\nsprutor,insulin-syringes\n"}
    given = app.client("planner").put(
        "/v1/mappings/own", json={"document": document.replace(name, "codes.csv"), "lists": lists}
    )
    assert (given.status_code, given.json()["lists"]) == (201, ["codes.csv"]), given.text


def test_a_mapping_is_read_replaced_and_deleted_under_its_version(app: Api) -> None:
    client = app.client("administrator")
    made = client.put("/v1/mappings/own", json={"document": MAPPING})
    assert client.get("/v1/mappings/own").json() == made.json()
    assert [each["name"] for each in client.get("/v1/mappings").json()["items"]] == ["own"]
    assert client.put("/v1/mappings/own", json={"document": MAPPING}).status_code == 428
    etag = {"If-Match": made.headers["ETag"]}
    again = client.put("/v1/mappings/own", json={"document": MAPPING}, headers=etag)
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert client.delete("/v1/mappings/own", headers=etag).status_code == 412
    assert client.delete("/v1/mappings/own", headers={"If-Match": again.headers["ETag"]}).status_code == 204
    assert client.get("/v1/mappings/own").status_code == 404
    sender = app.client("coordinator", participants=["SE-M"])
    assert sender.put("/v1/mappings/own", json={"document": MAPPING}).status_code == 403


def test_a_workbook_loads_too(app: Api) -> None:
    import xlsxwriter

    from tests.pooling.demand.api_world import HEADERS, ROW

    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        for at, (header, cell) in enumerate(zip(HEADERS, ROW)):
            sheet.write_string(0, at, header)
            sheet.write_string(1, at, cell)
    client = app.client("coordinator", participants=["SE-M"])
    ready = looked_at(app, client, target.getvalue(), "demand.xlsx")
    assert (ready.json()["status"], ready.json()["preview"]["lines_made"]) == ("ready", 1), ready.text


def test_two_files_in_one_upload_are_refused_at_their_place(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    parts = [("file", (f"{name}.csv", b"a;b\n1;2\n", "text/csv")) for name in ("one", "two")]
    refused = client.post("/v1/uploads", files=parts)
    assert refused.status_code == 400, refused.text
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/file", "wrong-type")
    assert "once" in fault["detail"]


def test_a_withdrawn_submission_counts_no_longer_and_stays_on_record(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    done = confirmed(app, client, looked_at(app, client, csv({}))).json()
    path = f"/v1/submissions/{done['submission']}"
    read = client.get(path)
    etag = {"If-Match": read.headers["ETag"]}
    assert client.post(f"{path}/withdraw").status_code == 428
    assert app.client("coordinator", participants=["SE-H"]).post(f"{path}/withdraw", headers=etag).status_code == 404
    gone = client.post(f"{path}/withdraw", headers=etag)
    assert (gone.status_code, gone.json()["status"], gone.json()["version"]) == (200, "withdrawn", 2)
    assert client.post(f"{path}/withdraw", headers=etag).status_code == 412
    again = client.post(f"{path}/withdraw", headers={"If-Match": gone.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    assert client.get("/v1/lines").json()["items"] == []
    assert [each["status"] for each in client.get("/v1/submissions?status=withdrawn").json()["items"]] == ["withdrawn"]


def test_lists_show_ones_own_in_pages_and_filters_narrow_them(app: Api) -> None:
    planner = app.client("planner")
    for code in ("SE-M", "SE-H"):
        rows = [{"Participant": code, "Quantity per year": str(number)} for number in (1, 2, 3)]
        confirmed(app, planner, looked_at(app, planner, csv(*rows)))
    whole = planner.get("/v1/lines").json()["items"]
    pages, following = [], "/v1/lines?limit=4"
    while following:
        answer = planner.get(following)
        pages.append(answer.json()["items"])
        following = answer.links["next"]["url"] if "next" in answer.links else ""
    assert [line for page in pages for line in page] == whole
    assert [len(page) for page in pages] == [4, 2]
    assert len(planner.get("/v1/lines?participant=SE-M").json()["items"]) == 3
    assert len(planner.get("/v1/lines?category=insulin-syringes").json()["items"]) == 6
    assert planner.get("/v1/lines?category=none").json()["items"] == []
    own = app.client("coordinator", participants=["SE-H"]).get("/v1/lines").json()["items"]
    assert {line["participant"] for line in own} == {"SE-H"}
    assert len(app.client("auditor").get("/v1/submissions?limit=1").json()["items"]) == 1
    assert len(app.client("coordinator", participants=["SE-H"]).get("/v1/submissions").json()["items"]) == 1
    assert app.client("administrator").get("/v1/lines").status_code == 403
    assert planner.get("/v1/lines?colour=green").status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "text/plain; charset=no-such"])
def test_a_field_that_is_no_text_is_refused(app: Api, kind: str) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="series"\r\nContent-Type: {kind}\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    client = app.client("coordinator", participants=["SE-M"])
    refused = client.post("/v1/uploads", content=part.encode() + b"\xff\r\n--x--\r\n", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-text"), refused.text


def test_a_file_that_nobody_has_stored_is_dropped_after_a_month(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    kept = confirmed(app, client, looked_at(app, client, csv({}, {"Quantity per year": "7"})))
    left = looked_at(app, client, csv({}))
    app.clock.now += timedelta(days=20)
    later = looked_at(app, client, csv({}, {"Quantity per year": "9"}))
    for days, found in ((9, 200), (2, 404)):
        app.clock.now += timedelta(days=days)
        enqueued(app.engine, "demand.drop-drafts", now=app.clock.now)
        work(app)
        assert client.get(f"/v1/uploads/{left.json()['id']}").status_code == found
    assert stored(app)[2] == 1, "the later file's bytes"
    for upload in (kept, later):
        assert client.get(f"/v1/uploads/{upload.json()['id']}").status_code == 200
    told = app.client("auditor").get(f"/v1/audit?resource_id={left.json()['id']}").json()["items"]
    assert "uploads.drop-old" in {entry["operation"] for entry in told}
