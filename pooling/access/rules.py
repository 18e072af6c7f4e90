"""Who is asking, and whose figures they may see: pure, frozen, checked at birth."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, true
from sqlmodel import col

from pooling.errors import BadInput, did_you_mean

Kind = Literal["person", "key", "machine"]
"""A human being; a partner system that comes with local keys; one that comes with an issuer's tokens."""

SCOPES = frozenset(
    {
        "forecasts:read",
        "forecasts:write",
        "pools:read",
        "pools:review",
        "feed:read",
        "webhooks:manage",
        "tenders:export",
    }
)
"""What can be granted to a partner system, besides the participants whose systems it speaks for."""


class Role(StrEnum):
    """What somebody does here; one may have several, and may then do what any of them may."""

    COORDINATOR = "coordinator"
    PLANNER = "planner"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


SEEING_ALL = frozenset({Role.PLANNER, Role.AUDITOR})
"""Roles that see every participant's figures; each of their reads is in the audit."""

WITH_PARTICIPANTS = frozenset({Role.COORDINATOR, Role.PARTNER})
"""Roles that see the figures of the participants they are named for, and no others."""


@dataclass(frozen=True, slots=True)
class Visible:
    """Whose figures may be seen: ``all`` participants', or those of ``participants`` (empty: nobody's)."""

    all: bool = False
    participants: frozenset[str] = frozenset()

    def __contains__(self, participant: object) -> bool:
        return self.all or participant in self.participants

    def clause(self, column: Any) -> ColumnElement[bool]:
        """The condition that a row's participant ``column`` may be seen, for the WHERE of a query."""
        if self.all:
            return true()
        return col(column).in_(sorted(self.participants))

    @property
    def count(self) -> int | None:
        """Of the participants, which is the shape of a prepared query; None: all."""
        return None if self.all else len(self.participants)

    @property
    def values(self) -> dict[str, Any]:
        """Of the parameters of a prepared query (`sees_parameters`)."""
        if self.all:
            return {}
        return {f"sees_{place}": code for place, code in enumerate(sorted(self.participants))}


def sees_parameters(column: Any, count: int) -> ColumnElement[bool]:
    """The condition of `Visible.clause` in a prepared query, for so many participants; values: `Visible.values`."""
    return col(column).in_([bindparam(f"sees_{place}", type_=String()) for place in range(count)])


EVERYONE = Visible(all=True)
NO_ONE = Visible()


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request, as found in this request's transaction.

    ``participants``: those a coordinator acts for, or a partner system's organisation. ``delegate``: the ISO 6523 id
    of the supplier that came in the organisation's place, on record only. ``key``: the key that was shown, None for a
    token. ``once``: came with a one-time secret, good for making a lasting key and nothing else.
    """

    id: UUID
    kind: Kind
    roles: frozenset[Role]
    participants: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    delegate: str | None = None
    key: UUID | None = None
    once: bool = False
    sees: Visible = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sees", _visible(self.roles, self.participants))

    @property
    def own(self) -> frozenset[str]:
        """The participants whose figures are this principal's own: reading them is no reading of others'."""
        return self.participants if self.roles & WITH_PARTICIPANTS else frozenset()


def _visible(roles: frozenset[Role], participants: frozenset[str]) -> Visible:
    if roles & SEEING_ALL:
        return EVERYONE
    return Visible(participants=participants) if roles & WITH_PARTICIPANTS else NO_ONE


def checked_roles(kind: Kind, roles: frozenset[Role], participants: frozenset[str]) -> frozenset[Role]:
    """``roles`` where they fit together; raises BadInput with what to change.

    A coordinator names participants, a system is a partner and nothing else, and somebody without a role is nobody.
    """
    if not roles:
        raise BadInput(f"roles: none is given; give one or more of {', '.join(Role)}")
    if kind != "person" and roles != {Role.PARTNER}:
        raise BadInput(f"roles {_listed(roles)}: a system has the role partner alone; make a person for the others")
    if kind == "person" and Role.PARTNER in roles:
        raise BadInput("role partner: it is for systems; give a person coordinator, planner, auditor or administrator")
    if Role.COORDINATOR in roles and not participants:
        raise BadInput("role coordinator: participants are missing; name those the coordinator acts for")
    if participants and not roles & WITH_PARTICIPANTS:
        raise BadInput(f"participants {_listed(participants)}: only a coordinator or partner has any; leave them out")
    return roles


def checked_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """``scopes`` where each is known; raises BadInput."""
    for scope in sorted(scopes - SCOPES):
        raise BadInput(f"scope {scope!r} is not known; {did_you_mean(scope, SCOPES, f'known: {_listed(SCOPES)}')}")
    return scopes


def role_named(name: str) -> Role:
    """The role by its name; raises BadInput."""
    try:
        return Role(name)
    except ValueError:
        known = f"known: {', '.join(Role)}"
        raise BadInput(f"role {name!r} is not known; {did_you_mean(name, list(Role), known)}") from None


def _listed(names: frozenset[Any]) -> str:
    return " ".join(sorted(names))
