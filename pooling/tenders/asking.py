"""What requests to tenders hold: every field bounded, unknown ones refused."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.bodies import REASON
from pooling.cycles.views import HowDeep
from pooling.errors import BadFields
from pooling.tenders.answering import Said
from pooling.tenders.changing import Changes
from pooling.tenders.facts import NOTHING, FactChanges
from pooling.tenders.judged import Range
from pooling.tenders.rules import MOST_QUANTITY, Answer

Code = Annotated[str, Meta(min_length=1, max_length=40)]
CategoryId = Annotated[str, Meta(min_length=1, max_length=80)]
Quantity = Annotated[int, Meta(ge=0, le=MOST_QUANTITY)]
High = Annotated[int, Meta(ge=0, le=2 * MOST_QUANTITY)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=REASON)]
LotId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Month = Annotated[str, Meta(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", max_length=7)]


class NewProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan whose pools become the cycle's tenders."""

    plan: UUID


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; members read it in the history, but for a review."""

    reason: Reason


class Inviting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until the end of which day members answer, where the cycle is, and why, which members read in the history."""

    due: date
    reason: Reason


class Rejecting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is given up; members read it in the history."""

    reason: Reason


class CategoryFactsGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What planners know of a category of the tender. Null takes a figure away; what is left out stays."""

    buying_share: (
        Annotated[float, Meta(ge=0, le=1, description="of the buyers together in what Nordic or EEA buyers buy of it")]
        | UnsetType
        | None
    ) = UNSET
    suppliers: (
        Annotated[int, Meta(ge=1, le=1000, description="with how many the agreement is to be made")] | UnsetType | None
    ) = UNSET


class FactsGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What planners know and the law asks for. Null takes a fact away; what is left out stays.

    ``central_government``: whether a buyer is a central government authority. ``environment_weight``: share of the
    award criteria. ``environment_reasons``: why environmental requirements are clearly better than a weight.
    ``agreement_signed``: whether buyers of several states have agreed on responsibilities, law and organisation.
    ``lot_reasons``: why it is not divided into lots. ``term_reasons``: why it may last longer than four years.
    ``option_months``: by which the agreement may be extended. ``main_cpv``: of one of its categories; left out,
    the CPV of the category with the largest value.
    ``categories``: by category; null takes all of a category away.
    """

    central_government: bool | UnsetType | None = UNSET
    environment_weight: Annotated[float, Meta(ge=0, le=1)] | UnsetType | None = UNSET
    environment_reasons: Reason | UnsetType | None = UNSET
    agreement_signed: bool | UnsetType | None = UNSET
    lot_reasons: Reason | UnsetType | None = UNSET
    term_reasons: Reason | UnsetType | None = UNSET
    option_months: Annotated[int, Meta(ge=1, le=120)] | UnsetType | None = UNSET
    main_cpv: Annotated[str, Meta(pattern=r"^[0-9]{8}(-[0-9])?$", max_length=10)] | UnsetType | None = UNSET
    categories: Annotated[dict[CategoryId, CategoryFactsGiven | None], Meta(max_length=200)] | UnsetType = UNSET

    def changes(self) -> FactChanges:
        """As the service takes them."""
        given = msgspec.to_builtins(self)
        return FactChanges(categories=given.pop("categories", {}), whole=given)


class ChangeTender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes; what is left out stays. An empty note takes the note away."""

    lead: Code | None = None
    depth: HowDeep | None = None
    locked: bool | None = None
    note: Annotated[str, Meta(max_length=4000)] | None = None
    due: date | None = None
    facts: FactsGiven | UnsetType = UNSET
    reason: Reason | None = None

    def changes(self) -> Changes:
        """As the service takes them."""
        facts = NOTHING if self.facts is UNSET else self.facts.changes()
        return Changes(self.lead, self.depth, self.locked, self.note, self.due, facts)


class Volume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member commits to in a lot, base units a year: expected, with its 10th and 90th percentiles."""

    lot: LotId
    quantity_low: Quantity
    quantity: Quantity
    quantity_high: High


class ProposedChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What would have to be otherwise for the member to commit."""

    start: Month | None = None
    criterion: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    volumes: Annotated[list[Volume], Meta(max_length=200)] | None = None


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member's answer. Volumes that are left out are those of its lines; who declines says why."""

    answer: Literal["commit", "decline", "change"]
    volumes: Annotated[list[Volume], Meta(max_length=200)] = msgspec.field(default_factory=list)
    conditions: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    reason: Reason | None = None
    change: ProposedChange | None = None

    def said(self) -> Said:
        """As the service takes it; raises BadFields with every fault."""
        proposed = (self.change.volumes if self.change else None) or []
        faults = [
            *_range_faults(self.volumes, "#/volumes"),
            *_range_faults(proposed, "#/change/volumes"),
            *self._contradictions(),
        ]
        if faults:
            raise BadFields(faults)
        volumes = {each.lot: Range(each.quantity_low, each.quantity, each.quantity_high) for each in self.volumes}
        change: dict[str, Any] | None = None if self.change is None else msgspec.to_builtins(self.change)
        return Said(ANSWERS[self.answer], volumes, self.conditions, self.reason, change)

    def _contradictions(self) -> list[tuple[str, str, str]]:
        found = []
        if self.answer == "decline" and self.reason is None:
            found.append(("#/reason", "missing", "say why: planners look for another way with it"))
        if self.answer == "change" and (self.change is None or not any(msgspec.to_builtins(self.change).values())):
            found.append(("#/change", "missing", "say what is to change: start, criterion or volumes"))
        if self.answer != "change" and self.change is not None:
            found.append(("#/change", "invalid", f"it goes with change, not with {self.answer}; leave it out"))
        if self.answer != "commit" and self.volumes:
            found.append(("#/volumes", "invalid", f"they go with commit, not with {self.answer}; leave them out"))
        return found


ANSWERS = {"commit": Answer.COMMITTED, "decline": Answer.DECLINED, "change": Answer.CHANGE}


def _range_faults(volumes: list[Volume], pointer: str) -> list[tuple[str, str, str]]:
    text = "give quantity_low up to quantity up to quantity_high"
    found = [
        (f"{pointer}/{place}", "out-of-range", text)
        for place, each in enumerate(volumes)
        if not each.quantity_low <= each.quantity <= each.quantity_high
    ]
    if len({each.lot for each in volumes}) != len(volumes):
        found.append((pointer, "invalid", "name each lot once"))
    return found


class AskAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and until when members answer; left out: as before."""

    reason: Reason
    due: date | None = None


class NewRepairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to look for what would bring a tender back."""

    time_limit_s: Annotated[float, Meta(gt=0, le=600)] = 20.0


class ApplyRepair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and until when members answer that are asked anew; left out: as before."""

    reason: Reason | None = None
    due: date | None = None
