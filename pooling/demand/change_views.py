"""How the differences of two submissions are shown."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN, OWN
from pooling.calls import Call, Reply
from pooling.demand.comparing import Difference, Kind
from pooling.demand.shown import money
from pooling.demand.versions import Compared
from pooling.paging import Page, Window


class LineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a line said: base units a year, price of a base unit ex VAT."""

    whole: ClassVar[Meta] = OWN
    id: Annotated[int, OPEN]
    participant: str
    quantity: Annotated[int, OWN]
    quantity_low: Annotated[int, OWN]
    quantity_high: Annotated[int, OWN]
    unit_price: Annotated[str, OWN]
    currency: str
    earliest_start: str
    latest_start: str
    required: list[str]
    refused: list[str]
    delivered: bool | None
    depth: str | None


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was added, removed or changed. ``fields``: what of it changed."""

    owner: ClassVar[tuple[str, ...]] = ("participant", "sent_as")
    whole: ClassVar[Meta] = OWN
    kind: str
    participant: str
    sent_as: str
    category: str
    item_code: str | None
    external_id: str | None
    fields: list[str]
    before: LineFigures | None
    after: LineFigures | None


class SubmissionChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is different: what is there now by its line, then what is gone. Lines that say the same are left out.

    ``against`` null: there is no version before, or each forecast is compared with what it was.
    """

    owner: ClassVar[str] = "participants"
    submission: UUID
    against: UUID | None
    participants: list[str]
    added: Annotated[int, OPEN]
    removed: Annotated[int, OPEN]
    changed: Annotated[int, OPEN]
    items: list[ChangeView]
    next_cursor: str | None


def changes_page(call: Call, found: Compared, window: Window) -> Reply:
    """A page of the differences, with how many there are in all."""
    after = None if window.after is None else tuple(window.after)
    left = [each for each in found.differences if after is None or each.place > after]
    shown = tuple(left[: window.limit])
    page = Page(shown, shown[-1].place if len(left) > window.limit else None)

    def model(items: list[Any], next_cursor: str | None) -> SubmissionChanges:
        return SubmissionChanges(
            submission=found.submission,
            against=found.against,
            participants=list(found.owners),
            added=found.count(Kind.ADDED),
            removed=found.count(Kind.REMOVED),
            changed=found.count(Kind.CHANGED),
            items=items,
            next_cursor=next_cursor,
        )

    return call.page(page, model, view=_change)


def _change(difference: Difference) -> ChangeView:
    line = difference.line
    return ChangeView(
        kind=difference.kind,
        participant=line.participant,
        sent_as=line.sent_as,
        category=line.category,
        item_code=line.item_code,
        external_id=line.external_id,
        fields=["unit_price" if name == "unit_price_micro" else name for name in difference.fields],
        before=_figures(difference.before),
        after=_figures(difference.after),
    )


def _figures(line: Any | None) -> LineFigures | None:
    if line is None:
        return None
    same = [name for name in LineFigures.__struct_fields__ if name not in ("unit_price", "required", "refused")]
    return LineFigures(
        **{name: getattr(line, name) for name in same},
        unit_price=money(line.unit_price_micro),
        required=line.required.split(),
        refused=line.refused.split(),
    )
