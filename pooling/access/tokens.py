"""Tokens of configured issuers: verified before a transaction is open, since that may take a fetch of their keys.

What is taken and refused follows RFC 8725 (best practice), RFC 9068 (access tokens) and RFC 7515 (signatures).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import category

import jwt
from jwt.exceptions import PyJWTError

from pooling.access.issuers import Issuer, read_issuers
from pooling.access.jwks import Fetch, KeySet, fetch
from pooling.errors import BadInput, NotAuthenticated
from pooling.reference.organisations import organisation_id

KEY_IN_HEADER = ("jku", "x5u", "jwk", "x5c", "crit", "b64")
"""Header fields by which a token could bring its own key, or change what is signed: such a token is refused."""
TYPES = frozenset({"at+jwt", "application/at+jwt"})
OTHER_TYPES = frozenset({"jwt"})
MAX_CLAIM = 400
NO_TEXT = frozenset({"Cc", "Cs"})
"""Unicode categories that no name is made of: control characters, and surrogates without their other half."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says: who, for which organisation (ISO 6523), through which supplier, with which scopes."""

    issuer: str
    subject: str
    organisation_id: str | None
    delegate: str | None
    scopes: frozenset[str]


class Issuers:
    """The issuers whose tokens are taken, with their keys; one for an application, shared by its threads."""

    def __init__(self, configured: Sequence[Issuer] = (), fetched_by: Fetch = fetch) -> None:
        self._issuers = {each.issuer: each for each in configured}
        self._keys = {each.issuer: KeySet(each, fetched_by) for each in configured}

    def verify(self, token: str, now: datetime) -> Claims:
        """The claims of a token; raises NotAuthenticated, and NotReady where the issuer's keys cannot be had."""
        if not self._issuers:
            raise NotAuthenticated("the credential is no API key, and no issuer of tokens is configured here")
        try:
            return self._verified(token, now)
        except (PyJWTError, ValueError, TypeError) as wrong:
            raise NotAuthenticated(f"the token is refused: {type(wrong).__name__}; get a new one") from wrong

    def _verified(self, token: str, now: datetime) -> Claims:
        header = jwt.get_unverified_header(token)
        said = jwt.decode(token, options={"verify_signature": False}).get("iss")
        issuer = self._issuers.get(said) if isinstance(said, str) else None
        if issuer is None:
            raise NotAuthenticated("the token's issuer is not one that is configured here")
        _check_header(header, issuer)
        kid, algorithm = header.get("kid"), header["alg"]
        key = self._keys[issuer.issuer].key(kid, algorithm, now) if isinstance(kid, str) else None
        if key is None:
            raise NotAuthenticated("the token's key is not one of its issuer's")
        claims = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            audience=list(issuer.audiences),
            issuer=issuer.issuer,
            options={
                "require": ["exp", "aud", "iss"],
                "verify_exp": False,  # checked by the application's clock
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        _check_times(claims, issuer, now)
        return _claims(claims, issuer)


def from_file(path: Path | None) -> Issuers:
    """The issuers of the file that is set, none where none is; raises BadSetting."""
    return Issuers(read_issuers(path) if path is not None else ())


def _check_header(header: Mapping[str, Any], issuer: Issuer) -> None:
    brought = [name for name in KEY_IN_HEADER if name in header]
    if brought:
        raise NotAuthenticated(f"the token's header has {', '.join(brought)}: keys are the issuer's, never the token's")
    if header.get("alg") not in issuer.algorithms:
        raise NotAuthenticated("the token's algorithm is not one that is taken from its issuer")
    kind = str(header.get("typ", "")).lower()
    allowed = TYPES if issuer.at_jwt_only else TYPES | OTHER_TYPES | {""}
    if kind not in allowed:
        raise NotAuthenticated("the token is no access token: its type is another one")


def _check_times(claims: Mapping[str, Any], issuer: Issuer, now: datetime) -> None:
    moments = {name: _moment(claims, name) for name in ("exp", "nbf", "iat")}
    seconds = now.timestamp()
    expires = moments["exp"]
    if expires is None or expires <= seconds - issuer.skew_s:
        raise NotAuthenticated("the token has expired; get a new one")
    for name in ("nbf", "iat"):
        begins = moments[name]
        if begins is not None and begins > seconds + issuer.skew_s:
            raise NotAuthenticated(f"the token is not valid yet: {name} is {datetime.fromtimestamp(begins, UTC)}")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 2**33:
        raise NotAuthenticated(f"the token's {name} is no time")
    return float(found)


def _claims(claims: Mapping[str, Any], issuer: Issuer) -> Claims:
    subject = _at(claims, issuer.subject_claim)
    if not subject:
        raise NotAuthenticated(f"the token has no {issuer.subject_claim}")
    organisation = _organisation(claims, issuer.org_claim, issuer)
    given = claims.get(issuer.scope_claim, "")
    named = given.split() if isinstance(given, str) else [each for each in given if isinstance(each, str)]
    scopes = frozenset[str]().union(*(issuer.scope_map.get(each, frozenset()) for each in named))
    delegate = _organisation(claims, issuer.delegate_claim, issuer)
    return Claims(issuer.issuer, subject, organisation, delegate, scopes)


def _organisation(claims: Mapping[str, Any], path: str | None, issuer: Issuer) -> str | None:
    """The organisation at ``path``; None where the token says nothing there.

    Raises NotAuthenticated for what cannot be read: whoever comes through another one must not pass for that one.
    """
    if path is None or all(claims.get(name) is None for name in (path, path.partition(".")[0])):
        return None
    found = _at(claims, path) or ""
    try:
        return organisation_id(found if ":" in found or not issuer.org_register else f"{issuer.org_register}:{found}")
    except BadInput as wrong:
        raise NotAuthenticated(f"the token's {path} is no organisation id") from wrong


def _at(claims: Mapping[str, Any], path: str) -> str | None:
    """The text at a path such as ``consumer.ID``, as one name first (names may hold dots); None where none is."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        return None
    if len(found) > MAX_CLAIM:
        raise NotAuthenticated(f"the token's {path} is longer than {MAX_CLAIM} characters")
    if any(category(each) in NO_TEXT for each in found):
        raise NotAuthenticated(f"the token's {path} holds control characters or half of a character")
    return found
