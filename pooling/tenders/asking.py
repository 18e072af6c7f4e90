"""What requests to tenders hold: every field bounded, unknown ones refused."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.cycles.views import HowDeep
from pooling.errors import BadFields
from pooling.tenders.answering import Said
from pooling.tenders.deciding import Changes
from pooling.tenders.judging import Range
from pooling.tenders.rules import Answer

Code = Annotated[str, Meta(min_length=1, max_length=40)]
Quantity = Annotated[int, Meta(ge=0, le=10**15)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]
LotId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Month = Annotated[str, Meta(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", max_length=7)]


class NewProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan whose pools become the cycle's tenders."""

    plan: UUID


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason | None = None


class Inviting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until the end of which day members answer, where the cycle is, and why."""

    due: date
    reason: Reason | None = None


class Rejecting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is given up."""

    reason: Reason


class ChangeTender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes; what is left out stays. An empty note takes the note away."""

    lead: Code | None = None
    depth: HowDeep | None = None
    locked: bool | None = None
    note: Annotated[str, Meta(max_length=4000)] | None = None
    due: date | None = None
    reason: Reason | None = None

    def changes(self) -> Changes:
        """As the service takes them."""
        return Changes(self.lead, self.depth, self.locked, self.note, self.due)


class Volume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member commits to in a lot, base units a year: expected, with its 10th and 90th percentiles."""

    lot: LotId
    quantity_low: Quantity
    quantity: Quantity
    quantity_high: Quantity


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
        faults = [*_range_faults(self.volumes), *self._contradictions()]
        if faults:
            raise BadFields(faults)
        volumes = {each.lot: Range(each.quantity_low, each.quantity, each.quantity_high) for each in self.volumes}
        change: dict[str, Any] | None = None if self.change is None else msgspec.to_builtins(self.change)
        return Said(ANSWERS[self.answer], volumes, self.conditions, self.reason, change)

    def _contradictions(self) -> list[tuple[str, str, str]]:
        found = []
        if self.answer == "decline" and self.reason is None:
            found.append(("#/reason", "missing", "say why: planners look for another way with it"))
        if self.answer == "change" and (self.change is None or self.change == ProposedChange()):
            found.append(("#/change", "missing", "say what is to change: start, criterion or volumes"))
        if self.answer != "change" and self.change is not None:
            found.append(("#/change", "invalid", f"it goes with change, not with {self.answer}; leave it out"))
        if self.answer != "commit" and self.volumes:
            found.append(("#/volumes", "invalid", f"they go with commit, not with {self.answer}; leave them out"))
        if len({each.lot for each in self.volumes}) != len(self.volumes):
            found.append(("#/volumes", "invalid", "name each lot once"))
        return found


ANSWERS = {"commit": Answer.COMMITTED, "decline": Answer.DECLINED, "change": Answer.CHANGE}


def _range_faults(volumes: list[Volume]) -> list[tuple[str, str, str]]:
    text = "give quantity_low up to quantity up to quantity_high"
    return [
        (f"#/volumes/{place}", "out-of-range", text)
        for place, each in enumerate(volumes)
        if not each.quantity_low <= each.quantity <= each.quantity_high
    ]


class NewRepairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to look for what would bring a tender back."""

    time_limit_s: Annotated[float, Meta(gt=0, le=600)] = 20.0


class ApplyRepair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and until when members answer that are asked anew; left out: as before."""

    reason: Reason | None = None
    due: date | None = None
