"""Asks every rule about a tender. Pure: no clock, no database."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from pooling.law import money, parties, procedure
from pooling.law.facts import TenderFacts
from pooling.law.findings import Finding
from pooling.law.records import Rule, packaged
from pooling.law.results import Applies, Consequence, Severity

Ask = Callable[[TenderFacts, Rule], Iterator[Finding]]

RULES: Mapping[str, Ask] = {
    "thresholds": money.thresholds,
    "china-ipi": money.china,
    "buying-share": money.buying_share,
    "term": money.term,
    "estimate-and-maximum": money.estimate_and_maximum,
    "named-buyers": parties.named_buyers,
    "lead-law": parties.lead_law,
    "joint-agreement": parties.joint_agreement,
    "associates": parties.associates,
    "norway-environment": parties.norway_environment,
    "label-languages": parties.label_languages,
    "succession": parties.succession,
    "lots": procedure.lots,
    "several-suppliers": procedure.several_suppliers,
    "dialogue-time": procedure.dialogue_time,
    "confidential-prices": procedure.confidential_prices,
    "directive-revision": procedure.directive_revision,
}
"""Every rule of rules.toml and the function that asks it."""


def evaluate(facts: TenderFacts, on: date, *, rules: Mapping[str, Rule] | None = None) -> tuple[Consequence, ...]:
    """What every rule says of the tender by the law of the day ``on``: that of its notice, today where none is set.

    Each rule answers at least once, in the order of `RULES`; some answer for several buyers apart. One that is not in
    force on the day, or does not bear on so shallow a tender, says so. ``rules``: others than the packaged.
    """
    chosen = packaged() if rules is None else rules
    return tuple(
        _consequence(rule, finding)
        for rule in (chosen[each] for each in RULES if each in chosen)
        for finding in _asked(facts, rule, on)
    )


def _asked(facts: TenderFacts, rule: Rule, on: date) -> Iterator[Finding]:
    if not rule.holds(on):
        yield Finding(applies=Applies.NOT_IN_FORCE, why=f"{_span(rule)}; asked for {on}", follows=_look(rule, on))
    elif facts.depth not in rule.depths:
        yield Finding(
            applies=Applies.NO,
            why=f"the buyers go together as far as {facts.depth} only; each has its own tender looked at by itself",
        )
    else:
        yield from RULES[rule.id](facts, rule)


def _span(rule: Rule) -> str:
    first = "" if rule.valid_from is None else f" from {rule.valid_from}"
    last = "" if rule.valid_to is None else f" until {rule.valid_to - timedelta(days=1)}"
    return f"in force{first}{last}"


def _look(rule: Rule, on: date) -> str:
    ended = rule.valid_to is not None and on >= rule.valid_to
    return "look up what has taken its place" if ended else ""


def _consequence(rule: Rule, finding: Finding) -> Consequence:
    bears = finding.applies in (Applies.YES, Applies.UNKNOWN)
    return Consequence(
        rule=rule.id,
        title=rule.title,
        text=rule.text,
        applies=finding.applies,
        severity=finding.severity if bears else Severity.NOTE,
        why=finding.why,
        follows=finding.follows,
        source=rule.source,
        verified=rule.verified,
        participants=finding.participants,
        figures=dict(finding.figures),
    )
