"""Rules about value, share, term and quantity: one function each."""

from collections.abc import Iterator, Sequence

from pooling.law.facts import ASSOCIATE, Buyer, Category, TenderFacts
from pooling.law.findings import Finding, eur, listed, per_cent
from pooling.law.records import Rule
from pooling.law.results import Applies, Severity


def thresholds(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """The most that may be bought over the whole term with options, against the threshold: at it the rule applies."""
    central, sub_central = rule.parameters["central_cents"], rule.parameters["sub_central_cents"]
    value = facts.value_cents
    if value is None:
        lacking = tuple(buyer.participant for buyer in facts.buyers if _most(buyer) is None)
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why=f"the value of {listed(lacking)} over the term is not known",
            follows="give every buyer's quantity and price; until then treat the tender as above the threshold",
            participants=lacking,
        )
        return
    limit = central if facts.central_government else sub_central
    stands = f"{eur(value)} over {facts.whole_term_months} months with options"
    whose = "with a central government authority among the buyers, " if facts.central_government else ""
    figures = {"value_cents": value, "threshold_cents": limit, "months": facts.whole_term_months}
    if facts.central_government is None and central <= value < sub_central:
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why=f"{stands} lies between {eur(central)} for central and {eur(sub_central)} for other authorities",
            follows="find out whether a buyer is a central government authority",
            figures={**figures, "threshold_cents": central},
        )
    elif value >= limit:
        yield Finding(
            applies=Applies.YES,
            why=f"{whose}{stands} is at or above {eur(limit)}",
            follows="publish under the directive: notice in TED, its procedures and time limits",
            figures=figures,
        )
    else:
        yield Finding(
            applies=Applies.NO,
            why=f"{whose}{stands} is below {eur(limit)}; national rules apply",
            figures=figures,
        )


def china(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """By the main CPV and the value of the whole; where the main CPV is outside, by what lies in the range."""
    limit = rule.parameters["value_cents"]
    span = f"CPV {rule.parameters['first_cpv']} to {rule.parameters['last_cpv']}"
    main = _number(facts.main_cpv or _main(facts))
    value = facts.value_cents
    if main is None or (value is None and _in(main, rule)):
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why=f"the main CPV or the value is not known, so neither is whether it is in {span} from {eur(limit)} on",
            follows="name the tender's main CPV and every buyer's value",
        )
        return
    counted = value if _in(main, rule) else _within(facts, rule)
    if counted is None:
        yield Finding(
            applies=Applies.UNKNOWN,
            severity=Severity.WARNING,
            why=f"main CPV {main} is outside {span}, but the CPV or value of some categories is not known",
            follows="give each category's CPV and value",
        )
        return
    figures = {"value_cents": counted, "threshold_cents": limit, "main_cpv": main}
    what = (
        f"main CPV {main} lies in {span}" if _in(main, rule) else f"main CPV {main} is outside {span}, categories in it"
    )
    if counted < limit:
        why = f"{what}; {eur(counted)} is below {eur(limit)}" if counted else f"nothing of it lies in {span}"
        yield Finding(applies=Applies.NO, why=why, figures=figures)
        return
    alone = [_most(buyer) for buyer in facts.buyers]
    joined = all(each is not None and each < limit for each in alone)
    yield Finding(
        applies=Applies.YES,
        severity=Severity.WARNING,
        why=f"{what}; {eur(counted)} is at or above {eur(limit)}"
        + ("; no buyer alone reaches it, it follows from buying together" if joined else ""),
        follows="exclude bidders that originate in China; have winners source at most"
        f" {per_cent(rule.parameters['largest_sourced_share'])} of the contract value there, and prove it;"
        " never divide the tender or choose another CPV in order to stay below",
        figures=figures,
    )


def buying_share(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """A warning above the safe share, never a bar."""
    limit = rule.parameters["largest_share"]
    above = [each for each in facts.categories if each.buying_share is not None and each.buying_share > limit]
    unknown = [each.id for each in facts.categories if each.buying_share is None]
    known = {f"share.{each.id}": each.buying_share for each in facts.categories if each.buying_share is not None}
    figures = {**known, "largest_share": limit}
    if above:
        shares = listed(f"{each.id} {per_cent(each.buying_share or 0)}" for each in above)
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why=f"the buyers' share is above {per_cent(limit)} in {shares}",
            follows="have the effect on the market looked at before the notice, and keep the reasons",
            figures=figures,
        )
    elif unknown:
        yield Finding(
            applies=Applies.UNKNOWN,
            why=f"the buyers' share of what is bought in the Nordic countries is not known for {listed(unknown)}",
            follows=f"estimate it; above {per_cent(limit)} look at the effect on the market",
            figures=figures,
        )
    else:
        yield Finding(applies=Applies.NO, why=f"every share is at most {per_cent(limit)}", figures=figures)


def term(facts: TenderFacts, rule: Rule) -> Iterator[Finding]:
    """Options count."""
    most, months = rule.parameters["most_months"], facts.whole_term_months
    figures = {"months": months, "most_months": most}
    if months <= most:
        yield Finding(applies=Applies.YES, why=f"{months} months with options, {most} are allowed", figures=figures)
        return
    why = f"{months} months with options are more than {most}"
    if facts.term_reasons:
        follows = "state the exceptional case in the notice; have the reasons checked"
        yield Finding(applies=Applies.YES, severity=Severity.WARNING, why=why, follows=follows, figures=figures)
    else:
        follows = f"shorten term or options to {most} months, or give the reasons of an exceptional case"
        yield Finding(applies=Applies.YES, severity=Severity.BLOCKING, why=why, follows=follows, figures=figures)


def estimate_and_maximum(facts: TenderFacts, _rule: Rule) -> Iterator[Finding]:
    """For the whole, then for each buyer."""
    lacking = tuple(buyer.participant for buyer in facts.buyers if not _stated(buyer))
    below = tuple(buyer.participant for buyer in facts.buyers if _contradicts(buyer))
    estimates = [buyer.value_cents for buyer in facts.buyers if buyer.value_cents is not None]
    figures = {"estimate_cents": sum(estimates)} if len(estimates) == len(facts.buyers) else {}
    if below:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"the maximum of {listed(below)} is below the estimate",
            follows="set the maximum at or above the estimate",
            participants=below,
        )
    whole = facts.maximum_value_cents
    short = whole is not None and whole < sum(estimates)
    if whole is not None and short:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.BLOCKING,
            why=f"the maximum of the whole, {eur(whole)}, is below the estimate, {eur(sum(estimates))}",
            follows="set the maximum at or above the estimate",
            figures={"estimate_cents": sum(estimates), "maximum_cents": whole},
        )
    if lacking:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING if facts.frozen_on is None else Severity.BLOCKING,
            why=f"quantity, value or maximum of {listed(lacking)} is not set"
            + ("" if facts.frozen_on is None else f", though the buyers were fixed on {facts.frozen_on}"),
            follows="the maximum of each buyer is set when the tender is frozen, from the upper quantile of its need",
            participants=lacking,
        )
    if not below and not lacking and not short:
        most = sum(buyer.maximum_value_cents or 0 for buyer in facts.buyers) if whole is None else whole
        apart, said = _apart(facts.associates)
        yield Finding(
            applies=Applies.YES,
            why=f"{eur(sum(estimates))} estimated, {eur(most)} at most, for {len(facts.contracting)} buyers{said}",
            follows="state both in the notice, for the whole and for each buyer; no call-off goes beyond the maximum",
            figures={**figures, "maximum_cents": most, **apart},
        )
    yield from _no_room(facts)
    yield from _beyond_supply(facts)
    for buyer in facts.buyers:
        if _stated(buyer):
            yield _of_buyer(buyer, facts.lead)


def _apart(associates: Sequence[Buyer]) -> tuple[dict[str, int], str]:
    """What of the whole is for those that do not sign, as figures and in words; nothing where there are none."""
    if not associates:
        return {}, ""
    estimate = sum(buyer.value_cents or 0 for buyer in associates)
    most = sum(buyer.maximum_value_cents or 0 for buyer in associates)
    named = listed(buyer.participant for buyer in associates)
    words = f"; of this, counted apart, {eur(estimate)} estimated and {eur(most)} at most for {named}"
    return {"associates_estimate_cents": estimate, "associates_maximum_cents": most}, words


def _no_room(facts: TenderFacts) -> Iterator[Finding]:
    """A maximum that is the estimate is reached by the need as it is expected."""
    none = [
        buyer.participant
        for buyer in facts.buyers
        if any(each.estimate and (each.exact or each.maximum == each.estimate) for each in buyer.amounts)
    ]
    if none:
        yield Finding(
            applies=Applies.YES,
            severity=Severity.WARNING,
            why=f"the maximum of {listed(none)} is no more than the estimate: the need has no upper range",
            follows="ask for the range of the need before the buyers are fixed; once the maximum is reached, nothing"
            " more can be called off",
            participants=tuple(none),
        )


def _beyond_supply(facts: TenderFacts) -> Iterator[Finding]:
    for each in facts.supplies:
        if each.most > each.offered:
            yield Finding(
                applies=Applies.YES,
                severity=Severity.WARNING,
                why=f"up to {each.most:,} a year may be called off of {each.offer}, and {each.offered:,} a year are on"
                " offer",
                follows="ask the supplier for as much as the maximum, or have the members commit to less",
                figures={f"most.{each.offer}": each.most, f"offered.{each.offer}": each.offered},
            )


def _of_buyer(buyer: Buyer, lead: str) -> Finding:
    figures: dict[str, int | float] = {
        "estimate_cents": buyer.value_cents or 0,
        "maximum_cents": buyer.maximum_value_cents or 0,
    }
    parts = []
    for amount in buyer.amounts:
        figures[f"estimate.{amount.category}"] = amount.estimate
        figures[f"maximum.{amount.category}"] = amount.maximum or 0
        parts.append(f"{amount.category} {amount.estimate:,} estimated, {amount.maximum or 0:,} at most")
    apart = buyer.role == ASSOCIATE
    return Finding(
        applies=Applies.YES,
        why=f"{buyer.participant}{f' (associate, under {lead})' if apart else ''}: {'; '.join(parts)};"
        f" {eur(buyer.value_cents or 0)} estimated, {eur(buyer.maximum_value_cents or 0)} at most",
        follows=f"to be stated in the notice apart, under {lead}, which signs for it"
        if apart
        else "to be stated in the notice for this buyer",
        participants=(buyer.participant,),
        figures=figures,
    )


def _stated(buyer: Buyer) -> bool:
    values = (buyer.value_cents, buyer.maximum_value_cents, *(amount.maximum for amount in buyer.amounts))
    return bool(buyer.amounts) and None not in values


def _contradicts(buyer: Buyer) -> bool:
    pairs = [(amount.estimate, amount.maximum) for amount in buyer.amounts]
    pairs += [] if buyer.value_cents is None else [(buyer.value_cents, buyer.maximum_value_cents)]
    return any(most is not None and most < estimate for estimate, most in pairs)


def _most(buyer: Buyer) -> int | None:
    return buyer.value_cents if buyer.maximum_value_cents is None else buyer.maximum_value_cents


def _main(facts: TenderFacts) -> str | None:
    """The CPV of the category with the largest value; None where that cannot be told."""
    codes = {each.cpv for each in facts.categories}
    if len(codes) == 1:
        return codes.pop()
    values = [each.value_cents for each in facts.categories]
    if None in values:
        return None
    return max(facts.categories, key=lambda each: each.value_cents or 0).cpv


def _number(cpv: str | None) -> int | None:
    return None if cpv is None else int(cpv[:8])


def _in(cpv: int, rule: Rule) -> bool:
    first: int = rule.parameters["first_cpv"]
    last: int = rule.parameters["last_cpv"]
    return first <= cpv <= last


def _within(facts: TenderFacts, rule: Rule) -> int | None:
    """Value of the categories in the range; None where one that may be in it has none."""

    def concerns(category: Category) -> bool:
        number = _number(category.cpv)
        return number is None or _in(number, rule)

    concerned = [each for each in facts.categories if concerns(each)]
    if any(each.cpv is None or each.value_cents is None for each in concerned):
        return None
    return sum(each.value_cents or 0 for each in concerned)
