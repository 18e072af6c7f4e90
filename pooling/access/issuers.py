"""Whose tokens are taken: the file of issuers, read and checked when the service starts."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pooling.access.rules import SCOPES
from pooling.errors import BadSetting, did_you_mean

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures by a private key. ``none`` and HS* are not among them: whoever can check an HS* can also make one."""
MAX_SKEW_S = 60
FORM = "see docs/access.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer of tokens, as configured.

    ``org_claim`` and ``delegate_claim`` are paths such as ``consumer.ID``; ``org_register`` is put before a bare
    number. ``scope_map``: what a scope of the issuer gives here.
    """

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    subject_claim: str = "sub"
    org_claim: str | None = None
    org_register: str | None = None
    delegate_claim: str | None = None
    scope_claim: str = "scope"
    scope_map: Mapping[str, frozenset[str]] = field(default_factory=dict)
    at_jwt_only: bool = False
    skew_s: int = MAX_SKEW_S

    def __post_init__(self) -> None:
        place = f"issuer {self.issuer!r}"
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise BadSetting(f"{place}: issuer and audiences must be given; {FORM}")
        if (self.jwks_uri is None) == (self.jwks_file is None):
            raise BadSetting(f"{place}: give one of jwks_uri and jwks_file; {FORM}")
        if self.jwks_uri is not None:
            _check_address(place, self.jwks_uri)
        if self.jwks_file is not None and not self.jwks_file.is_file():
            raise BadSetting(f"{place}: jwks_file {self.jwks_file} is not there")
        wrong = [each for each in self.algorithms if each not in ALGORITHMS]
        if wrong or not self.algorithms:
            raise BadSetting(f"{place}: algorithms {wrong} cannot be taken; known: {', '.join(sorted(ALGORITHMS))}")
        if not 0 <= self.skew_s <= MAX_SKEW_S:
            raise BadSetting(f"{place}: skew_s is {self.skew_s}; give 0 to {MAX_SKEW_S}")
        for scope in sorted(frozenset().union(*self.scope_map.values()) - SCOPES):
            known = f"known: {', '.join(sorted(SCOPES))}"
            raise BadSetting(f"{place}: scope_map gives {scope!r}; {did_you_mean(scope, SCOPES, known)}")


def _check_address(place: str, address: str) -> None:
    parts = urlsplit(address)
    if parts.username or parts.password or not parts.hostname:
        raise BadSetting(f"{place}: jwks_uri must be an address without user and password")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise BadSetting(f"{place}: jwks_uri must begin with https://; http is for this machine itself alone")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_issuers(path: Path) -> tuple[Issuer, ...]:
    """The issuers in a TOML file with a table ``[[issuer]]`` for each; raises BadSetting."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise BadSetting(f"the file of issuers {path} cannot be read: {wrong}") from wrong
    if set(document) != {"issuer"} or not isinstance(document["issuer"], list):
        raise BadSetting(f"the file of issuers {path}: give one [[issuer]] for each issuer and nothing else; {FORM}")
    found = tuple(_issuer(path, number, table) for number, table in enumerate(document["issuer"], 1))
    names = [each.issuer for each in found]
    for name in names:
        if names.count(name) > 1:
            raise BadSetting(f"the file of issuers {path} names {name!r} twice; give each issuer once")
    return found


def _issuer(path: Path, number: int, table: Mapping[str, Any]) -> Issuer:
    place = f"{path}, issuer {number}"
    known = {each.name: each for each in fields(Issuer)}
    for name in table:
        if name not in known:
            listed = f"known: {', '.join(sorted(known))}"
            raise BadSetting(f"{place}: {name!r} is not known; {did_you_mean(name, known, listed)}")
    values = {name: _value(place, name, value) for name, value in table.items()}
    missing = [name for name in ("issuer", "audiences", "algorithms") if name not in values]
    if missing:
        raise BadSetting(f"{place}: {', '.join(missing)} must be given; {FORM}")
    if "jwks_file" in values:
        values["jwks_file"] = path.parent / values["jwks_file"]
    return Issuer(**values)


def _value(place: str, name: str, value: Any) -> Any:
    if name in ("audiences", "algorithms"):
        return tuple(_texts(place, name, value))
    if name == "scope_map":
        if not isinstance(value, dict):
            raise BadSetting(f"{place}: scope_map must be a table of lists; {FORM}")
        return {scope: frozenset(_texts(place, f"scope_map.{scope}", given)) for scope, given in value.items()}
    wanted = {"at_jwt_only": bool, "skew_s": int}.get(name, str)
    if type(value) is not wanted:
        raise BadSetting(f"{place}: {name} must be a {wanted.__name__}, got {value!r}")
    return value


def _texts(place: str, name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadSetting(f"{place}: {name} must be a list of texts, got {value!r}")
    return value
