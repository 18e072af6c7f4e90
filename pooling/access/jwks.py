"""An issuer's public keys: from a file, or fetched, kept, and fetched again when a new key id turns up."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from pooling.access.issuers import Issuer
from pooling.errors import BadSetting
from pooling.problems import NotReady

LOG = logging.getLogger("pooling.access")
KEPT = timedelta(minutes=10)
"""After this the keys are fetched again, so that one that the issuer withdrew is not taken for long."""
AT_MOST_EVERY = timedelta(seconds=60)
"""However many unknown key ids come: the issuer is asked no more often."""
STALE_AFTER = timedelta(hours=24)
"""While the issuer does not answer, its last keys are good this long."""
TIMEOUT_S = 5.0
MAX_BYTES = 262_144
MAX_KEYS = 100

MIN_RSA_BITS = 2048
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a key that are not public: should an issuer publish them, they are not read."""
NEEDED: Mapping[str, tuple[str, str | None]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Kind and curve of the key for each algorithm."""

Keys = Mapping[tuple[str, str], PyJWK]
"""By id and algorithm."""
Fetch = Callable[[str], bytes]


class Unfetched(Exception):
    """The keys could not be had; the message says why."""


def fetch(address: str) -> bytes:
    """The document at ``address``; no redirect is followed, no proxy of the environment used. Raises Unfetched."""
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise Unfetched(f"status {answer.status_code}")
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise Unfetched(f"more than {MAX_BYTES} bytes")
            return content
    except httpx.HTTPError as failed:
        raise Unfetched(type(failed).__name__) from failed


class KeySet:
    """The keys of one issuer; safe for many threads, of which one at a time fetches."""

    def __init__(self, issuer: Issuer, fetched_by: Fetch = fetch) -> None:
        self._issuer = issuer
        self._fetch = fetched_by
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        if issuer.jwks_file is not None:
            self._keys = _from_file(issuer.jwks_file, issuer.algorithms)

    def key(self, kid: str, algorithm: str, now: datetime) -> PyJWK | None:
        """The key named ``kid`` for ``algorithm``, None where the issuer has none.

        Raises NotReady where the issuer's keys cannot be had.
        """
        if self._issuer.jwks_uri is None:
            return (self._keys or {}).get((kid, algorithm))
        if not self._is_fresh(now) or not self._knows(kid):
            self._refresh(kid, now)
        if self._keys is None or self._fetched_at is None or now - self._fetched_at > STALE_AFTER:
            raise NotReady(f"the keys of issuer {self._issuer.issuer} cannot be fetched now; try again in a minute")
        return self._keys.get((kid, algorithm))

    def _is_fresh(self, now: datetime) -> bool:
        return self._fetched_at is not None and now - self._fetched_at < KEPT

    def _knows(self, kid: str) -> bool:
        return any((kid, algorithm) in (self._keys or {}) for algorithm in self._issuer.algorithms)

    def _refresh(self, kid: str, now: datetime) -> None:
        """Fetch the keys, unless they were asked for within the last minute.

        Where there are keys, a thread that finds another one fetching goes on with them: a flood of unknown key ids
        and a slow issuer must not hold every thread. Where there are none, it waits.
        """
        if not self._lock.acquire(blocking=self._keys is None):
            return
        try:
            if self._tried_at is not None and now - self._tried_at < AT_MOST_EVERY:
                return
            if self._is_fresh(now) and self._knows(kid):
                return
            self._tried_at = now
            self._keys = read_keys(self._fetch(str(self._issuer.jwks_uri)), self._issuer.algorithms)
            self._fetched_at = now
        except Unfetched as failed:
            LOG.warning("the keys of issuer %s could not be fetched: %s", self._issuer.issuer, failed)
        finally:
            self._lock.release()


def _from_file(path: Path, algorithms: tuple[str, ...]) -> Keys:
    try:
        return read_keys(path.read_bytes(), algorithms)
    except (OSError, Unfetched) as wrong:
        raise BadSetting(f"the key file {path} cannot be read: {wrong}") from wrong


def read_keys(content: bytes, algorithms: tuple[str, ...]) -> Keys:
    """The keys of a JWK Set for ``algorithms``; others are passed over. Raises Unfetched where there are none."""
    try:
        listed = json.loads(content)["keys"]
    except (ValueError, TypeError, KeyError) as wrong:
        raise Unfetched("it is no JWK Set") from wrong
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise Unfetched(f"it is no JWK Set of up to {MAX_KEYS} keys")
    found: dict[tuple[str, str], PyJWK] = {}
    for each in listed:
        for algorithm in algorithms:
            if isinstance(each, dict) and _is_for(each, algorithm) and (key := _key(each, algorithm)) is not None:
                found[each["kid"], algorithm] = key
    if not found:
        raise Unfetched("it has no key that can be used")
    return found


def _is_for(each: dict[str, Any], algorithm: str) -> bool:
    """Whether it is a key for signatures with ``algorithm``, with an id.

    Keys of kind ``oct`` are secrets that two sides share: no algorithm is for them.
    """
    kind, curve = NEEDED[algorithm]
    return (
        isinstance(each.get("kid"), str)
        and each.get("kty") == kind
        and each.get("crv") == curve
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
    )


def _key(each: dict[str, Any], algorithm: str) -> PyJWK | None:
    public = {name: value for name, value in each.items() if name not in PRIVATE}
    try:
        key = PyJWK(public, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError) as wrong:
        LOG.warning("a key of a JWK Set cannot be used: %s", type(wrong).__name__)
        return None
    if key.key_type == "RSA" and key.key.key_size < MIN_RSA_BITS:
        LOG.warning("a key of a JWK Set is too short: %s bits", key.key.key_size)
        return None
    return key
