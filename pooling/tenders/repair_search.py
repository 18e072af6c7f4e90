"""What would bring a tender back: its lines planned again alone, with ever more freedom, by the exact optimiser.

A question goes in and options come out, in a child process; no database. Every option has passed the solver's judge.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pooling.errors import PlanRefused
from pooling.planning.rules import offset, shifted
from solver import Instance, solve
from solver.check import check

Document = Mapping[str, Any]
AS_PROPOSED = "as-proposed"
NOTHING: Document = {"participant": None, "line": None, "family": None, "offer": None, "start": None}


@dataclass(frozen=True, slots=True)
class Question:
    """A tender as objects of ``pooling.instance/1``.

    ``own``: the lines that still want in, with the volumes committed to or proposed; ``others``: lines that are in no
    tender and could join; ``same``: ids of the tender's own offers among ``offers``; ``forbidden``: line and offer, as
    declined. ``months``: in which it could start, of the horizon. ``wanted``: starts that members proposed instead,
    each with them. ``as_proposed``: whether a member proposes volumes or a criterion, and no other start. ``now_eur``:
    what the tender is worth as it stands, 0 where it does not hold.
    """

    policy: Document
    participants: Sequence[Document]
    categories: Sequence[Document]
    offers: Sequence[Document]
    own: Sequence[Document]
    others: Sequence[Document]
    same: frozenset[str]
    forbidden: Sequence[tuple[str, str]]
    family: str
    start: str
    lead: str
    months: Sequence[str]
    wanted: Mapping[str, frozenset[str]]
    as_proposed: bool
    now_eur: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to look: what may be otherwise. ``whole``: every own line must be in."""

    kind: str
    start: str | None
    others: bool = False
    any_offer: bool = False
    whole: bool = True


def attempts(question: Question) -> Iterator[Attempt]:
    """The ways to look, the smallest change first."""
    if question.as_proposed:
        yield Attempt(AS_PROPOSED, question.start)
    yield Attempt("lead", question.start)
    yield Attempt("join", question.start, others=True)
    for start in sorted(question.wanted):
        yield Attempt("start", start)
    yield Attempt("offer", question.start, any_offer=True)
    yield Attempt("start", None)
    yield Attempt("wider", None, others=True, any_offer=True)
    yield Attempt("smaller", question.start, others=True, any_offer=True, whole=False)


def find(
    question: Question, time_limit_s: float, *, on_progress: Callable[[Document], None], stop: Callable[[], bool]
) -> list[dict[str, Any]]:
    """The options, each different from those before it; empty: there is none."""
    found: list[dict[str, Any]] = []
    seen: set[Any] = set()
    ways = list(attempts(question))
    for number, attempt in enumerate(ways):
        on_progress({"stage": attempt.kind, "done": number, "of": len(ways)})
        if stop():
            break
        option = _option(question, attempt, time_limit_s / len(ways))
        if option is not None and same(option) not in seen and not _unchanged(question, option):
            seen.add(same(option))
            found.append(option)
    return found


def same(option: Document) -> Any:
    """What tells an option from others."""
    lots = tuple(sorted((lot["offer"], tuple(sorted(lot["lines"]))) for lot in option["lots"]))
    return option["start"], option["lead"], lots


def _unchanged(question: Question, option: Document) -> bool:
    """Whether it is what there is already, and settles no proposal."""
    same = (option["start"], option["lead"]) == (question.start, question.lead)
    offers = {lot["offer"] for lot in option["lots"]}
    return (
        option["kind"] != AS_PROPOSED
        and same
        and not option["joins"]
        and not option["leaves"]
        and offers <= question.same
    )


def _option(question: Question, attempt: Attempt, time_limit_s: float) -> dict[str, Any] | None:
    instance = _instance(question, attempt)
    if instance is None:
        return None
    plan = solve(Instance.from_document(instance), time_limit_s=time_limit_s).to_document()
    broken = check(instance, plan)
    if broken:
        said = "; ".join(f"{each.rule} at {each.path}: {each.message}" for each in broken)
        raise PlanRefused(f"a repair of {question.family} {question.start}: {said}")
    return _read(question, attempt, plan)


def _instance(question: Question, attempt: Attempt) -> dict[str, Any] | None:
    offers = [each for each in question.offers if attempt.any_offer or each["id"] in question.same]
    own = [_can_start(question, line, attempt.start) for line in question.own]
    lines = [*own, *(question.others if attempt.others else ())]
    if not offers or not lines:
        return None
    months = _months(question.policy, attempt.start)
    people, there = {each["participant"] for each in lines}, {each["id"] for each in lines}
    known = {each["id"] for each in offers}
    may = {attempt.start} if attempt.start is not None else {question.start, *question.months}
    return {
        "schema": "pooling.instance/1",
        "policy": {**question.policy, "horizon_months": len(months)},
        "participants": [each for each in question.participants if each["id"] in people],
        "categories": list(question.categories),
        "offers": offers,
        "lines": lines,
        "fixed": [],
        "forbidden": [
            *({**NOTHING, "start": each} for each in months if each not in may),
            *(
                {**NOTHING, "line": line, "offer": offer}
                for line, offer in question.forbidden
                if line in there and offer in known
            ),
        ],
        "previous": [],
    }


def _can_start(question: Question, line: Document, start: str | None) -> Document:
    """An own line, its window as far as ``start`` where that is the tender's own or its participant's proposal."""
    if start is None or (start != question.start and line["participant"] not in question.wanted.get(start, ())):
        return line
    window = {"earliest_start": min(line["earliest_start"], start), "latest_start": max(line["latest_start"], start)}
    return {**line, **window}


def _months(policy: Document, start: str | None) -> list[str]:
    """The months of the horizon, to ``start`` at least. It begins where it did: bridging is counted from there on."""
    first, most = policy["horizon_start"], policy["horizon_months"]
    if start is not None:
        most = max(most, offset(start, first) + 1)
    return [shifted(first, number) for number in range(most)]


def _read(question: Question, attempt: Attempt, plan: Document) -> dict[str, Any] | None:
    """The pool with the own lines, where there is one that will do."""
    own = {line["id"] for line in question.own}
    pools = [pool for pool in plan["pools"] if any(own & set(lot["lines"]) for lot in pool["lots"])]
    if not pools:
        return None
    pool = max(pools, key=lambda each: sum(len(own & set(lot["lines"])) for lot in each["lots"]))
    inside = {line for lot in pool["lots"] for line in lot["lines"]}
    if attempt.whole and not own <= inside:
        return None
    lots = [_lot(question, lot) for lot in pool["lots"]]
    members = {each["participant"]: each for each in [*question.own, *question.others] if each["id"] in inside}
    worth = sum(lot["benefit_eur"] for lot in pool["lots"]) - _costs(question, lots, set(members))
    return {
        "kind": attempt.kind,
        "start": pool["start"],
        "lead": question.lead if question.lead in members and attempt.kind != "lead" else pool["lead"],
        "lots": lots,
        "joins": sorted(line for line in inside if line not in own),
        "leaves": sorted(own - inside),
        "net_eur": worth,
        "worth_eur": worth - question.now_eur,
    }


def _lot(question: Question, lot: Document) -> dict[str, Any]:
    offer = next(each for each in question.offers if each["id"] == lot["offer"])
    kept = {name: lot[name] for name in ("offer", "tier", "quantity", "sure_quantity")}
    return {
        **kept,
        "category": offer["category"],
        "unit_price_eur": offer["tiers"][lot["tier"]]["unit_price_eur"],
        "lines": sorted(lot["lines"], key=int),
    }


def _costs(question: Question, lots: Sequence[Document], members: set[str]) -> float:
    policy = question.policy
    countries = {each["country"] for each in question.participants if each["id"] in members}
    lot_costs = policy["lot_cost_eur"] * len(lots)
    return float(policy["pool_cost_eur"] + lot_costs + policy["country_cost_eur"] * (len(countries) - 1))
