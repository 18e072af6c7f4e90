"""Imports every subject's tables, so that the schema is complete for migrations and tests."""

import pooling.access.tables
import pooling.agreements.tables
import pooling.audit
import pooling.cycles.tables
import pooling.demand.tables
import pooling.feed
import pooling.idempotency
import pooling.jobs.tables
import pooling.market.tables
import pooling.notices.tables
import pooling.planning.tables
import pooling.reference.tables
import pooling.signing
import pooling.tenders.tables  # noqa: F401
