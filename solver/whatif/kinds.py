"""What a change to an instance is, and the kinds about what is forbidden, the policy, participants and offers.

Every kind is a frozen dataclass: ``of`` gives the changed instance, ``families`` tells whose lots it can touch. Only
what a change touches is built again and checked, so that one line among a million costs no new reading. Decided pools
(``fixed``) stand as given whatever changes around them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, ClassVar, Protocol, TypeVar

from solver.checks import refuse, texts
from solver.errors import Fault, InvalidInstance
from solver.instance import Forbidden, Instance, Line, Offer, Participant, Policy, Tier
from solver.instance.cutting import with_parts
from solver.reading import read_part, written

Part = TypeVar("Part", Policy, Participant, Offer)
DECIDED = "it stands in a decided pool, which stands as given: take the pool out of fixed first"


class Change(Protocol):
    """One change; what is wrong with it raises `InvalidInstance`, the faults' paths relative to the change."""

    kind: ClassVar[str]

    def of(self, instance: Instance) -> Instance:
        """The instance with the change made."""

    def families(self, instance: Instance) -> frozenset[str]:
        """The families whose lots it can touch, by the instance before the change."""


def refuse_at(path: str, value: object, remedy: str) -> None:
    raise InvalidInstance([Fault(path, value, remedy)])


def families_of(instance: Instance, lines: Iterable[Line]) -> frozenset[str]:
    family = {category.id: category.family for category in instance.categories}
    return frozenset(family[line.category] for line in lines)


def decided(instance: Instance) -> frozenset[str]:
    return frozenset(line for pool in instance.fixed for lot in pool.lots for line in lot.lines)


def known(instance: Instance, **names: str | None) -> None:
    """Refuses an id that its list does not have."""
    for name, value in names.items():
        listed = getattr(instance, f"{name}s")
        if value is not None and all(part.id != value for part in listed):
            refuse_at(name, value, f"name one of {name}s")


# What is forbidden ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OfForbidden:
    """An entry of ``forbidden``; what is None fits any, at least one field must be given."""

    participant: str | None = None
    line: str | None = None
    family: str | None = None
    offer: str | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        self.entry()

    def entry(self) -> Forbidden:
        return Forbidden(self.participant, self.line, self.family, self.offer, self.start)

    def families(self, instance: Instance) -> frozenset[str]:
        offers = {offer.category for offer in instance.offers if self.offer in (None, offer.id)}
        fitting = (
            line
            for line in instance.lines
            if self.participant in (None, line.participant) and self.line in (None, line.id)
        )
        inside = families_of(instance, (line for line in fitting if self.offer is None or line.category in offers))
        return inside if self.family is None else inside & {self.family}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenAdded(OfForbidden):
    """One more entry of ``forbidden``: a line or participant forced out of pools, a start closed to a family."""

    kind: ClassVar[str] = "forbidden_added"

    def of(self, instance: Instance) -> Instance:
        known(instance, participant=self.participant, line=self.line, offer=self.offer)
        if self.family is not None and all(category.family != self.family for category in instance.categories):
            refuse_at("family", self.family, "name the family of one of categories")
        if self.line is not None and self.line in decided(instance):
            refuse_at("line", self.line, DECIDED)
        return with_parts(instance, forbidden=(*instance.forbidden, self.entry()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenDropped(OfForbidden):
    """The entry of ``forbidden`` with exactly these fields no longer holds."""

    kind: ClassVar[str] = "forbidden_dropped"

    def of(self, instance: Instance) -> Instance:
        remaining = tuple(entry for entry in instance.forbidden if entry != self.entry())
        if len(remaining) == len(instance.forbidden):
            refuse_at("", self.entry(), "name an entry of forbidden, with all its fields")
        return with_parts(instance, forbidden=remaining)


# Policy, participants, offers ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged:
    """Fields of the policy with new values; a mapping or list is replaced as a whole."""

    kind: ClassVar[str] = "policy_changed"
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        refuse(_unusable(self.values, Policy, kept=()))

    def of(self, instance: Instance) -> Instance:
        return with_parts(instance, policy=_renewed(instance.policy, self.values))

    def families(self, instance: Instance) -> frozenset[str]:
        return families_of(instance, instance.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantChanged:
    """Fields of a participant with new values: its limits, whether it may lead."""

    kind: ClassVar[str] = "participant_changed"
    participant: str
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        refuse(chain(texts(participant=self.participant), _unusable(self.values, Participant, kept=("id",))))

    def of(self, instance: Instance) -> Instance:
        known(instance, participant=self.participant)
        people = tuple(_renewed(p, self.values) if p.id == self.participant else p for p in instance.participants)
        return with_parts(instance, participants=people)

    def families(self, instance: Instance) -> frozenset[str]:
        return families_of(instance, (line for line in instance.lines if line.participant == self.participant))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferChanged:
    """Fields of an offer with new values; ``tiers`` as `Tier` or as the format writes them."""

    kind: ClassVar[str] = "offer_changed"
    offer: str
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        refuse(chain(texts(offer=self.offer), _unusable(self.values, Offer, kept=("id", "category"))))

    def of(self, instance: Instance) -> Instance:
        known(instance, offer=self.offer)
        offers = tuple(_renewed(o, self.values) if o.id == self.offer else o for o in instance.offers)
        return with_parts(instance, offers=offers)

    def families(self, instance: Instance) -> frozenset[str]:
        categories = {offer.category for offer in instance.offers if offer.id == self.offer}
        return families_of(instance, (line for line in instance.lines if line.category in categories))


def _unusable(values: object, of: type[Any], *, kept: Collection[str]) -> Iterator[Fault]:
    """What makes new values of a part unusable before they are tried on it."""
    if not isinstance(values, Mapping) or not values:
        yield Fault("values", values, "give an object: field to its new value")
        return
    names = {declared.name for declared in fields(of)} - set(kept)
    for name in values:
        if name not in names:
            yield Fault(f"values.{name}", values[name], f"remove it: {', '.join(sorted(names))} can change")


def _renewed(part: Part, values: Mapping[str, Any]) -> Part:
    """The part read again with the new values; the faults' paths begin with ``values``."""
    given = {name: _as_document(value) for name, value in values.items()}
    return read_part(type(part), {**written(part), **given}, "values")


def _as_document(value: object) -> object:
    """A value, or a list of values, as the format writes it."""
    if isinstance(value, list | tuple):
        return [_as_written(entry) for entry in value]
    return _as_written(value)


def _as_written(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return written(value) if isinstance(value, Tier) else value
