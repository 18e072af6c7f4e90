"""A database with the packaged reference data in it."""

import pytest
from sqlalchemy import Engine

from pooling.database import transaction
from pooling.reference import service as reference


@pytest.fixture
def ready(engine: Engine) -> Engine:
    with transaction(engine) as session:
        reference.install(session)
    return engine
