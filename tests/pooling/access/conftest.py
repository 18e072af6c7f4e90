"""One populated world on each kind of database, for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.conftest import fresh_database
from tests.pooling.access.world import World, opened_world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A fresh database with what every subject planted."""
    path = tmp_path_factory.mktemp("world") / "pooling.db"
    with fresh_database(request, request.param, path) as url, opened_world(url) as made:
        yield made
