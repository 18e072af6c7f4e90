"""What became of each line in a plan, as those who may see it are shown it."""

import heapq
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.errors import NotFound
from pooling.market.rules import MICRO
from pooling.paging import Page, Window, page_of
from pooling.planning import answers, pool_answers, queries
from pooling.planning.plan_reader import Stored
from pooling.planning.rules import line_gain
from pooling.planning.showing import stored_plan
from pooling.planning.words import explain, own_figures


def outcomes(
    session: Session, sees: Visible, window: Window, *, plan: UUID, pooled: bool | None, reason: str | None
) -> Page[pool_answers.Outcome]:
    """What became of the lines that ``sees`` shows, by line id; raises NotFound for an unknown plan."""
    stored = stored_plan(session, plan)
    reader = _Outcomes(stored)
    parts: list[Sequence[Row[Any]]] = []
    if pooled is not False and reason is None:
        parts.append(queries.pooled_lines(session, sees, window, plan))
    if pooled is not True:
        parts.append(queries.unpooled_lines(session, sees, window, plan, reason=reason))
        left = {key for key, each in reader.excluded.items() if reason in (None, each["reason"])}
        after = 0 if window.after is None else int(window.after[0])
        parts.append(queries.excluded_lines(session, sees, {key for key in left if key > after}))
    rows = list(heapq.merge(*parts, key=lambda row: row.line))[: window.fetch]
    return page_of([reader.outcome(row) for row in rows], window, lambda outcome: (outcome.line,))


def outcome(session: Session, sees: Visible, *, plan: UUID, line: int) -> pool_answers.Outcome:
    """What became of one line; raises NotFound where the plan has no such line, or ``sees`` does not show it."""
    found = outcomes(session, sees, Window(1, (line - 1,)), plan=plan, pooled=None, reason=None).items
    if not found or found[0].line != line:
        raise NotFound(f"plan {plan} has no line {line}")
    return found[0]


class _Outcomes:
    """Rows of lines put together with what their plan rested on."""

    def __init__(self, stored: Stored) -> None:
        instance, context = stored.frozen.instance, stored.frozen.context
        self.policy = instance["policy"]
        self.lines = {int(each["id"]): each for each in instance["lines"]}
        self.offers = {each["id"]: each for each in instance["offers"]}
        self.categories = {each["id"]: each for each in instance["categories"]}
        self.excluded = {int(each["id"]): each for each in context["excluded"] if each["kind"] == "line"}

    def outcome(self, row: Row[Any]) -> pool_answers.Outcome:
        """Of a row of pooled, unpooled or excluded lines."""
        if row.line in self.excluded:
            return self._excluded(row)
        line = self.lines[row.line]
        plain = {
            "line": row.line,
            "participant": row.participant,
            "held_by": line["participant"],
            "category": line["category"],
            "quantity_per_year": line["quantity"],
            "spend_eur_per_year": line["quantity"] * line["unit_price_eur"],
            "excluded": False,
        }
        if "pool" in row._fields:
            place = {"pool": row.pool, "start": row.start, "offer": row.offer}
            return pool_answers.Outcome(**plain, **place, pooled=True, gain=self._gain(line, row))
        own, floor = own_figures(row.reason, row.figures), bool(self.policy["green_floor"])
        return pool_answers.Outcome(
            **plain,
            pooled=False,
            reason=row.reason,
            words=explain(row.reason, own, green_floor=floor),
            figures=own,
            all_words=explain(row.reason, row.figures, green_floor=floor),
            all_figures=row.figures,
        )

    def _gain(self, line: Mapping[str, Any], row: Row[Any]) -> answers.Gains:
        offer = self.offers[row.offer]
        gain = line_gain(
            line,
            offer=offer,
            unit_price_eur=offer["tiers"][row.tier]["unit_price_eur"],
            start=row.start,
            term_months=self.categories[line["category"]]["term_months"] or self.policy["term_months"],
            policy=self.policy,
        )
        return answers.gains(gain)

    def _excluded(self, row: Row[Any]) -> pool_answers.Outcome:
        said = self.excluded[row.line]
        return pool_answers.Outcome(
            line=row.line,
            participant=row.participant,
            held_by=None,
            category=row.category,
            quantity_per_year=row.quantity,
            spend_eur_per_year=row.quantity * row.unit_price_eur_micro / MICRO,
            pooled=False,
            excluded=True,
            reason=said["reason"],
            words=said["words"],
        )
