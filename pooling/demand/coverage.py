"""Who has sent what for a cycle: by participant, by inhabitants, and by what they spent in the cycle before.

Inhabitants are counted once (`population_of`): a body that lies within another adds nothing beside it. The base of the
share by spend is the yearly spend of the lines frozen for the last cycle before this one, each counted for whoever
holds it by this cycle's last day; a first cycle has none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Float, cast, func, select
from sqlmodel import Session, col

from pooling.cycles import service as cycles
from pooling.cycles.service import CycleRecord
from pooling.demand import store
from pooling.demand.tables import CycleConfirmation, CycleLine, Line, Submission, SubmissionParticipant
from pooling.errors import BadInput
from pooling.reference import service as reference
from pooling.reference.rules import ParticipantRecord, population_of, rehome

MICRO = 1_000_000


class State(StrEnum):
    """What a participant has done for a cycle. Standing: nothing, but demand sent before is in force."""

    SENT = "sent"
    STANDING = "standing"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Held:
    """Lines in one hand; spend in EUR a year, ex VAT."""

    lines: int = 0
    spend_eur: float = 0.0


@dataclass(frozen=True, slots=True)
class Covered:
    """One participant. ``expected``: it exists on the cycle's last day; ``before``: in the cycle that is the base."""

    participant: str
    name: str
    expected: bool
    state: State
    sent_at: datetime | None
    submissions: int
    held: Held
    before: Held


@dataclass(frozen=True, slots=True)
class Coverage:
    """All participants by code. Inhabitants of those expected whose number is known; ``uncounted``: the others."""

    cycle: CycleRecord
    base: CycleRecord | None
    rows: tuple[Covered, ...]
    inhabitants: int
    inhabitants_sent: int
    uncounted: tuple[str, ...]

    def count(self, state: State) -> int:
        """How many of those expected are in this state."""
        return sum(row.expected and row.state is state for row in self.rows)

    @property
    def spend_eur(self) -> float:
        """Of all lines of the cycle, a year."""
        return sum(row.held.spend_eur for row in self.rows)

    @property
    def base_spend_eur(self) -> float | None:
        """Of all lines of the cycle before, a year; None: there is none."""
        return None if self.base is None else sum(row.before.spend_eur for row in self.rows)

    @property
    def share_not_sent(self) -> float | None:
        """Of the base's spend the share of those who have not sent; None where there is nothing to compare with."""
        base = self.base_spend_eur
        missing = sum(row.before.spend_eur for row in self.rows if row.state is not State.SENT)
        return missing / base if base else None


def of(session: Session, code: str) -> Coverage:
    """The coverage of a cycle: of what was frozen, or before it closed of what would be. Raises NotFound."""
    record = cycles.cycle_of(session, code)
    known = reference.participants(session)
    held = _held(session, code if record.frozen else None)
    base = cycles.earlier(session, code)
    before = {} if base is None else _rehomed(_held(session, base.code), record.closes_on, known)
    sent = _sent(session, code)
    expected = {key for key, participant in known.items() if participant.is_valid_on(record.closes_on)}
    rows = [
        Covered(
            participant=key,
            name=known[key].name,
            expected=key in expected,
            state=State.SENT if key in sent else State.STANDING if key in held else State.MISSING,
            sent_at=sent[key][0] if key in sent else None,
            submissions=sent[key][1] if key in sent else 0,
            held=held.get(key, Held()),
            before=before.get(key, Held()),
        )
        for key in sorted(expected | held.keys() | before.keys())
    ]
    counted = [key for key in expected if known[key].population is not None]
    return Coverage(
        cycle=record,
        base=base,
        rows=tuple(rows),
        inhabitants=population_of(counted, known),
        inhabitants_sent=population_of([key for key in counted if key in sent], known),
        uncounted=tuple(sorted(expected.difference(counted))),
    )


def not_sent(session: Session, code: str) -> list[str]:
    """The participants that are expected in a cycle and have sent nothing for it. Raises NotFound."""
    return [row.participant for row in of(session, code).rows if row.expected and row.state is not State.SENT]


def _held(session: Session, cycle: str | None) -> dict[str, Held]:
    """Lines and spend by who holds them: those frozen for a cycle, or (None) those in force."""
    spend = func.sum(cast(col(Line.quantity), Float) * cast(col(Line.unit_price_eur_micro), Float))
    wanted = select(col(Line.participant), func.count(), spend).group_by(col(Line.participant))
    if cycle is not None:
        wanted = wanted.join(CycleLine, col(CycleLine.line) == col(Line.id)).where(col(CycleLine.cycle) == cycle)
    else:
        wanted = wanted.join(Submission, col(Line.submission) == col(Submission.id))
        wanted = wanted.where(col(Submission.status) == store.ACCEPTED, col(Line.ended_at).is_(None))
    rows: Iterable[Any] = session.connection().execute(wanted)
    return {key: Held(int(lines), round(float(micro) / MICRO, 2)) for key, lines, micro in rows}


def _rehomed(held: Mapping[str, Held], on: date, known: Mapping[str, ParticipantRecord]) -> dict[str, Held]:
    """What was held by bodies that have ended by then, with their successors."""
    found: dict[str, Held] = {}
    for key, its in held.items():
        try:
            home = rehome(key, on, known)
        except BadInput:  # not there yet, or nobody has taken over: it stays where it is
            home = key
        so_far = found.get(home, Held())
        found[home] = Held(so_far.lines + its.lines, round(so_far.spend_eur + its.spend_eur, 2))
    return found


def _sent(session: Session, code: str) -> dict[str, tuple[datetime, int]]:
    """When each participant sent last for a cycle, and how many submissions; those withdrawn do not count. Forecasts
    that were sent again as they stood make no submission."""
    mine = col(SubmissionParticipant.submission) == col(Submission.id)
    wanted = select(col(SubmissionParticipant.participant), col(Submission.received_at)).join(Submission, mine)
    wanted = wanted.where(col(Submission.cycle) == code, col(Submission.status) != store.WITHDRAWN)
    found: dict[str, tuple[datetime, int]] = {}
    for key, at in session.connection().execute(wanted):
        last, times = found.get(key, (at, 0))
        found[key] = (max(last, at), times + 1)
    again = select(col(CycleConfirmation.participant), col(CycleConfirmation.at))
    for key, at in session.connection().execute(again.where(col(CycleConfirmation.cycle) == code)):
        last, times = found.get(key, (at, 0))
        found[key] = (max(last, at), times)
    return found
