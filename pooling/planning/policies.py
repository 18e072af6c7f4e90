"""Policies that planners keep under a name; all inside the open transaction."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.errors import BadInput, NotFound, did_you_mean
from pooling.paging import Page, Window, page_of
from pooling.planning.policy import Codes, Policy, policy_of
from pooling.planning.tables import PlanningPolicy
from pooling.reference import service as reference

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A named policy: ``document`` holds what was given, in the form of a policy file, days as YYYY-MM-DD."""

    name: str
    version: int
    document: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


def policy_codes(session: Session) -> Codes:
    """The criteria and categories that a policy may name."""
    return Codes(reference.criteria(session).keys(), reference.categories(session).keys())


def policies(session: Session, window: Window) -> Page[PolicyRecord]:
    """Named policies by name."""
    query = select(PlanningPolicy).where(window.clause(col(PlanningPolicy.name))).order_by(col(PlanningPolicy.name))
    rows = [_record(row) for row in session.exec(query.limit(window.fetch))]
    return page_of(rows, window, lambda record: (record.name,))


def policy_named(session: Session, name: str) -> PolicyRecord:
    """Raises NotFound."""
    found = session.get(PlanningPolicy, name)
    if found is None:
        known = session.exec(select(PlanningPolicy.name).order_by(col(PlanningPolicy.name)).limit(20)).all()
        otherwise = f"kept are {', '.join(known)}" if known else "none is kept yet: PUT /v1/policies/{name}"
        raise NotFound(f"policy {name!r} is not kept; {did_you_mean(name, known, otherwise)}")
    return _record(found)


def keep_policy(
    session: Session,
    name: str,
    document: Mapping[str, Any],
    *,
    now: datetime,
    expect: Callable[[int | None], None],
) -> PolicyRecord:
    """Keep a policy under a name, in place of the one that was; raises BadInput, BadSetting with every fault.

    ``expect`` refuses where the writer has not seen the version there is (None: none is).
    """
    row = session.get(PlanningPolicy, name, with_for_update=True)
    expect(None if row is None else row.version)
    if not re.fullmatch(NAME, name) or len(name) > LONGEST_NAME:
        raise BadInput(f"policy name {name!r}: give up to {LONGEST_NAME} small letters and digits, words joined by '-'")
    checked_policy(session, document, place=f"policy {name!r}", today=now.date())
    action = "created" if row is None else "updated"
    if row is None:
        row = PlanningPolicy(name=name, document=dict(document), created_at=now, changed_at=now)
    else:
        row.document, row.changed_at, row.version = dict(document), now, row.version + 1
    session.add(row)
    session.flush()
    feed.changed(session, "policy", name, version=row.version, action=action)
    audit.acted(session, "policies.write", resource=("policy", name), details={"version": row.version})
    return _record(row)


def drop_policy(session: Session, name: str, *, expect: Callable[[int], None]) -> None:
    """Keep it no longer; runs and plans made with it hold a copy. Raises NotFound."""
    row = session.get(PlanningPolicy, name, with_for_update=True)
    if row is None:
        raise NotFound(f"policy {name!r} is not kept")
    expect(row.version)
    session.delete(row)
    feed.changed(session, "policy", name, version=row.version + 1, action="deleted")
    audit.acted(session, "policies.delete", resource=("policy", name), details={"version": row.version})


def asked_policy(session: Session, *, name: str | None, document: Mapping[str, Any] | None, today: date) -> Policy:
    """The policy named, or sent; the packaged default where neither is. Raises BadInput where both are."""
    if name is not None and document is not None:
        raise BadInput("policy_name and policy: give one of them, or neither for the packaged default")
    if name is not None:
        return checked_policy(session, policy_named(session, name).document, place=f"policy {name!r}", today=today)
    return checked_policy(session, document or {}, place="policy", today=today)


def checked_policy(session: Session, document: Mapping[str, Any], *, place: str, today: date) -> Policy:
    """The policy of a document as it is kept or sent; raises BadSetting with every fault."""
    given = dict(document)
    if isinstance(given.get("as_of"), str):
        given["as_of"] = _day(given["as_of"], place)
    return policy_of(given, today=today, place=place, codes=policy_codes(session))


def _day(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise BadInput(f"{place}: as_of: {text!r}: give a day as YYYY-MM-DD") from wrong


def _record(row: PlanningPolicy) -> PolicyRecord:
    return PolicyRecord(row.name, row.version, row.document, row.created_at, row.changed_at)
