"""Requests and answers about forecasts and lines that are pushed."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN, OWN
from pooling.demand.pushed import Pushed, Result, Status
from pooling.demand.views import (
    MOST_LINES,
    PRICE,
    Codes,
    CorrectionReason,
    Count,
    CycleCode,
    ExternalId,
    HighQuantity,
    LineDetail,
    MappingName,
    Month,
    Quantity,
    SourceName,
    Word,
)


class ForecastBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One participant's yearly demand in one category, in the sender's unit and currency.

    It goes through the checks of a file's row: words are known by our codes and names, or by a stored mapping.
    """

    whole: ClassVar[Meta] = OWN
    participant: Word
    quantity: Annotated[Quantity, OWN]
    unit: Annotated[str, Meta(min_length=1, max_length=40, description="UNECE Rec 20 code, or a word for it")]
    unit_price: Annotated[
        str, Meta(pattern=PRICE, max_length=19, description="of `price_per` units; exact decimal"), OWN
    ]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
    price_basis: Literal["ex-vat", "inc-vat"]
    date: Annotated[date, Meta(description="the day the price is of; its ECB rate is taken")]
    earliest_start: Month
    latest_start: Month
    category: Word | None = None
    item_code: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    item_name: Word | None = None
    quantity_low: Annotated[Quantity | None, OWN] = None
    quantity_high: Annotated[HighQuantity | None, OWN] = None
    pack_size: Annotated[Count | None, OWN] = None
    price_per: Annotated[Count | None, OWN] = None
    vat_rate: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$", max_length=5, description="per cent")] | None, OWN
    ] = None
    delivered: bool | None = None
    window_source: Word | None = None
    required: Codes = []
    refused: Codes = []
    depth: Annotated[
        Literal["dialogue", "criteria", "framework", "joint"] | None,
        Meta(description="the most that it joins in; left out: as deep as the cycle goes"),
    ] = None


class BulkLine(ForecastBody, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A forecast with its id. ``version``: the one seen, 0 for none; left out: whichever there is."""

    external_id: ExternalId
    version: Annotated[int, Meta(ge=0, le=2**53), OPEN] | None = None


class Bulk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many forecasts of one system. ``mapping``: a stored mapping that explains the sender's own words.

    ``cycle``: that they are sent for; left out: the one that is open, if one is.
    """

    source: SourceName
    lines: Annotated[list[BulkLine], Meta(min_length=1, max_length=MOST_LINES)]
    mapping: MappingName | None = None
    cycle: CycleCode | None = None
    correction_reason: CorrectionReason | None = None


class ForecastHead(msgspec.Struct, frozen=True, kw_only=True):
    """Which forecast, whose, and as of when."""

    owner: ClassVar[tuple[str, ...]] = ("participant", "sent_as")
    whole: ClassVar[Meta] = OWN
    source: str
    external_id: str
    version: Annotated[int, OPEN]
    changed_at: datetime
    participant: str
    sent_as: str


class ForecastItem(ForecastHead, frozen=True, kw_only=True):
    """A forecast in a list; ``line`` is the one it is now."""

    line: Annotated[int, OPEN]


class ForecastPage(msgspec.Struct, frozen=True):
    """Forecasts by source and id."""

    items: list[ForecastItem]
    next_cursor: str | None


class ForecastView(ForecastHead, frozen=True, kw_only=True):
    """A forecast: as it was sent, and the line made of it."""

    sent: ForecastBody
    line: LineDetail
    warnings: list[str]


class FaultView(msgspec.Struct, frozen=True):
    """What is wrong in a forecast: ``pointer`` to the place in the request."""

    pointer: str
    code: str
    detail: str


class ResultView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one forecast."""

    external_id: str
    status: Status
    version: Annotated[int | None, OPEN]
    faults: list[FaultView]


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the forecasts of a request, in their order."""

    submission: UUID | None
    created: Annotated[int, OPEN]
    replaced: Annotated[int, OPEN]
    unchanged: Annotated[int, OPEN]
    refused: Annotated[int, OPEN]
    results: list[ResultView]
    warnings: list[str]


def result_view(number: int, result: Result) -> ResultView:
    """What became of the forecast with 0-based ``number``."""
    place = f"#/lines/{number}"
    return ResultView(
        external_id=result.external_id,
        status=result.status,
        version=result.version,
        faults=[
            FaultView(place + (f"/{fault.place}" if fault.place else ""), fault.code, fault.detail)
            for fault in result.faults
        ],
    )


def bulk_result(pushed: Pushed) -> BulkResult:
    """What became of a request."""
    return BulkResult(
        submission=pushed.submission,
        created=pushed.count("created"),
        replaced=pushed.count("replaced"),
        unchanged=pushed.count("unchanged"),
        refused=pushed.count("refused"),
        results=[result_view(number, result) for number, result in enumerate(pushed.results)],
        warnings=list(pushed.warnings),
    )
