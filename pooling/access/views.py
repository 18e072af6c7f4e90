"""Request and response models of the access API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access import keys, people, principals
from pooling.access.projection import OPEN
from pooling.access.rules import Principal, Role
from pooling.smtp import MOST_EMAIL

Code = Annotated[str, Meta(min_length=1, max_length=40, description="code of a participant")]
Label = Annotated[
    str, Meta(min_length=1, max_length=keys.MAX_LABEL, description="what it is for, for those who keep it")
]
Scopes = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=20)]
RoleName = Literal["coordinator", "planner", "partner", "auditor", "administrator"]
Roles = Annotated[list[RoleName], Meta(min_length=1, max_length=5)]
Codes = Annotated[list[Code], Meta(max_length=200)]
Email = Annotated[str, Meta(min_length=3, max_length=MOST_EMAIL)]


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown: never the key itself, which is kept nowhere."""

    id: UUID
    principal: UUID
    prefix: Annotated[str, Meta(description="the first characters, to tell keys apart")]
    label: str
    scopes: list[str]
    once: Annotated[bool, Meta(description="a one-time secret: good for making a key, and spent by it")]
    live: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Meta(description="to five minutes")]
    revoked_at: datetime | None
    version: Annotated[int, OPEN]
    secret: Annotated[str | UnsetType, Meta(description="the key itself, in the first answer only")] = UNSET


class KeyPage(msgspec.Struct, frozen=True):
    """Keys in the order of their ids."""

    items: list[KeyView]
    next_cursor: str | None


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to make: one's own, or by an administrator for a partner system."""

    label: Label
    principal: Annotated[UUID | None, Meta(description="whose; none: one's own")] = None
    scopes: Annotated[Scopes, Meta(description="of a partner system; a person's key has the rights of the person")] = []
    days: Annotated[int, Meta(ge=1, le=keys.MOST_DAYS, description="how long it is good")] = keys.DAYS


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key's change to its successor."""

    overlap_hours: Annotated[
        int, Meta(ge=0, le=keys.MOST_OVERLAP_HOURS, description="how long the old key stays good")
    ] = keys.OVERLAP_HOURS


class IdentityView(msgspec.Struct, frozen=True, kw_only=True):
    """Under what an issuer knows a principal; ``organisation_id`` and ``delegate`` are a system's, ISO 6523."""

    issuer: str
    subject: str
    organisation_id: str | None = None
    delegate: str | None = None


class PrincipalView(msgspec.Struct, frozen=True, kw_only=True):
    """A person or partner system; ``name`` is null once it was erased."""

    id: UUID
    kind: Literal["person", "key", "machine"]
    name: str | None
    roles: list[RoleName]
    participants: list[str]
    employer: str | None
    identities: list[IdentityView]
    created_at: datetime
    revoked_at: datetime | None
    erased_at: datetime | None
    version: Annotated[int, OPEN]
    invitation: Annotated[str | UnsetType, Meta(description="a person's one-time secret, in the first answer only")] = (
        UNSET
    )


class PrincipalPage(msgspec.Struct, frozen=True):
    """Principals in the order of their ids."""

    items: list[PrincipalView]
    next_cursor: str | None


class NewIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A subject of a configured issuer."""

    issuer: Annotated[str, Meta(min_length=1, max_length=400)]
    subject: Annotated[str, Meta(min_length=1, max_length=400)]


class NewPrincipal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody to let in: a person, or a partner system that will come with keys."""

    kind: Literal["person", "key"]
    name: Annotated[str, Meta(min_length=1, max_length=people.MAX_NAME)]
    roles: Roles
    participants: Codes = []
    employer: Code | None = None
    identities: Annotated[list[NewIdentity], Meta(max_length=10)] = []
    email: Annotated[Email | None, Meta(description="a person's, for notices")] = None


class NewContact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where one wants to be reached; null: not by e-mail."""

    email: Email | None


class NewRights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rights of a principal, all of them."""

    roles: Roles
    participants: Codes = []
    employer: Code | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time secret for a person: with it they make their own key, once, before it expires."""

    principal: UUID
    expires_at: datetime
    secret: Annotated[str | UnsetType, Meta(description="in the first answer only")] = UNSET


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who the service takes the asker for."""

    id: UUID
    kind: Literal["person", "key", "machine"]
    name: str | None
    roles: list[RoleName]
    participants: Annotated[list[str], Meta(description="those one acts for or belongs to")]
    scopes: list[str]
    sees_all: Annotated[bool, Meta(description="whether every participant's figures may be seen")]
    delegate: Annotated[
        str | None, Meta(description="ISO 6523 id of the supplier that comes in the organisation's place")
    ]
    key: Annotated[UUID | None, Meta(description="the key that was sent; null for a token")]
    once: Annotated[bool, Meta(description="came with a one-time secret")]
    email: Annotated[str | None, Meta(description="where notices go beside /v1/notices")]


def key_view(key: keys.Key, now: datetime, secret: str | UnsetType = UNSET) -> KeyView:
    """A key as it is shown; ``secret`` only where it was just made."""
    return KeyView(
        id=key.id,
        principal=key.principal,
        prefix=key.prefix,
        label=key.label,
        scopes=sorted(key.scopes),
        once=key.once,
        live=key.is_live(now),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        version=key.version,
        secret=secret,
    )


def principal_view(record: principals.Record, invitation: str | UnsetType = UNSET) -> PrincipalView:
    """A principal as it is shown; ``invitation`` only where it was just made."""
    return PrincipalView(
        id=record.id,
        kind=record.kind,
        name=record.name,
        roles=role_names(record.roles),
        participants=sorted(record.participants),
        employer=record.employer,
        identities=[
            IdentityView(
                issuer=each.issuer,
                subject=each.subject,
                organisation_id=each.organisation_id or None,
                delegate=each.delegate or None,
            )
            for each in record.identities
        ],
        created_at=record.created_at,
        revoked_at=record.revoked_at,
        erased_at=record.erased_at,
        version=record.version,
        invitation=invitation,
    )


def me_view(who: Principal, name: str | None, email: str | None) -> Me:
    """The asker as it is shown to itself."""
    return Me(
        id=who.id,
        kind=who.kind,
        name=name,
        roles=role_names(who.roles),
        participants=sorted(who.participants),
        scopes=sorted(who.scopes),
        sees_all=who.sees.all,
        delegate=who.delegate,
        key=who.key,
        once=who.once,
        email=email,
    )


def role_names(roles: frozenset[Role]) -> list[RoleName]:
    """Roles by their names, in order."""
    return sorted(role.value for role in roles)
