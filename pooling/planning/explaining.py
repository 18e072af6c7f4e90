"""Findings about plans as the API shows them: documents as kept, read into marked answers. Read only."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.paging import Key, Page, Window, page_of
from pooling.planning import (
    comparisons,
    explanations,
    findings,
    queries,
    risk_answers,
    scenario_sets,
    showing,
    whatifs,
    work,
)
from pooling.planning.policy import Policy
from pooling.planning.service import volume_to_market
from pooling.planning.work import volume_document

Item = TypeVar("Item")


def kept(session: Session, plan: UUID) -> explanations.Explanations:
    """Which findings are kept of a plan, and which are still to be made; raises NotFound."""
    findings.known(session, plan)
    kinds = [kind for kind, _ in findings.kinds_kept(session, plan)]
    return explanations.Explanations(kinds, findings.missing(session, plan))


def near_misses(session: Session, window: Window, plan: UUID) -> Page[explanations.NearMiss]:
    """Near misses of a plan, those worth most first; raises NotFound."""
    document = _document(session, plan, work.NEAR_MISSES)
    return _numbered(document["near_misses"], window, explanations.NearMiss)


def plan_volume(session: Session, window: Window, plan: UUID, *, best: bool) -> Page[explanations.Volume]:
    """Volume to take to market from a plan's own lines; ``best``: of each category and criteria the best start alone.

    Raises NotFound.
    """
    rows = _document(session, plan, work.VOLUME, "" if best else findings.EVERY_START)["rows"]
    return _volumes(rows, window)


def volume(session: Session, window: Window, policy: Policy, *, best: bool) -> Page[explanations.Volume]:
    """Volume to take to market from the demand as it is, under a policy; ``best`` as above."""
    rows = [volume_document(row) for row in volume_to_market(session, policy) if row.best or not best]
    return _volumes(rows, window)


def _volumes(rows: Sequence[Mapping[str, Any]], window: Window) -> Page[explanations.Volume]:
    def key(row: Mapping[str, Any]) -> Key:
        return row["category"], " ".join(row["criteria"]), row["start"]

    after = window.after
    following = sorted((row for row in rows if after is None or key(row) > tuple(after)), key=key)
    page = page_of(following[: window.fetch], window, key)
    return Page(tuple(msgspec.convert(row, explanations.Volume) for row in page.items), page.last)


def plan_risk(session: Session, plan: UUID) -> risk_answers.PlanRisk:
    """What may go wrong with a plan; raises NotFound."""
    document = _document(session, plan, work.RISK)
    people = showing.stored_plan(session, plan).frozen.instance["participants"]
    return msgspec.convert({**document, "participants": [each["id"] for each in people]}, risk_answers.PlanRisk)


def pool_risk(session: Session, sees: Visible, pool: int) -> risk_answers.PoolRisk:
    """What may go wrong with a pool; raises NotFound."""
    place = showing.pool_place(session, sees, pool)
    document = _document(session, place.plan, findings.POOL_RISK, pool)
    return msgspec.convert({**document, "members": sorted(_senders(session, place))}, risk_answers.PoolRisk)


def shares(session: Session, sees: Visible, pool: int) -> explanations.PoolShares:
    """A pool's gain shared: every participant's that ``sees`` shows; raises NotFound.

    A participant holds its own lines, and those that pass to it from bodies that end. Its share is shown to whoever
    may see all of these bodies' lines, so that none of them follows from the others.
    """
    place = showing.pool_place(session, sees, pool)
    found = findings.finding(session, place.plan, work.SHARES, pool)
    document, senders = found.document, _senders(session, place)
    return explanations.PoolShares(
        pool=pool,
        plan=place.plan,
        family=document["family"],
        start=document["start"],
        made_at=found.made_at,
        participants=[
            explanations.ParticipantShare(
                participant=code,
                senders=senders[code],
                volume_share=document["volume_share"][code],
                benefit_eur=document["benefit_eur"][code],
                valued=explanations.own_amounts(document["valued"], code),
                cash=explanations.own_amounts(document["cash"], code),
            )
            for code in document["participants"]
            if all(sender in sees for sender in senders[code])
        ],
        set_up_eur=document["set_up_eur"],
        valued=explanations.division(document["valued"]),
        cash=explanations.division(document["cash"]),
    )


def _senders(session: Session, place: Any) -> dict[str, list[str]]:
    """Who sent the lines that each participant of a pool holds in it."""
    stored = showing.stored_plan(session, place.plan)
    lines = {each["id"]: each["participant"] for each in stored.frozen.instance["lines"]}
    inside = [int(line) for lot in showing.pool_document(stored, place)["lots"] for line in lot["lines"]]
    sent = queries.senders(session, inside)
    found: dict[str, set[str]] = {}
    for line in inside:
        found.setdefault(lines[str(line)], set()).add(sent[line])
    return {code: sorted(codes) for code, codes in found.items()}


ALONE = "participants_alone"
"""Baselines so called have a part for each participant, others for each country."""


def baselines(session: Session, plan: UUID) -> comparisons.Baselines:
    """A plan beside what would be without it; raises NotFound."""
    return _baselines(_document(session, plan, findings.OF_BASELINES))


def _baselines(document: Mapping[str, Any]) -> comparisons.Baselines:
    for baseline in document["baselines"]:
        for part in baseline["parts"]:
            part["participants"] = [part["name"]] if baseline["name"].startswith(ALONE) else []
    return msgspec.convert(document, comparisons.Baselines)


def unlock(session: Session, plan: UUID, line: int) -> comparisons.Unlock:
    """What would let a line in; raises NotFound."""
    return msgspec.convert(_document(session, plan, findings.OF_LINE, line), comparisons.Unlock)


def difference(document: Mapping[str, Any]) -> comparisons.Difference:
    """A ``pooling.what-if/1``."""
    return msgspec.convert(document, comparisons.Difference)


def what_if(record: whatifs.WhatIfRecord) -> comparisons.WhatIf:
    """A what-if asked for as a job."""
    return comparisons.WhatIf(
        **{name: getattr(record, name) for name in ("id", "version", "plan", "asked_at", "status")},
        operation=f"/v1/operations/{record.operation}",
        difference=None if record.document is None else difference(record.document),
    )


PLAIN = ("id", "version", "name", "status", "asked_at", "asked_by", "policy_name", "time_limit_s", "workers", "seed")


def scenarios(record: scenario_sets.ScenarioRecord, *, whole: bool) -> comparisons.Scenarios:
    """A grid over policy, with what came of it where ``whole``."""
    result: Any = msgspec.UNSET
    if whole:
        result = None if record.document is None else _result(record.document)
    return comparisons.Scenarios(
        **{name: getattr(record, name) for name in (*PLAIN, "snapshot", "cycle")},
        policy=dict(record.policy),
        grid=dict(record.grid),
        operation=f"/v1/operations/{record.operation}",
        result=result,
    )


def _result(document: Mapping[str, Any]) -> comparisons.ScenarioResult:
    parts = {name: document[name] for name in ("base", "points", "frontiers")}
    beside = _baselines(document["baselines"])
    return comparisons.ScenarioResult(
        base=msgspec.convert(parts["base"], comparisons.Point),
        points=msgspec.convert(parts["points"], list[comparisons.Point]),
        frontiers=msgspec.convert(parts["frontiers"], dict[str, comparisons.Frontier]),
        baselines=beside,
    )


def _document(session: Session, plan: UUID, kind: str, subject: object = "") -> Mapping[str, Any]:
    return findings.finding(session, plan, kind, subject).document


def _numbered(rows: Sequence[Mapping[str, Any]], window: Window, model: type[Item]) -> Page[Item]:
    """A page of a kept list, whose order is its own: the key is the place in it."""
    first = 0 if window.after is None else int(window.after[0]) + 1
    places = [(place,) for place in range(first, min(len(rows), first + window.fetch))]
    page = page_of(places, window, lambda place: place)
    return Page(tuple(msgspec.convert(rows[place], model) for (place,) in page.items), page.last)
