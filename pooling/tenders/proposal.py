"""A plan's pools taken up in a cycle as its tenders."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from pooling.cycles import service as cycles
from pooling.cycles.rules import CycleRecord
from pooling.demand import service as demand
from pooling.errors import BadFields, WrongState
from pooling.planning import service as planning
from pooling.tenders import queries
from pooling.tenders.copying import Source, copy
from pooling.tenders.rules import Status
from pooling.tenders.tables import Tender
from pooling.tenders.telling import Act, told

MOST_NAMED = 5
REPLACED = "another plan was made the proposal of the cycle"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a proposal did: tenders that it made, that stayed as they were, and that it took back to make room."""

    cycle: CycleRecord
    made: tuple[UUID, ...]
    kept: tuple[UUID, ...]
    replaced: tuple[UUID, ...]


def propose(
    session: Session, code: str, plan: UUID, *, now: datetime, by: UUID, expect: Callable[[int], None]
) -> Proposed:
    """Take a plan's pools up as the cycle's tenders; those neither invited nor locked make room for them.

    Raises NotFound, WrongState where the cycle is not closed, a pool has lines of a tender that stays or a line on an
    offer that its participant declined, and BadFields where the plan pools lines that are not the cycle's.
    """
    cycles.lock(session)
    expect(cycles.cycle_of(session, code).version)
    stored = planning.stored_plan(session, planning.plan_named(session, plan))
    cycle = cycles.mark_planned(session, code, plan, now, policy=stored.frozen.policy)
    replaced = _make_room(session, code, plan, now=now, by=by)
    pools, kept = _new(stored.document["pools"], queries.standing_lines(session, code))
    _only_of_cycle(session, code, pools)
    _none_declined(session, code, pools)
    lines = demand.lines_of(session, sorted(_lines(pools)))
    own = {row["id"]: (row["depth"], row["item_code"]) for row in lines.iter_rows(named=True)}
    source = Source(cycle, stored, own, queries.plan_pools(session, plan))
    made = tuple(copy(session, source, pool, now=now, by=by) for pool in pools)
    return Proposed(cycle, made, kept, replaced)


def _lines(pools: Iterable[Document]) -> set[int]:
    return {int(line) for pool in pools for lot in pool["lots"] for line in lot["lines"]}


def _make_room(session: Session, code: str, plan: UUID, *, now: datetime, by: UUID) -> tuple[UUID, ...]:
    """Take back the cycle's tenders that a new proposal may replace."""
    free = [Status.PROPOSED, Status.REVIEWED]
    wanted = select(Tender).where(Tender.cycle == code, col(Tender.status).in_(free)).order_by(col(Tender.id))
    gone = []
    for row in session.exec(wanted.with_for_update()).all():
        if row.locked or row.status not in free:  # somebody may have invited while this waited
            continue
        before, row.status, row.ended_at = row.status, Status.REJECTED, now
        act = Act("replaced", "tenders.replace", now, by, REPLACED, details={"plan": str(plan)})
        told(session, row, act, before=before)
        gone.append(row.id)
    return tuple(gone)


def _new(pools: Sequence[Document], standing: Mapping[UUID, queries.Stands]) -> tuple[list[Document], tuple[UUID, ...]]:
    """The pools that are no tender yet, and the tenders that the others are. Raises WrongState where they clash."""
    new, kept = [], []
    for pool in pools:
        lines, place = _lines([pool]), (pool["family"], pool["start"])
        clash = [key for key, there in standing.items() if lines & there.lines or there.place == place]
        if not clash:
            new.append(pool)
        elif len(clash) == 1 and standing[clash[0]].place == place and lines <= standing[clash[0]].lines:
            kept.append(clash[0])
        else:
            named = ", ".join(str(key) for key in clash[:MOST_NAMED])
            raise WrongState(
                f"pool {place[0]} {place[1]} of the plan: its lines or its start are those of tender {named}, which"
                " stands; ask for a run of the cycle, which leaves such tenders as they are, and propose its plan"
            )
    return new, tuple(kept)


def _none_declined(session: Session, code: str, pools: Sequence[Document]) -> None:
    """A run of the cycle is told what was declined until then; a plan from before it is not."""
    declined = {
        (line.line, offer): line.participant
        for line, offer, _ in queries.declined_lines(session, cycles.up_to(session, code))
    }
    asked = [(pool, int(line), lot["offer"]) for pool in pools for lot in pool["lots"] for line in lot["lines"]]
    again = [(pool, line, offer) for pool, line, offer in asked if (line, offer) in declined]
    if again:
        pool, line, offer = again[0]
        raise WrongState(
            f"pool {pool['family']} {pool['start']} of the plan: {declined[line, offer]} has declined offer {offer!r}"
            f" for its line {line}, {len(again)} such in all; ask for a new run of the cycle, which knows what was"
            " declined, and propose its plan"
        )


def _only_of_cycle(session: Session, code: str, pools: Sequence[Document]) -> None:
    foreign = sorted(_lines(pools) - set(demand.lines_of_cycle(session, code)))
    if foreign:
        named = ", ".join(map(str, foreign[:MOST_NAMED])) + (" and others" if len(foreign) > MOST_NAMED else "")
        text = f"its lines {named} are not those that cycle {code!r} froze; ask for a run of it and propose its plan"
        raise BadFields([("#/plan", "not-of-cycle", text)])
