"""A stored plan to its view: instance, plan document and context put together. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pooling.planning.plan_reader import Reader, Stored
from pooling.planning.pool_views import (
    Gain,
    PoolView,
)
from pooling.planning.views import ExcludedView, HowMade, PlanView, TotalsView


def assemble(stored: Stored) -> PlanView:
    """The view of a stored plan; every figure is that of the snapshot, whatever has changed since."""
    reader = Reader(stored)
    policy, document = stored.frozen.policy, stored.document
    ordered = sorted(document["pools"], key=lambda pool: (pool["start"], pool["family"]))
    pools = tuple(reader.pool(number, pool) for number, pool in enumerate(ordered, start=1))
    return PlanView(
        id=stored.id,
        horizon_start=policy["horizon_start"],
        horizon_months=policy["horizon_months"],
        lead_time_months=policy["lead_time_months"],
        lead_time_reason=policy["lead_time_reason"],
        how=_how_made(stored),
        totals=_totals(document["totals"], pools),
        pools=pools,
        unpooled=tuple(reader.unpooled(each) for each in document["unpooled"]),
        excluded=tuple(ExcludedView(**each) for each in stored.frozen.context["excluded"]),
        warnings=(*stored.frozen.context["warnings"], *document["warnings"]),
    )


def one_pool(stored: Stored, *, family: str, start: str) -> PoolView:
    """One pool of a stored plan; only its lines need traces."""
    ordered = sorted(stored.document["pools"], key=lambda pool: (pool["start"], pool["family"]))
    for number, pool in enumerate(ordered, start=1):
        if (pool["family"], pool["start"]) == (family, start):
            return Reader(stored).pool(number, pool)
    raise LookupError(f"plan {stored.id} has no pool {family} {start}")


def _how_made(stored: Stored) -> HowMade:
    context, document = stored.frozen.context, stored.document
    return HowMade(
        snapshot=stored.frozen.id,
        as_of=date.fromisoformat(stored.frozen.policy["as_of"]),
        created_at=stored.created_at,
        solver_version=stored.solver_version,
        time_limit_s=stored.time_limit_s,
        **{
            name: document[name]
            for name in ("seed", "workers", "runtime_s", "status", "objective_eur", "bound_eur", "gap")
        },
        policy_name=stored.frozen.policy["name"],
        policy=stored.frozen.policy,
        submissions=tuple(context["submissions"]),
        offer_files=tuple(context["offer_files"]),
        rates=tuple(context["rates"]),
    )


def _totals(totals: Mapping[str, Any], pools: Sequence[PoolView]) -> TotalsView:
    return TotalsView(
        pools=len(pools),
        lots=sum(len(pool.lots) for pool in pools),
        participants_pooled=len({member.participant for pool in pools for member in pool.members}),
        gain=Gain(**{name: totals[name] for name in Gain.__slots__}),
        **{
            name: totals[name]
            for name in (
                "lines",
                "lines_pooled",
                "spend_eur_per_year",
                "spend_pooled_eur_per_year",
                "co2_saved_tonnes_per_year",
            )
        },
    )
