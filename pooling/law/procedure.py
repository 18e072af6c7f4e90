"""Rules about how the tender is run: one function each."""

from collections.abc import Iterator
from datetime import date

from pooling.errors import counted
from pooling.law.days import moved
from pooling.law.facts import Category, TenderFacts
from pooling.law.findings import Finding, listed
from pooling.law.records import Rule, needs_several_suppliers
from pooling.law.results import Applies, Severity


def lots(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Two lots or more, or reasons."""
    if facts.lots is None:
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why="how many lots it has is not known",
            follows="divide it into lots, or give the main reasons for not dividing it",
        )
    elif facts.lots > 1:
        yield Finding(applies=Applies.YES, why=f"it has {facts.lots} lots", figures={"lots": facts.lots})
    elif facts.lot_reasons:
        yield Finding(
            applies=Applies.YES,
            why="it is one lot, and the reasons are given",
            follows="state the reasons in the tender documents",
            figures={"lots": facts.lots},
        )
    else:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why="it is one lot, without reasons",
            follows="divide it into lots, or give the main reasons for not dividing it",
            figures={"lots": facts.lots},
        )


def several_suppliers(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """Only for categories whose users need a choice."""
    fewest = rule.parameters["fewest"]
    concerned = [
        each
        for each in facts.categories
        if (needs_several_suppliers(each.id, each.family) if each.several_suppliers is None else each.several_suppliers)
    ]
    if not concerned:
        yield Finding(applies=Applies.NO, why="no category in it needs a choice of products")
        return
    few = [each for each in concerned if each.suppliers is None or each.suppliers < fewest]
    if not few:
        yield Finding(
            applies=Applies.YES,
            why=f"{listed(each.id for each in concerned)} have {fewest} suppliers or more",
            follows="let each buyer choose among them by need",
        )
        return
    told = [f"{each.id} ({_number(each)})" for each in few]
    yield Finding(
        applies=Applies.YES,
        severity=Severity.WARNING,
        why=f"users need a choice; suppliers planned: {listed(told)}",
        follows=f"make the agreement with {fewest} suppliers or more there",
        figures={f"suppliers.{each.id}": each.suppliers for each in few if each.suppliers is not None},
    )


def _number(category: Category) -> str:
    """Of suppliers; where it is not set, what is known of it."""
    if category.suppliers is not None:
        return str(category.suppliers)
    return "not set" + ("" if category.offers is None else f", {category.offers} at most by what is on offer")


def dialogue_time(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """From the first talk about a category to the notice."""
    notice = facts.notice_on
    least, good = rule.parameters["least_days"], rule.parameters["good_months"]
    if notice is None:
        yield Finding(
            applies=Applies.UNKNOWN,
            why="the day of the notice is not set",
            follows=f"plan it {least} days or more after criteria were shown, better {good} months",
        )
        return
    first = {each.id: _first(facts, each.id, notice) for each in facts.categories}
    none = sorted(each for each, day in first.items() if day is None)
    if none:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why=f"no dialogue about {listed(none)} is on record before the notice of {notice}",
            follows="talk with the market first, and record it",
        )
    days = {each: (notice - day).days for each, day in first.items() if day is not None}
    short = sorted(each for each, count in days.items() if count < least)
    if short:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why=f"less than {least} days to comment before the notice of {notice}: "
            + listed(f"{each} {counted(days[each], 'day')}" for each in short),
            follows=f"move the notice to {least} days after the first talk, or later",
            figures={f"days.{each}": days[each] for each in short},
        )
    early = moved(notice, -good)
    later = sorted(each for each, day in first.items() if day is not None and day > early and each not in short)
    if later:
        yield Finding(
            applies=Applies.YES,
            why=f"{least} days or more to comment, but less than {good} months from the first talk about"
            f" {listed(later)}",
            follows=f"show criteria {good} months before the notice where suppliers must develop something",
            figures={f"days.{each}": days[each] for each in later},
        )
    if not none and not short and not later:
        why = f"every category was talked about {good} months or more before the notice of {notice}"
        yield Finding(applies=Applies.YES, why=why, figures={f"days.{each}": days[each] for each in sorted(days)})


def _first(facts: TenderFacts, category: str, notice: date) -> date | None:
    """Of the talks before the notice that were about the category."""
    days = [talk.held_on for talk in facts.talks if category in talk.categories and talk.held_on <= notice]
    return min(days, default=None)


def confidential_prices(_facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Always."""
    yield Finding(
        applies=Applies.YES,
        why="buyers' present prices are in what the tender rests on",
        follows="publish volumes and criteria, never a buyer's present prices",
    )


def directive_revision(_facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Nobody knows until it is looked up."""
    yield Finding(
        applies=Applies.UNKNOWN,
        why="the state of the revision was not found",
        follows="check which directive is in force on the day of the notice",
    )
