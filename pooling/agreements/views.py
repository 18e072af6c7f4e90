"""Request and response models of call-offs. Values are EUR as exact decimals with two places."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.agreements.queries import CallOffRecord
from pooling.agreements.rules import LARGEST, Amounts
from pooling.agreements.service import Agreement, Ordered, Place
from pooling.bodies import REASON

EUR = r"^[0-9]{1,13}(\.[0-9]{1,2})?$"
Code = Annotated[str, Meta(min_length=1, max_length=40, description="of a participant")]
Standings = Literal["within", "near-estimate", "above-estimate", "maximum-reached"]


class NewCallOff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer calls off of one lot, named by its offer.

    ``quantity``: base units. ``value_eur``: ex VAT; left out, it is the quantity at the agreement's price.
    ``made_on``: left out, it is today. ``reference``: the buyer's own, such as an order number; it can stand once.
    """

    participant: Code
    offer: Annotated[str, Meta(min_length=1, max_length=120)]
    quantity: Annotated[int, Meta(ge=1, le=LARGEST)]
    reference: Annotated[str, Meta(min_length=1, max_length=120)]
    value_eur: Annotated[str, Meta(pattern=EUR, max_length=16)] | None = None
    made_on: date | None = None

    def ordered(self) -> Ordered:
        """As the service takes it."""
        value = None if self.value_eur is None else cents(self.value_eur)
        return Ordered(self.participant, self.offer, self.quantity, self.reference, value, self.made_on)


class Cancelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a call-off is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=2000, pattern=REASON)]


class CallOffView(msgspec.Struct, frozen=True, kw_only=True):
    """An order under an agreement. ``placed_as``: who made it, where a successor has taken it over since."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    id: UUID
    version: Annotated[int, OPEN]
    tender: UUID
    cycle: str
    participant: str
    placed_as: str
    offer: str
    category: str
    unit: str
    quantity: Annotated[int, OWN]
    value_eur: Annotated[str, OWN]
    made_on: date
    reference: str
    placed_at: datetime
    placed_by: UUID
    cancelled_at: datetime | None
    cancelled_by: UUID | None
    cancel_reason: str | None


class CallOffPage(msgspec.Struct, frozen=True):
    """Call-offs, the latest first."""

    items: list[CallOffView]
    next_cursor: str | None


class AllowanceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer may call off of a lot over the whole term, and has; ``left``: up to its maximum.

    The lot as a whole has a maximum too, which may be reached before that of each buyer. ``ends_before``: the first day
    on which nothing can be called off any more. ``held``: whether planners enter its next call-off.
    """

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    under: Annotated[str | None, Meta(description="of an associate, the lead: it signs for it")]
    offer: str
    offer_name: str
    category: str
    unit: str
    starts_on: date
    ends_before: date
    standing: Standings
    held: bool
    estimate_quantity: Annotated[int, OWN]
    maximum_quantity: Annotated[int, OWN]
    called_off_quantity: Annotated[int, OWN]
    left_quantity: Annotated[int, OWN]
    estimate_value_eur: Annotated[str, OWN]
    maximum_value_eur: Annotated[str, OWN]
    called_off_value_eur: Annotated[str, OWN]
    left_value_eur: Annotated[str, OWN]


class LotAllowanceView(msgspec.Struct, frozen=True, kw_only=True):
    """The same of all buyers of a lot together."""

    whole: ClassVar[Meta] = PLANNERS
    offer: str
    offer_name: str
    category: str
    unit: str
    starts_on: date
    ends_before: date
    standing: Standings
    estimate_quantity: Annotated[int, PLANNERS]
    maximum_quantity: Annotated[int, PLANNERS]
    called_off_quantity: Annotated[int, PLANNERS]
    left_quantity: Annotated[int, PLANNERS]
    estimate_value_eur: Annotated[str, PLANNERS]
    maximum_value_eur: Annotated[str, PLANNERS]
    called_off_value_eur: Annotated[str, PLANNERS]
    left_value_eur: Annotated[str, PLANNERS]


class AllowancesView(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement's buyers and lots, with what is left to each."""

    tender: UUID
    cycle: str
    family: str
    handed_over_at: datetime | None
    buyers: list[AllowanceView]
    lots: Annotated[list[LotAllowanceView], PLANNERS] | UnsetType = UNSET


class PlacedCallOff(msgspec.Struct, frozen=True, kw_only=True):
    """A call-off that was made, and what its buyer has left. ``warning``: in words, from 80 % of the estimate on."""

    call_off: CallOffView | UnsetType = UNSET
    allowance: AllowanceView | UnsetType = UNSET
    warning: str | None = None


WARNINGS = {
    "near-estimate": "80 % of the estimate are called off; prepare what comes after this agreement",
    "above-estimate": "more than the estimate is called off; nothing can be beyond the maximum",
    "maximum-reached": "the maximum is reached; nothing more can be called off",
}


def cents(text: str) -> int:
    """Of an exact amount such as 12.5."""
    whole, _, parts = text.partition(".")
    return int(whole) * 100 + int(parts.ljust(2, "0") or 0)


def euros(minor: int) -> str:
    """Cents as an exact amount with two places."""
    return f"{minor // 100}.{minor % 100:02d}"


def call_off_view(record: CallOffRecord) -> CallOffView:
    """A call-off as it is shown."""
    row = record.row
    same = ("id", "version", "tender", "participant", "placed_as", "quantity", "made_on", "reference", "placed_at")
    ended = ("placed_by", "cancelled_at", "cancelled_by", "cancel_reason")
    return CallOffView(
        **{name: getattr(row, name) for name in (*same, *ended)},
        **{name: getattr(record, name) for name in ("cycle", "offer", "category", "unit")},
        value_eur=euros(Amounts(0, row.value_eur_micro).value_minor),
    )


def allowance_view(place: Place) -> AllowanceView:
    """What one buyer has."""
    return AllowanceView(participant=place.participant, held=place.held, under=place.under, **_shown(place))


def allowances_view(agreement: Agreement) -> AllowancesView:
    """What all buyers have."""
    tender = agreement.tender
    return AllowancesView(
        tender=tender.id,
        cycle=tender.cycle,
        family=tender.family,
        handed_over_at=tender.handed_over_at,
        buyers=[allowance_view(place) for place in agreement.buyers],
        lots=[LotAllowanceView(**_shown(place)) for place in agreement.lots],
    )


def placed(record: CallOffRecord, agreement: Agreement) -> PlacedCallOff:
    """A call-off just made, beside what is left to its buyer."""
    place = next(
        each for each in agreement.buyers if (each.participant, each.lot.id) == (record.row.participant, record.row.lot)
    )
    warning = WARNINGS.get(place.allowance.standing)
    return PlacedCallOff(call_off=call_off_view(record), allowance=allowance_view(place), warning=warning)


def _shown(place: Place) -> dict[str, Any]:
    lot, allowance = place.lot, place.allowance
    amounts: dict[str, Amounts] = {
        "estimate": allowance.estimate,
        "maximum": allowance.maximum,
        "called_off": allowance.called_off,
        "left": allowance.left,
    }
    return {
        **{name: getattr(lot, name) for name in ("offer", "offer_name", "category", "unit")},
        "starts_on": place.term.starts_on,
        "ends_before": place.term.ends_before,
        "standing": allowance.standing.value,
        **{f"{name}_quantity": each.quantity for name, each in amounts.items()},
        **{f"{name}_value_eur": euros(each.value_minor) for name, each in amounts.items()},
    }
