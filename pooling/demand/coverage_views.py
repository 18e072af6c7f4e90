"""How the coverage of a cycle is shown: to coordinators their own row, and nothing of what others spend."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.demand.coverage import Coverage, Covered, State

BASE = "yearly spend of the lines frozen for cycle {}, each counted for whoever holds it by this cycle's last day"
NO_BASE = "no cycle before this one is closed, so there is no spend to compare with"


class CoverageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One participant. ``state``: sent, standing (nothing sent for this cycle, demand from before counts), missing.

    ``expected``: it exists on the cycle's last day; a body to come has a row where it will hold lines.
    """

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    name: str
    expected: bool
    state: str
    sent_at: datetime | None
    submissions: Annotated[int, OWN]
    lines: Annotated[int, OWN]
    spend_eur_per_year: Annotated[float, OWN]
    base_spend_eur_per_year: Annotated[float | None, OWN]


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """Who has sent what for a cycle. Counts are of participants expected; spend is EUR a year ex VAT.

    Inhabitants are counted once where bodies overlap; ``uncounted``: participants whose number is not known.
    ``share_not_sent``: of the base's spend that of all who have not sent, ``base`` says what that is.
    """

    cycle: str
    status: str
    expected: Annotated[int, OPEN]
    sent: Annotated[int, OPEN]
    standing: Annotated[int, OPEN]
    missing: Annotated[int, OPEN]
    base: str
    base_cycle: str | None
    inhabitants: Annotated[int, PLANNERS] | UnsetType = UNSET
    inhabitants_sent: Annotated[int, PLANNERS] | UnsetType = UNSET
    uncounted: Annotated[list[str], PLANNERS] | UnsetType = UNSET
    spend_eur_per_year: Annotated[float, PLANNERS] | UnsetType = UNSET
    base_spend_eur_per_year: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    share_not_sent: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    participants: list[CoverageRow]


def coverage_view(found: Coverage) -> CoverageView:
    """The coverage of a cycle."""
    base = found.base
    return CoverageView(
        cycle=found.cycle.code,
        status=found.cycle.status,
        expected=sum(row.expected for row in found.rows),
        sent=found.count(State.SENT),
        standing=found.count(State.STANDING),
        missing=found.count(State.MISSING),
        base=NO_BASE if base is None else BASE.format(base.code),
        base_cycle=None if base is None else base.code,
        inhabitants=found.inhabitants,
        inhabitants_sent=found.inhabitants_sent,
        uncounted=list(found.uncounted),
        spend_eur_per_year=round(found.spend_eur, 2),
        base_spend_eur_per_year=None if found.base_spend_eur is None else round(found.base_spend_eur, 2),
        share_not_sent=None if found.share_not_sent is None else round(found.share_not_sent, 6),
        participants=[_row(row, with_base=base is not None) for row in found.rows],
    )


def _row(row: Covered, *, with_base: bool) -> CoverageRow:
    return CoverageRow(
        participant=row.participant,
        name=row.name,
        expected=row.expected,
        state=row.state,
        sent_at=row.sent_at,
        submissions=row.submissions,
        lines=row.held.lines,
        spend_eur_per_year=row.held.spend_eur,
        base_spend_eur_per_year=row.before.spend_eur if with_base else None,
    )
