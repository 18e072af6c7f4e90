"""Requests that the tests of demand over HTTP are made of."""

from collections.abc import Iterator
from typing import Any

import pytest

from pooling.demand.jobs import HANDLERS
from tests.pooling.api_client import Api, RoleClient, api
from tests.pooling.jobs.working import work_all

FORECAST: dict[str, Any] = {
    "participant": "SE-M",
    "category": "Insulin syringes",
    "item_code": "A1",
    "quantity": 1000,
    "unit": "piece",
    "unit_price": "1.25",
    "currency": "SEK",
    "price_basis": "ex-vat",
    "date": "2026-10-01",
    "earliest_start": "2027-04",
    "latest_start": "2028-03",
}
HEADERS = (
    "Participant",
    "Category",
    "Quantity per year",
    "Unit",
    "Unit price",
    "Currency",
    "Price basis",
    "Contract end",
    "Price date",
)
ROW = ("SE-M", "Insulin syringes", "1000", "piece", "1.25", "SEK", "ex VAT", "2027-03-31", "2026-10-01")


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as running:
        yield running


def forecast(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**FORECAST, **changes}.items() if value is not None}


def csv(*rows: dict[str, str]) -> bytes:
    cells = dict(zip(HEADERS, ROW))
    lines = [";".join(HEADERS), *(";".join({**cells, **row}.values()) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def send(client: RoleClient, content: bytes, name: str = "demand.csv", **fields: Any) -> Any:
    """The answer to an upload; ``fields`` beside the file, ``mapping_file`` as text."""
    files: dict[str, Any] = {"file": (name, content, "text/csv")}
    if "mapping_file" in fields:
        files["mapping_file"] = ("mapping.toml", fields.pop("mapping_file").encode(), "application/toml")
    return client.post("/v1/uploads", files=files, data=fields)


def work(app: Api) -> int:
    """Do the jobs that are due."""
    return work_all(app.engine, HANDLERS, now=app.clock.now)


def looked_at(app: Api, client: RoleClient, content: bytes, name: str = "demand.csv", **fields: Any) -> Any:
    """An upload that was sent and looked at, as it is read then."""
    sent = send(client, content, name, **fields)
    assert sent.status_code == 202, sent.text
    work(app)
    return client.get(f"/v1/uploads/{sent.json()['id']}")


def confirmed(app: Api, client: RoleClient, upload: Any, *, partial: bool = False) -> Any:
    """The upload after it was confirmed and its job is done."""
    path = f"/v1/uploads/{upload.json()['id']}"
    done = client.post(f"{path}/confirm", json={"partial": partial}, headers={"If-Match": upload.headers["ETag"]})
    assert done.status_code == 202, done.text
    work(app)
    return client.get(path)
