"""What the API shows of findings about a plan: near misses, shares, risk, volume to take to market.

All of it is the planners' and auditors', but a participant's own share; read from the documents that the solver made.
Money is EUR over the term, quantities are base units a year.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.planning.answers import Count, Eur
from solver.sharing.rules import RULES

MaybeEur = Annotated[float | None, PLANNERS]
Amounts = Annotated[dict[str, float], PLANNERS]
Changes = Annotated[list[dict[str, Any]], PLANNERS]
Ratio = Annotated[float, PLANNERS]


class PlannersOwn(msgspec.Struct, frozen=True, kw_only=True):
    """What planners and auditors alone are shown."""

    whole: ClassVar[Meta] = PLANNERS


class Way(PlannersOwn, frozen=True, kw_only=True):
    """Changes that close a gap, and what the lot is then worth; ``limit`` is the first limit still in the way."""

    owner: ClassVar[str] = "participants"
    kind: str
    changes: Changes
    joining: list[str]
    participants: list[str]
    tier: Count
    quantity: Count
    sure_quantity: Eur
    benefit_eur: Eur
    set_up_cost_eur: Eur
    worth_eur: Eur
    limit: str | None


class NearMiss(PlannersOwn, frozen=True, kw_only=True):
    """A lot just short of a tipping volume or of the next tier, and the ways to close the gap, best first."""

    owner: ClassVar[str] = "participants"
    kind: str
    category: str
    family: str
    offer: str
    start: str
    lines: list[str]
    participants: list[str]
    sure_quantity: Eur
    needed_quantity: Count
    missing_quantity: Eur
    share: Ratio
    worth_eur: MaybeEur
    ways: list[Way]


class NearMissPage(msgspec.Struct, frozen=True):
    """Near misses, those worth most first."""

    items: list[NearMiss]
    next_cursor: str | None


class OwnAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's part of a pool's gain, by rule; ``alone_eur`` is what its lines would gain by themselves.

    Only the part by volume is shown to the participant itself: from the others and what it knows of its own lines, the
    volume of the whole pool would follow. A Shapley share that was sampled has a standard error.
    """

    alone_eur: Annotated[float, OWN] | UnsetType = UNSET
    proportional_eur: Annotated[float, OWN] | UnsetType = UNSET
    own_benefit_eur: Eur | UnsetType = UNSET
    shapley_eur: Eur | UnsetType = UNSET
    shapley_standard_error_eur: Eur | UnsetType = UNSET
    least_core_eur: Eur | UnsetType = UNSET


class ParticipantShare(msgspec.Struct, frozen=True, kw_only=True):
    """One participant's share, in cash and with the green value counted. ``senders`` sent the lines it holds."""

    owner: ClassVar[str] = "senders"
    whole: ClassVar[Meta] = OWN
    participant: str
    senders: list[str]
    volume_share: Ratio | UnsetType = UNSET
    benefit_eur: Eur | UnsetType = UNSET
    valued: OwnAmounts
    cash: OwnAmounts


class Leaving(PlannersOwn, frozen=True, kw_only=True):
    """Who would gain most by leaving together: ``gains_eur`` found, no coalition above ``bound_eur``."""

    owner: ClassVar[str] = "participants"
    participants: list[str]
    gains_eur: Eur
    bound_eur: Eur
    proven: bool


class Stability(PlannersOwn, frozen=True, kw_only=True):
    """Whether a rule's shares hold the pool together; ``in_core`` is null where neither is proven."""

    rule: str
    individually_rational: bool
    worse_than_alone: list[str]
    in_core: bool | None
    leaving: Leaving | None


class Division(PlannersOwn, frozen=True, kw_only=True):
    """A pool's gain, and how stable each way to share it is."""

    gain_eur: Eur
    least_core_excess_eur: MaybeEur
    least_core_proven: bool
    rules: list[Stability]


class PoolShares(msgspec.Struct, frozen=True, kw_only=True):
    """A pool's gain shared by four rules. ``valued`` counts the green value, ``cash`` does not."""

    pool: Annotated[int, OPEN]
    plan: UUID
    family: str
    start: str
    made_at: datetime
    participants: list[ParticipantShare]
    set_up_eur: Eur | UnsetType = UNSET
    valued: Annotated[Division, PLANNERS] | UnsetType = UNSET
    cash: Annotated[Division, PLANNERS] | UnsetType = UNSET


class PartOfVolume(PlannersOwn, frozen=True, kw_only=True):
    """What one participant brings."""

    owner: ClassVar[str] = "participant"
    participant: str
    quantity_per_year: Count


class Volume(PlannersOwn, frozen=True, kw_only=True):
    """Volume to take to market: lines of a category that could start together under one set of criteria."""

    category: str
    unit: str
    start: str
    criteria: list[str]
    sure_quantity: Eur
    quantity: Count
    spend_eur_per_year: Eur
    lines: Count
    authorities: Count
    best: bool
    made_up_of: list[PartOfVolume]


class VolumePage(msgspec.Struct, frozen=True):
    """Volumes by category, criteria and start."""

    items: list[Volume]
    next_cursor: str | None


class Explanations(msgspec.Struct, frozen=True):
    """What is kept of a plan, and what is not yet."""

    kept: list[str]
    missing: list[str]


class Started(msgspec.Struct, frozen=True):
    """Work that was asked for; follow ``operation``."""

    operation: str


def division(document: Mapping[str, Any]) -> Division:
    """Of a pool of ``pooling.shares/1``: its ``valued`` or ``cash``."""
    rules = [
        Stability(
            rule=rule,
            individually_rational=share["individually_rational"],
            worse_than_alone=share["worse_than_alone"],
            in_core=share["in_core"],
            leaving=None if share["leaving"] is None else msgspec.convert(share["leaving"], Leaving),
        )
        for rule, share in ((rule, document["rules"][rule]) for rule in RULES)
    ]
    return Division(
        gain_eur=document["gain_eur"],
        least_core_excess_eur=document["least_core_excess_eur"],
        least_core_proven=document["least_core_proven"],
        rules=rules,
    )


def own_amounts(document: Mapping[str, Any], participant: str) -> OwnAmounts:
    """One participant's amounts in a pool's ``valued`` or ``cash``."""
    rules = document["rules"]
    errors = rules["shapley"]["standard_error_eur"]
    return OwnAmounts(
        alone_eur=document["alone_eur"][participant],
        proportional_eur=rules["proportional"]["amounts_eur"][participant],
        own_benefit_eur=rules["own_benefit"]["amounts_eur"][participant],
        shapley_eur=rules["shapley"]["amounts_eur"][participant],
        shapley_standard_error_eur=UNSET if errors is None else errors[participant],
        least_core_eur=rules["least_core"]["amounts_eur"][participant],
    )
