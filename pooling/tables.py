"""Imports every subject's tables, so that the schema is complete for migrations and tests."""

import pooling.demand.tables
import pooling.market.tables
import pooling.planning.tables
import pooling.reference.tables  # noqa: F401
