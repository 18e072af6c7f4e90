"""Does a tender hold, as it is answered? Pure: the rules of the optimisation model over the answered volumes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import NormalDist
from typing import Any

from pooling import errors
from pooling.cycles.rules import shallowest
from pooling.tenders.gaining import TOLERANCE, Gained, Terms, gained, total
from pooling.tenders.judged import (
    Z90,
    Asked,
    AskedLot,
    AskedMember,
    Fault,
    LotStanding,
    MemberStanding,
    Short,
    Standing,
)
from pooling.tenders.rules import Answer


@dataclass(frozen=True, slots=True)
class _Part:
    """What counts of a member in a lot: lines scaled to what it committed."""

    participant: str
    lines: tuple[Mapping[str, Any], ...]
    quantity: int
    deviations: tuple[float, ...]


def judge(asked: Asked, *, only_committed: bool = False) -> Standing:
    """The tender with all that have not declined, whoever has not answered by its lines; or the committed alone."""
    counted = {member.participant: member for member in asked.members if _counts(member.answer, only_committed)}
    parts = {lot.id: _parts(lot, counted) for lot in asked.lots}
    there = [lot for lot in asked.lots if parts[lot.id]]
    faults = [] if there else [Fault(Short.NOTHING_LEFT, "no member is left with any volume")]
    faults += _lead_faults(asked, counted, parts)
    faults += _change_faults(asked, counted, parts)
    standings: list[LotStanding] = []
    gains: dict[str, Gained] = {}
    for lot in there:
        standing = _lot(lot, parts[lot.id], counted, asked.policy)
        standings.append(standing)
        faults += _lot_faults(lot, standing, asked.policy)
        found, worse = _gains(lot, parts[lot.id], standing, asked)
        faults += worse
        for participant, gain in found.items():
            gains[participant] = gains.get(participant, Gained()) + gain
    faults += _cash_faults(asked, gains)
    limits = [depth for lot in there for code, depth in lot.depths if code in counted]
    return Standing(
        faults=tuple(faults),
        depth=shallowest(limits, most=asked.depth),
        lots=tuple(standings),
        members=tuple(_member(each, counted, parts, gains) for each in asked.members),
        net_eur=_net(asked, counted, parts, gains),
    )


def _counts(answer: Answer, only_committed: bool) -> bool:
    return answer is Answer.COMMITTED if only_committed else answer is not Answer.DECLINED


def _parts(lot: AskedLot, counted: Mapping[str, AskedMember]) -> list[_Part]:
    found = []
    for participant in sorted({line["participant"] for line in lot.lines} & counted.keys()):
        lines = tuple(line for line in lot.lines if line["participant"] == participant)
        given = lot.said.get(participant)
        if given is None:
            found.append(_Part(participant, lines, sum(line["quantity"] for line in lines), deviations(lines)))
        elif given.quantity:
            share = given.quantity / sum(line["quantity"] for line in lines)
            scaled = tuple({**line, "quantity": line["quantity"] * share} for line in lines)
            found.append(_Part(participant, scaled, given.quantity, (given.deviation,)))
    return found


def deviations(lines: Iterable[Mapping[str, Any]]) -> tuple[float, ...]:
    """Of each line the standard deviation, base units a year, from its 10th and 90th percentile."""
    return tuple((line["quantity_high"] - line["quantity_low"]) / (2 * Z90) for line in lines)


def sure_quantity(quantity: float, spreads: tuple[float, ...], policy: Mapping[str, Any]) -> float:
    """Rule 3 of the optimisation model: what is there at the policy's confidence. ``spreads``: standard deviations."""
    rho, deviates = policy["forecast_correlation"], NormalDist().inv_cdf(policy["confidence"])
    common = fsum(spreads) ** 2
    spread = sqrt((1 - rho) * fsum(each * each for each in spreads) + rho * common)
    return float(quantity - deviates * spread)


def _lot(
    lot: AskedLot, parts: list[_Part], counted: Mapping[str, AskedMember], policy: Mapping[str, Any]
) -> LotStanding:
    quantity = sum(part.quantity for part in parts)
    sure = sure_quantity(quantity, tuple(each for part in parts for each in part.deviations), policy)
    tiers = lot.offer["tiers"]
    floor = sure + TOLERANCE * max(1.0, abs(sure))
    reached = [number for number, tier in enumerate(tiers) if tier["from_quantity"] <= floor]
    return LotStanding(
        lot=lot.id,
        category=lot.category,
        quantity=quantity,
        sure_quantity=sure,
        tipping_quantity=tiers[0]["from_quantity"],
        tier=reached[-1] if reached else None,
        unit_price_eur=tiers[reached[-1]]["unit_price_eur"] if reached else None,
        authorities=sum(counted[part.participant].contracting_authority for part in parts),
        participants=tuple(part.participant for part in parts),
    )


def _lot_faults(lot: AskedLot, standing: LotStanding, policy: Mapping[str, Any]) -> list[Fault]:
    found, place = [], f"lot {lot.id} ({lot.category})"
    if standing.tier is None:
        missing = standing.tipping_quantity - standing.sure_quantity
        words = f"{place}: {standing.sure_quantity:,.0f} a year are sure, {standing.tipping_quantity:,} are needed"
        found.append(Fault(Short.BELOW_TIPPING, words, lot=lot.id, missing=missing))
    if standing.authorities < policy["min_participants"]:
        there = errors.counted(standing.authorities, "contracting authority", "contracting authorities")
        words = f"{place}: {there}, {policy['min_participants']} are needed"
        found.append(Fault(Short.TOO_FEW, words, lot=lot.id))
    most = lot.offer["max_quantity"]
    if most is not None and standing.quantity > most:
        words = f"{place}: {standing.quantity:,} a year, the offer ends at {most:,}"
        found.append(Fault(Short.ABOVE_SUPPLY, words, lot=lot.id))
    return found


def _gains(
    lot: AskedLot, parts: list[_Part], standing: LotStanding, asked: Asked
) -> tuple[dict[str, Gained], list[Fault]]:
    """What each member's lines gain in the lot, and who has one that would be worse off."""
    if standing.unit_price_eur is None:
        return {}, []
    terms = _terms(asked, lot, standing.unit_price_eur)
    found = {part.participant: gained(part.lines, terms) for part in parts}
    faults = []
    for participant, gains in found.items():
        if gains.worst is not None and asked.policy["no_one_worse_off"]:
            words = f"lot {lot.id} ({lot.category}): {participant} would be worse off by EUR {-gains.worst:,.2f}"
            faults.append(Fault(Short.WORSE_OFF, words, lot=lot.id, participant=participant))
    return found, faults


def _terms(asked: Asked, lot: AskedLot, unit_price_eur: float) -> Terms:
    return Terms(lot.offer, unit_price_eur, asked.start, lot.term_months, asked.policy)


def _cash_faults(asked: Asked, gains: Mapping[str, Gained]) -> list[Fault]:
    """Whom the answers make pay more than today: a premium that the invitation has told already is none of these."""
    if not asked.policy["no_one_worse_off"]:
        return []
    faults = []
    for participant, found in sorted(gains.items()):
        if found.costs_more and not _as_invited(asked, participant).costs_more:
            more = f"{participant} would pay EUR {-found.gain.cash_eur:,.2f} more than today over the term"
            words = f"{more}, and its invitation did not say so; ask it again, or look for a repair"
            faults.append(Fault(Short.WORSE_IN_CASH, words, participant=participant))
    return faults


def _as_invited(asked: Asked, participant: str) -> Gained:
    """What a member was told that its lines gain."""
    found = Gained()
    for lot in asked.lots:
        price = lot.offer["tiers"][lot.tier]["unit_price_eur"]
        found += gained((each for each in lot.lines if each["participant"] == participant), _terms(asked, lot, price))
    return found


def _change_faults(asked: Asked, counted: Mapping[str, AskedMember], parts: Mapping[int, list[_Part]]) -> list[Fault]:
    """Who takes part at another start or on another offer only."""
    faults = []
    for code, member in counted.items():
        if member.start is not None and member.start != asked.start:
            words = f"{code} takes part where it starts in {member.start}, not in {asked.start}"
            faults.append(Fault(Short.CHANGE, words, participant=code))
        for lot in asked.lots if member.criterion is not None else ():
            inside = any(part.participant == code for part in parts[lot.id])
            if inside and member.criterion not in lot.offer["criteria"]:
                words = (
                    f"lot {lot.id} ({lot.category}): {code} takes part on an offer that meets {member.criterion} only"
                )
                faults.append(Fault(Short.CHANGE, words, lot=lot.id, participant=code))
    return faults


def _lead_faults(asked: Asked, counted: Mapping[str, AskedMember], parts: Mapping[int, list[_Part]]) -> list[Fault]:
    lead = counted.get(asked.lead)
    buys = any(part.participant == asked.lead for each in parts.values() for part in each)
    if lead is None or not buys:
        return [Fault(Short.LEAD_OUT, f"the lead {asked.lead} takes no part any more", participant=asked.lead)]
    if not (lead.may_lead and lead.contracting_authority):
        return [Fault(Short.LEAD_MAY_NOT, f"{asked.lead} may not lead", participant=asked.lead)]
    return []


def _member(
    member: AskedMember,
    counted: Mapping[str, AskedMember],
    parts: Mapping[int, list[_Part]],
    gains: Mapping[str, Gained],
) -> MemberStanding:
    code = member.participant
    own = gains.get(code, Gained())
    quantity = sum(part.quantity for each in parts.values() for part in each if part.participant == code)
    return MemberStanding(code, code in counted, quantity, own.gain.cash_eur, own.gain.net_eur, own.worse_off)


def _net(
    asked: Asked,
    counted: Mapping[str, AskedMember],
    parts: Mapping[int, list[_Part]],
    gains: Mapping[str, Gained],
) -> float:
    inside = {part.participant for each in parts.values() for part in each}
    if not inside:
        return 0.0
    countries = {counted[code].country for code in inside}
    policy, lots = asked.policy, sum(bool(each) for each in parts.values())
    costs = policy["pool_cost_eur"] + policy["lot_cost_eur"] * lots + policy["country_cost_eur"] * (len(countries) - 1)
    return total(gains.values()) - float(costs)
