"""Rules about who takes part: one function each."""

from collections.abc import Iterator

from pooling.law.facts import Buyer, TenderFacts
from pooling.law.findings import Finding, listed, per_cent
from pooling.law.records import Rule
from pooling.law.results import Applies, Severity

NOT_KNOWN = ("not verified", "not stated", "")


def named_buyers(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Nobody joins after the freeze, and the freeze comes before the notice."""
    frozen = facts.frozen_on
    late = tuple(
        buyer.participant
        for buyer in facts.buyers
        if frozen is not None and buyer.joined_on is not None and buyer.joined_on > frozen
    )
    if late:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"{listed(late)} joined after the buyers were fixed on {frozen}",
            follows="leave them out; their demand waits for another tender",
            participants=late,
        )
    elif frozen is None:
        yield Finding(
            applies=Applies.YES,
            why=f"{_named(facts)} are named and may still change",
            follows="fix them before the notice; from then on nobody joins and no line is added",
            figures=_counted(facts),
        )
    elif facts.notice_on is not None and frozen > facts.notice_on:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"the buyers were fixed on {frozen}, after the notice of {facts.notice_on}",
            follows="publish a notice that names the buyers as they are now",
        )
    else:
        yield Finding(
            applies=Applies.YES,
            why=f"{_named(facts)} were fixed on {frozen}",
            follows="name each in the notice; nobody joins and no line is added",
            figures=_counted(facts),
        )


def _named(facts: TenderFacts) -> str:
    apart = listed(buyer.participant for buyer in facts.associates)
    return f"{len(facts.contracting)} buyers" + (f", and {apart} as associates," if facts.associates else "")


def _counted(facts: TenderFacts) -> dict[str, int | float]:
    counts = {"buyers": len(facts.contracting), "associates": len(facts.associates)}
    return {name: number for name, number in counts.items() if number or name == "buyers"}


def lead_law(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """The signing body of the lead decides for all."""
    lead = next(buyer for buyer in facts.buyers if buyer.participant == facts.lead)
    body = facts.lead_body
    if body is None or not lead.contracting_authority:
        why = (
            f"who signs for the lead {lead.participant} is not known"
            if lead.contracting_authority
            else f"the lead {lead.participant} is no contracting authority and cannot run a tender"
        )
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=why,
            follows="choose a lead that is a contracting authority with a known signing body",
            participants=(lead.participant,),
        )
        return
    told = {"law": body.law, "language": body.language, "complaint board": body.complaint_board}
    unknown = [name for name, value in told.items() if value.strip().casefold() in NOT_KNOWN]
    others = [country for country in facts.countries if country != body.country]
    yield Finding(
        applies=Applies.YES,
        severity=Severity.WARNING if unknown else Severity.NOTE,
        why=f"{body.name} ({body.country}) signs for the lead {lead.participant}"
        + (f"; the {listed(unknown)} of it could not be verified" if unknown else ""),
        follows=f"law: {body.law}; language of the procedure: {body.language}; complaints: {body.complaint_board}"
        + (f"; also for the buyers in {listed(others)}" if others else ""),
        participants=(lead.participant,),
    )


def joint_agreement(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Only where buyers sign from more than one state."""
    signing = sorted({buyer.country for buyer in facts.buyers if buyer.contracting_authority})
    figures = {"countries": len(signing)}
    if len(signing) < 2:
        why = f"all contracting authorities are in {listed(signing)}"
        yield Finding(applies=Applies.NO, why=why, figures=figures)
        return
    why = f"contracting authorities of {listed(signing)} buy together"
    if facts.agreement_signed:
        follows = "refer to the agreement in the tender documents"
        yield Finding(applies=Applies.YES, why=f"{why}; they have agreed", follows=follows, figures=figures)
        return
    missing = facts.agreement_signed is False
    yield Finding(
        applies=Applies.YES,
        severity=Severity.BLOCKING if missing and facts.frozen_on is not None else Severity.WARNING,
        why=f"{why}; " + ("they have not agreed yet" if missing else "whether they have agreed is not known"),
        follows="agree on responsibilities, national provisions and organisation before the notice",
        figures=figures,
    )


def associates(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """Who is no contracting authority, or outside the EEA, takes part as an associate."""
    outside = rule.parameters["outside"]
    without = [buyer for buyer in facts.buyers if not buyer.contracting_authority or buyer.country in outside]
    signing = tuple(buyer.participant for buyer in without if buyer.role != "associate")
    if signing:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"{listed(signing)} cannot sign: no contracting authority of the EU or EEA",
            follows="take them part as associates, or leave them out",
            participants=signing,
        )
    settled = tuple(buyer.participant for buyer in without if buyer.role == "associate")
    if settled:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why=f"{listed(settled)} take part as associates and sign nothing; {facts.lead} signs for them",
            follows=f"name them in the notice apart from the buyers, under {facts.lead}, as entitled to call off up to"
            " maxima of their own; check the legal basis on which they are supplied",
            participants=settled,
        )
    if not without:
        yield Finding(applies=Applies.NO, why="every buyer is a contracting authority of the EU or EEA")


def norway_environment(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """By weight, or by environmental criteria that every category requires."""
    country, least = rule.parameters["country"], rule.parameters["least_weight"]
    there = tuple(buyer.participant for buyer in facts.buyers if buyer.country == country)
    if not there:
        yield Finding(applies=Applies.NO, why="no buyer is Norwegian")
        return
    weight = facts.environment_weight
    figures = {"least_weight": least} | ({} if weight is None else {"environment_weight": weight})
    bare = [each.id for each in facts.categories if not each.green_criteria]
    if weight is not None and weight >= least:
        yield Finding(
            applies=Applies.YES,
            why=f"{listed(there)} take part; environment weighs {per_cent(weight)}, {per_cent(least)} are needed",
            follows="state the weight in the notice",
            participants=there,
            figures=figures,
        )
    elif not bare:
        reasons = bool(facts.environment_reasons)
        yield Finding(
            applies=Applies.YES,
            severity=Severity.NOTE if reasons else Severity.WARNING,
            why=f"{listed(there)} take part; every category requires environmental criteria"
            + ("; the reasons are given" if reasons else ", without reasons why that is better than a weight"),
            follows="state the reasons in the tender documents"
            if reasons
            else f"let environment weigh {per_cent(least)}, or give the reasons why requirements are clearly better",
            participants=there,
            figures=figures,
        )
    else:
        said = "not set" if weight is None else f"{per_cent(weight)}"
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"{listed(there)} take part; the weight of environment is {said}, {per_cent(least)} are needed, and"
            f" {listed(bare)} require nothing environmental",
            follows=f"let environment weigh {per_cent(least)}, or require environmental criteria in every category",
            participants=there,
            figures=figures,
        )


def label_languages(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """The languages of all buyers' countries together."""
    languages, known = rule.parameters["languages"], set(rule.parameters["verified"])
    missing = [country for country in facts.countries if country not in languages]
    needed = sorted({language for country in facts.countries for language in languages.get(country, ())})
    small = [country for country in facts.countries if country in rule.parameters["small"]]
    if missing:
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why=f"the languages of {listed(missing)} are not known",
            follows="find out which language labels need there",
            participants=_of(facts, missing),
        )
    unverified = [country for country in facts.countries if country in languages and country not in known]
    if needed:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING if small else Severity.NOTE,
            why=f"labels and instructions in {listed(needed)} for buyers in {listed(facts.countries)}"
            + (f"; not verified for {listed(unverified)}" if unverified else ""),
            follows="require these languages"
            + (
                f"; for {listed(small)} a lot of its own, or a bid that must cover all: a supplier may leave small"
                " languages out"
                if small
                else ""
            ),
            participants=_of(facts, small),
            figures={"languages": len(needed)},
        )


def succession(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """Who ends before the agreement does."""
    end = facts.ends_on
    ending = [buyer for buyer in facts.buyers if buyer.valid_to is not None and buyer.valid_to < end]
    for buyer in ending:
        yield _ends(buyer)
    if not ending:
        yield Finding(applies=Applies.NO, why=f"every buyer exists until the agreement ends on {end}")


def _ends(buyer: Buyer) -> Finding:
    lost = buyer.successor is None
    return Finding(
        applies=Applies.YES,
        severity=Severity.BLOCKING if lost else Severity.NOTE,
        why=f"{buyer.participant} ends on {buyer.valid_to}" + ("" if lost else f"; {buyer.successor} succeeds it"),
        follows="name who takes over, or leave it out"
        if lost
        else f"name {buyer.successor} in the notice as successor; commitments pass to it on the day",
        participants=(buyer.participant,),
    )


def _of(facts: TenderFacts, countries: list[str]) -> tuple[str, ...]:
    return tuple(buyer.participant for buyer in facts.buyers if buyer.country in countries)
