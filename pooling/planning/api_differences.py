"""Two plans compared, over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.params import FromQuery, QueryParameter
from msgspec import UNSET, Meta, UnsetType
from sqlmodel import Session

from pooling.access.projection import OWN, PLANNERS
from pooling.calls import Asked, Reply
from pooling.endpoints import get
from pooling.parameters import Handled
from pooling.planning import queries, showing
from pooling.planning.differences import Figures, Measured, Pair, Pool, identities, measure, pair
from pooling.planning.plan_reader import Stored

Eur = Annotated[float, PLANNERS]


class WholeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan or pool comes to. Spend and CO2e are a year's, the rest is over the term.

    ``cash_saving_eur``: savings less bridging and set-up. ``green_value_eur``: by the plan's own policy.
    """

    whole: ClassVar[Meta] = PLANNERS
    lines_pooled: Annotated[int, PLANNERS]
    spend_eur_per_year: Eur
    value_over_term_eur: Eur
    cash_saving_eur: Eur
    savings_eur: Eur
    green_value_eur: Eur
    bridging_cost_eur: Eur
    set_up_cost_eur: Eur
    co2_saved_tonnes_per_year: Eur


class OwnFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The same of one participant's lines, with what its lines cost to set up and nothing of lots and pools."""

    whole: ClassVar[Meta] = OWN
    lines_pooled: Annotated[int, OWN]
    spend_eur_per_year: Annotated[float, OWN]
    value_over_term_eur: Annotated[float, PLANNERS] | UnsetType = UNSET
    cash_saving_eur: Annotated[float, OWN]
    savings_eur: Annotated[float, OWN]
    green_value_eur: Annotated[float, OWN]
    bridging_cost_eur: Annotated[float, OWN]
    set_up_cost_eur: Annotated[float, OWN]
    co2_saved_tonnes_per_year: Annotated[float, OWN]


class ParticipantDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's lines in both plans; a line belongs to whoever sent it."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    before: OwnFigures
    after: OwnFigures
    difference: OwnFigures


class ComparedPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as one of the plans has it; ``offers`` with the tier taken, counted from 0."""

    whole: ClassVar[Meta] = PLANNERS
    start: str
    lead: str
    members: list[str]
    offers: Annotated[dict[str, int], PLANNERS]
    figures: WholeFigures


class PoolDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of either plan. ``differs``: start, lead, offers, tiers, lines, quantities; empty where it is the same."""

    whole: ClassVar[Meta] = PLANNERS
    family: str
    status: Literal["same", "moved", "new", "gone"]
    differs: list[str]
    before: ComparedPool | None
    after: ComparedPool | None


class PlanDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Two plans side by side; ``before`` is the one named by ``from``."""

    plan_before: UUID
    plan_after: UUID
    participants: list[ParticipantDifference]
    before: WholeFigures | UnsetType = UNSET
    after: WholeFigures | UnsetType = UNSET
    difference: WholeFigures | UnsetType = UNSET
    pools: Annotated[list[PoolDifference], PLANNERS] | UnsetType = UNSET


From = FromQuery[Annotated[UUID, QueryParameter(name="from", description="the plan to compare with")]]
To = FromQuery[Annotated[UUID, QueryParameter(name="to", description="the plan that is compared")]]


class DifferenceController(Controller):
    """Plans compared."""

    path = "/v1/plan-differences"
    tags = ("plans",)

    @get("/", "plan-differences.read", "Compare two plans")
    def read(self, request: Asked, handling: Handled, plan_from: From, plan_to: To) -> Response[PlanDifference]:
        """Pools that are the same, moved, new and gone; value, cash and CO2e; each participant's part.

        Planners and auditors are shown all, others the rows of their own participants.
        """
        return handling.read(request, lambda call: Reply(difference(call.session, plan_from, plan_to)))


def difference(session: Session, before: UUID, after: UUID) -> PlanDifference:
    """Two stored plans compared; raises NotFound."""
    plans = showing.stored_plan(session, before), showing.stored_plan(session, after)
    pooled = [_pooled(plan.document) for plan in plans]
    described = queries.described(session, {*pooled[0], *pooled[1]})
    senders = {key: row[0] for key, row in described.items()}
    keys = identities(pooled[0], pooled[1], described)
    old, new = (_measured(plan, senders, own) for plan, own in zip(plans, keys, strict=True))
    return PlanDifference(
        plan_before=before,
        plan_after=after,
        participants=_participants(old, new),
        before=_whole(old.whole),
        after=_whole(new.whole),
        difference=_whole(new.whole - old.whole),
        pools=[_pair(each) for each in pair(old.pools, new.pools)],
    )


def _pooled(document: Mapping[str, Any]) -> list[int]:
    return [int(line) for pool in document["pools"] for lot in pool["lots"] for line in lot["lines"]]


def _measured(plan: Stored, senders: Mapping[int, str], keys: Mapping[int, Any]) -> Measured:
    return measure(plan.frozen, plan.document, senders=senders, keys=keys)


def _participants(old: Measured, new: Measured) -> list[ParticipantDifference]:
    shown = []
    for code in sorted(old.participants.keys() | new.participants.keys()):
        before, after = (each.participants.get(code, Figures()) for each in (old, new))
        shown.append(
            ParticipantDifference(
                participant=code, before=_own(before), after=_own(after), difference=_own(after - before)
            )
        )
    return shown


def _pair(each: Pair) -> PoolDifference:
    known = each.after or each.before
    assert known is not None  # noqa: S101 a pair has one at least
    before, after = (None if pool is None else _pool(pool) for pool in (each.before, each.after))
    return PoolDifference(
        family=known.family, status=each.status, differs=list(each.differs), before=before, after=after
    )


def _pool(pool: Pool) -> ComparedPool:
    return ComparedPool(
        start=pool.start,
        lead=pool.lead,
        members=list(pool.members),
        offers={lot.offer: lot.tier for lot in pool.lots},
        figures=_whole(pool.figures),
    )


def _whole(figures: Figures) -> WholeFigures:
    return WholeFigures(**{name: getattr(figures, name) for name in WholeFigures.__struct_fields__})


def _own(figures: Figures) -> OwnFigures:
    return OwnFigures(**{name: getattr(figures, name) for name in OwnFigures.__struct_fields__})
