"""Failed attempts, counted by address and by key prefix in the database, so that all processes share the count.

What is limited are wrong credentials. Right ones always open: a key has 256 random bits, so nobody gets in by trying,
and a lock would let whoever knows a prefix, or shares an address, keep a region out.
"""

from collections.abc import Collection
from datetime import datetime
from ipaddress import IPv6Address, ip_address

from sqlalchemy import Connection, Engine, delete, select, text
from sqlmodel import col

from pooling.access.beside import beside
from pooling.access.keys import PREFIX_LENGTH, START
from pooling.access.tables import ApiKey, FailedAttempt
from pooling.database import reading

WINDOW_S = 300
MOST = {"address": 20, "prefix": 10}
"""Failures within one window, after which the rest of it is answered by a refusal that checks nothing."""
KEPT_WINDOWS = 12


def wait_s(engine: Engine, sources: Collection[str], now: datetime) -> int | None:
    """Seconds until one of ``sources`` may try again; None where all may."""
    with reading(engine) as session:
        counts = session.connection().execute(
            select(col(FailedAttempt.source), col(FailedAttempt.count)).where(
                col(FailedAttempt.source).in_(list(sources)), col(FailedAttempt.window) == _window(now)
            )
        )
        if any(count >= MOST[source.partition(":")[0]] for source, count in counts):
            return WINDOW_S - int(now.timestamp()) % WINDOW_S
    return None


def count(engine: Engine, sources: Collection[str], now: datetime) -> None:
    """Count one failure for each of ``sources``, in a transaction of its own: the request's was rolled back.

    Raises OperationalError where the database is busy.
    """
    with beside(engine) as connection:
        for source in sorted(sources):
            if _add(connection, source, _window(now)) == 1:
                old = col(FailedAttempt.window) < _window(now) - KEPT_WINDOWS
                connection.execute(delete(FailedAttempt).where(old))


def _add(connection: Connection, source: str, window: int) -> int:
    added = connection.execute(
        text(
            'INSERT INTO failed_attempt (source, "window", count) VALUES (:source, :window, 1) '
            'ON CONFLICT (source, "window") DO UPDATE SET count = failed_attempt.count + 1 RETURNING count'
        ),
        {"source": source, "window": window},
    )
    return int(added.scalar_one())


def sources_of(engine: Engine, address: str, secret: str) -> list[str]:
    """What a failed attempt is counted under: the address, and the prefix where there is a key that begins like it."""
    found = [f"address:{_network(address)}"]
    prefix = secret[:PREFIX_LENGTH]
    if secret.startswith(START):
        with reading(engine) as session:
            known = select(col(ApiKey.id)).where(col(ApiKey.prefix) == prefix).limit(1)
            if session.connection().execute(known).first() is not None:
                found.append(f"prefix:{prefix}")
    return found


def _network(address: str) -> str:
    """The address, or its /64 in IPv6, where one host has all of it to choose from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:60]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


def _window(now: datetime) -> int:
    return int(now.timestamp()) // WINDOW_S
