"""A database with the packaged reference data in it."""

import pytest
from sqlalchemy import Engine

from tests import reference_data


@pytest.fixture
def ready(engine: Engine) -> Engine:
    reference_data.install(engine)
    return engine
