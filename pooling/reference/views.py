"""Request and response models of reference data."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN
from pooling.reference.rules import CriterionRecord, ParticipantRecord, SigningBodyRecord, closure

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", max_length=40)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", max_length=80)]
CriterionCode = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", max_length=60)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", max_length=2, description="ISO 3166")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", max_length=3, description="ISO 4217")]
Unit = Annotated[str, Meta(pattern=r"^[A-Z0-9]{2,3}$", max_length=3, description="UNECE Recommendation 20")]
Text40 = Annotated[str, Meta(min_length=1, max_length=40)]
Text100 = Annotated[str, Meta(min_length=1, max_length=100)]
Text200 = Annotated[str, Meta(min_length=1, max_length=200)]
Text400 = Annotated[str, Meta(min_length=1, max_length=400)]
Organisation = Annotated[str, Meta(min_length=6, max_length=80, description="ISO 6523, such as 0192:923609016")]
Cpv = Annotated[str, Meta(pattern=r"^[0-9]{8}(-[0-9])?$", max_length=10)]
Emdn = Annotated[str, Meta(pattern=r"^[A-Z][0-9]{0,11}$", max_length=12)]
Limited = Annotated[int, Meta(ge=0, le=1_000_000)]
People = Annotated[int, Meta(ge=1, le=10_000_000_000)]
Year = Annotated[int, Meta(ge=1900, le=2200)]


class SigningBodyView(msgspec.Struct, frozen=True):
    """The body that signs; a pool led by one of its participants follows its law."""

    code: str
    name: str
    country: str
    law: str
    language: str
    complaint_board: str
    source: str
    version: Annotated[int, OPEN]


class ParticipantView(msgspec.Struct, frozen=True):
    """A body with demand of its own; ``valid_to`` is the first day it no longer exists."""

    code: str
    name: str
    country: str
    currency: str
    contracting_authority: bool
    may_lead: bool
    max_leads: Annotated[int | None, OPEN]
    max_pools_per_quarter: Annotated[int | None, OPEN]
    signing_body: SigningBodyView
    valid_from: date | None
    valid_to: date | None
    successor: str | None
    population: Annotated[int | None, OPEN]
    population_year: Annotated[int | None, OPEN]
    population_overlaps: bool
    population_within: str | None
    organisation_id: str | None
    source: str
    version: Annotated[int, OPEN]


class CategoryView(msgspec.Struct, frozen=True):
    """What can be bought together; volumes are pooled in ``base_unit`` (UNECE Rec 20)."""

    id: str
    family: str
    name: str
    cpv: str | None
    cpv_name: str | None
    emdn: str | None
    unit: str
    base_unit: str
    source: str
    version: Annotated[int, OPEN]


class CriterionView(msgspec.Struct, frozen=True):
    """A green or social demand; ``implies`` holds all that whoever meets it meets too, directly or through others."""

    code: str
    name: str
    framework: str
    level: str | None
    eforms_list: str
    eforms_code: str
    proof: str
    implies_directly: list[str]
    implies: list[str]
    source: str
    version: Annotated[int, OPEN]


class ParticipantPage(msgspec.Struct, frozen=True):
    """Participants by code, ended and future ones too."""

    items: list[ParticipantView]
    next_cursor: str | None


class SigningBodyPage(msgspec.Struct, frozen=True):
    """Signing bodies by code."""

    items: list[SigningBodyView]
    next_cursor: str | None


class CategoryPage(msgspec.Struct, frozen=True):
    """Categories by id."""

    items: list[CategoryView]
    next_cursor: str | None


class CriterionPage(msgspec.Struct, frozen=True):
    """Criteria by code."""

    items: list[CriterionView]
    next_cursor: str | None


class SigningBodyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signing body as it shall be."""

    name: Text200
    country: Country
    law: Text200
    language: Text100
    complaint_board: Text200
    source: Text400


class ParticipantBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant as it shall be, whole: what is left out is not known or has no limit.

    Without ``signing_body`` it signs for itself.
    """

    name: Text200
    country: Country
    currency: Currency
    contracting_authority: bool
    may_lead: bool
    source: Text400
    max_leads: Limited | None = None
    max_pools_per_quarter: Limited | None = None
    signing_body: Code | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: Code | None = None
    population: People | None = None
    population_year: Year | None = None
    population_overlaps: bool = False
    population_within: Code | None = None
    organisation_id: Organisation | None = None


class CategoryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A category as it shall be. Without ``base_unit`` a mass pools in grams, a volume in millilitres, others as is."""

    family: Slug
    name: Text200
    unit: Unit
    source: Text400
    base_unit: Unit | None = None
    cpv: Cpv | None = None
    cpv_name: Text200 | None = None
    emdn: Emdn | None = None


class CriterionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A criterion as it shall be; ``implies_directly`` names the criteria that whoever meets it meets too."""

    name: Text200
    framework: Text100
    eforms_list: Text40
    eforms_code: Text40
    proof: Text400
    source: Text400
    level: Text40 | None = None
    implies_directly: Annotated[list[CriterionCode], Meta(max_length=50)] = []


def same(record: Any, answer: type[Any], **more: Any) -> Any:
    """``answer`` filled from the fields of the same name; only fields it names can leave."""
    names = [field.name for field in msgspec.structs.fields(answer)]
    return answer(**{name: more[name] if name in more else getattr(record, name) for name in names})


def signing_body_view(record: SigningBodyRecord, versions: Mapping[str, int]) -> SigningBodyView:
    """A signing body as it is shown."""
    made: SigningBodyView = same(record, SigningBodyView, version=versions[record.code])
    return made


def participant_view(
    record: ParticipantRecord, bodies: Mapping[str, SigningBodyView], versions: Mapping[str, int]
) -> ParticipantView:
    """A participant as it is shown, with who signs for it."""
    more = {"signing_body": bodies[record.signing_body], "version": versions[record.code]}
    made: ParticipantView = same(record, ParticipantView, **more)
    return made


def criterion_view(
    record: CriterionRecord, implications: Mapping[str, frozenset[str]], versions: Mapping[str, int]
) -> CriterionView:
    """A criterion as it is shown."""
    directly = sorted(implications.get(record.code, ()))
    implied = sorted(closure({record.code}, implications) - {record.code})
    made: CriterionView = same(
        record, CriterionView, implies_directly=directly, implies=implied, version=versions[record.code]
    )
    return made
