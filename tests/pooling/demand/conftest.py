"""A database with the packaged reference data in it."""

import pytest
from sqlalchemy import Engine

from tests import copies


@pytest.fixture
def ready(engine: Engine) -> Engine:
    copies.install_reference(engine)
    return engine
