"""The short way to handlers that read answers as the framework's way does, header for header, and remembers so much."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from pooling import shortcut
from pooling.shortcut import Shortcut
from tests.pooling.api_client import Api, api

ITS_OWN = ("x-request-id", "traceparent", "ratelimit")
"""Headers that differ from one request to the next."""
ADDRESSES = (
    "/v1/categories?limit=2",
    "/v1/categories?limit=2&cursor=",
    "/v1/categories?limit=0",
    "/v1/categories?limit=many",
    "/v1/categories?limit=2&limit=2",
    "/v1/categories?limt=2",
    "/v1/categories?cursor=a%00b",
    "/v1/categories/nothing-of-that-name",
    "/v1/lines?submission=no-id",
    "/v1/lines/1%00",
    "/v1/lines/99999999",
    "/v1/lines?live=false&participant=SE-M",
    "/v1/public/effect",
    "/v1/public/effect?by=colour",
)


@pytest.fixture
def app(sqlite_template: Path, tmp_path: Path) -> Iterator[Api]:
    """The service on SQLite."""
    path = tmp_path / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    with api(f"sqlite:///{path}", with_reference=True) as made:
        yield made


def told(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Of an answer what does not differ each time."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name not in ITS_OWN]
    body = {name: value for name, value in answer.json().items() if name != "request_id"} if answer.content else {}
    headers = [(name, value) for name, value in headers if name != "content-length" or answer.status_code < 400]
    return answer.status_code, headers, repr(body).encode()


def test_both_ways_answer_the_same(app: Api) -> None:
    client = app.client("planner")
    sent: tuple[dict[str, str], ...] = ({}, {"Authorization": "Basic x"}, {"If-None-Match": "*"})
    for address, headers in product(ADDRESSES, sent):
        with patch.object(Shortcut, "_named", return_value=None):
            other = client.get(address, headers=headers)
        first, again = client.get(address, headers=headers), client.get(address, headers=headers)
        assert told(first) == told(again) == told(other), address


def test_an_address_is_understood_once_and_not_all_are_remembered(app: Api) -> None:
    client = app.client("planner")
    with patch.object(shortcut, "_understood", wraps=shortcut._understood) as understood:
        for _ in range(3):
            assert client.get("/v1/criteria?limit=7").status_code == 200
        assert understood.call_count <= 1
        for _ in range(3):
            assert client.get(f"/v1/criteria?cursor={'x' * shortcut.LONGEST_QUERY}").status_code == 400
        assert understood.call_count <= 1
    with patch.object(shortcut, "MOST_KNOWN", 2):
        for limit in range(1, 6):
            assert len(client.get(f"/v1/criteria?limit={limit}").json()["items"]) == limit
