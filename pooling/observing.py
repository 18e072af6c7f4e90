"""Around every request: its id and trace, headers of every answer, one line in the log, figures for Prometheus."""

import logging
import time
from typing import Any

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from pooling.logs import FIELDS, REQUESTS
from pooling.metrics import Metrics
from pooling.tracing import PRINCIPAL, QUOTA, request_id, traceparent

LOG = logging.getLogger(REQUESTS)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"()"),
    (b"vary", b"Authorization, Accept"),
    (b"cache-control", b"private, no-cache"),
)
"""Of every answer that does not say otherwise itself."""
USUAL = frozenset(name for name, _ in HEADERS)
TLS_HEADER = (b"strict-transport-security", b"max-age=31536000")
UNMATCHED = "none"


async def observed(app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send, *, metrics: Metrics) -> None:
    """Answer a request with ``app``; count and log it when its answer has been sent."""
    began = time.perf_counter()
    own = ((b"x-request-id", request_id(scope).encode()), (b"traceparent", traceparent(scope).encode()))
    always = (*own, TLS_HEADER) if scope["scheme"] == "https" else own
    status = 0

    async def sent(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            given = list(message["headers"])
            names = {name.lower() for name, _ in given}
            quota = scope["state"].get(QUOTA)
            stands = [(name.lower().encode(), value.encode()) for name, value in quota.headers.items()] if quota else []
            rest = HEADERS if names.isdisjoint(USUAL) else [pair for pair in HEADERS if pair[0] not in names]
            message["headers"] = [*given, *always, *stands, *rest]
        await send(message)

    metrics.running.inc()
    try:
        await app(scope, receive, sent)
    finally:
        metrics.running.dec()
        _tell(scope, status, time.perf_counter() - began, metrics)


def _tell(scope: HTTPScope, status: int, seconds: float, metrics: Metrics) -> None:
    operation = _operation(scope)
    metrics.count(operation, status, seconds)
    state: dict[str, Any] = scope["state"]
    fields = {
        "request_id": state["request_id"],
        "trace_id": state["traceparent"][3:35],
        "method": scope["method"],
        "operation": operation,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "principal": state.get(PRINCIPAL),
    }
    if LOG.isEnabledFor(logging.INFO):  # a record made here is spared the search for where it was made
        said = ("%s %s %s", (fields["method"], operation, status))
        LOG.handle(LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, *said, None, extra={FIELDS: fields}))


def _operation(scope: HTTPScope) -> str:
    found = getattr(scope.get("route_handler"), "operation_id", None)
    return found if isinstance(found, str) else UNMATCHED
