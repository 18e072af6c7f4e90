"""A cycle's tenders over HTTP: proposed, reviewed, invited, answered, one repaired, confirmed and handed over."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pooling.demo.cycle_answers import answer, chosen, facts, pivot
from pooling.demo.cycle_demand import CYCLE, TERMS
from pooling.demo.cycle_site import Document, Refused, Site

MOST_INVITED, MEMBERS = 8, (3, 14)
MOST_PLANTED, MOST_REPAIRED = 2, 3
REPAIR_S = 8.0
INVITED_ON, ANSWERED_ON, DECIDED_ON = (TERMS["plan_by"] + timedelta(days=days) for days in (1, 30, 60))
ANSWERS_DUE = TERMS["plan_by"] + timedelta(days=50)
DONE = ("queued", "running")
LONGEST_REASON, LONGEST_TOLD = 1000, 240
ENTERED = "for the law to be asked about (made up)"
LATER = "not taken further this time (made up)"

Tell = Callable[[date, str], None]


@dataclass(slots=True)
class Counts:
    """What the members said, and what became of the tenders."""

    committed: int = 0
    declined: int = 0
    changes: int = 0
    handed_over: int = 0
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class Repaired:
    """The option that brought a tender back: who had declined, and the option as the API shows it."""

    tender: str
    short: str
    declined: tuple[str, ...]
    option: Document
    of: int


def propose(site: Site, plan: str) -> list[Document]:
    """The plan's pools become the cycle's tenders, each as the planner sees it."""
    path = f"/v1/cycles/{CYCLE}"
    site.planner.post(f"{path}/proposal", {"plan": plan}, of=path)
    return [site.planner.get(_path(each)) for each in site.planner.all(f"/v1/tenders?cycle={CYCLE}&limit=500")]


def invite(site: Site, tenders: Sequence[Document], tell: Tell, *, seed: int) -> list[Document]:
    """Some are reviewed and their members invited; the others are given up, so that their lines are free.

    What the law asks for and no data tell is entered before: made up.
    """
    invited: list[Document] = []
    against: dict[str, str] = {}
    for tender in chosen(tenders, members=MEMBERS):
        if len(invited) == MOST_INVITED:
            break
        site.planner.patch(_path(tender), {"facts": facts(seed, tender), "reason": ENTERED})
        blocked = site.planner.get(f"{_path(tender)}/standing")["blocked"]
        if blocked:
            against[tender["id"]] = "; ".join(blocked)
            tell(INVITED_ON, f"{called(tender)} cannot go out: {shortened(against[tender['id']])}")
        else:
            invited.append(tender)
    kept = {each["id"] for each in invited}
    for tender in tenders:
        if tender["id"] not in kept:
            _reject(site, tender, against.get(tender["id"], LATER))
    for tender in invited:
        _step(site, tender, "review", reason="looks good on paper (made up)")
        _step(site, tender, "invite", due=ANSWERS_DUE.isoformat(), reason="reviewed (made up)")
    return invited


def collect(site: Site, tenders: Sequence[Document], counts: Counts, *, seed: int) -> None:
    """Every member reads its invitation and answers. In some tenders somebody declines who is hard to do without."""
    planted = 0
    for tender in tenders:
        leaves = pivot(tender) if planted < MOST_PLANTED else None
        planted += leaves is not None
        for member in tender["members"]:
            said = answer(seed, tender, member)
            if member["participant"] == leaves:
                said = {"answer": "decline", "reason": "a neighbour offered us a place in its agreement (made up)"}
            _answer(site, tender, member["participant"], said, counts)


def _answer(site: Site, tender: Document, participant: str, said: Document, counts: Counts) -> None:
    desk = site.coordinator(participant)
    desk.get(f"{_path(tender)}/invitation?participant={participant}")
    path = f"{_path(tender)}/answers/{participant}"
    desk.put(path, said, of=path)
    counts.committed += said["answer"] == "commit"
    counts.declined += said["answer"] == "decline"
    counts.changes += said["answer"] == "change"


def mend(site: Site, tenders: Sequence[Document], counts: Counts, tell: Tell) -> list[Repaired]:
    """Where a change was asked for, the planner has talked to the member, who commits; what falls short is repaired."""
    repaired: list[Repaired] = []
    for tender in tenders:
        _settle(site, tender, counts, ("change-proposed",))
        found = site.planner.get(f"{_path(tender)}/standing")["committed"]
        if found["holds"]:
            _at_its_price(site, tender, found, counts, tell)
        if found["holds"] or len(repaired) == MOST_REPAIRED:
            continue
        short = "; ".join(fault["words"] for fault in found["faults"])
        tell(ANSWERED_ON, f"{called(tender)} falls short: {shortened(short)}")
        option = _repair(site, tender, short)
        if option is None:
            tell(ANSWERED_ON, f"{called(tender)}: no repair is found")
            continue
        tell(ANSWERED_ON, f"{called(tender)} is repaired: {in_words(option.option)}")
        repaired.append(option)
        _settle(site, tender, counts, ("none",))
    return repaired


def _settle(site: Site, tender: Document, counts: Counts, answers: Collection[str]) -> None:
    for member in site.planner.get(_path(tender))["members"]:
        if member["answer"] in answers:
            _answer(site, tender, member["participant"], {"answer": "commit"}, counts)


def _at_its_price(site: Site, tender: Document, found: Document, counts: Counts, tell: Tell) -> None:
    """Where a lot has become dearer than its members were told, they are asked again and commit to that price."""
    told = {lot["id"]: lot["unit_price_eur"] for lot in site.planner.get(_path(tender))["lots"]}
    dearer = [lot for lot in found["lots"] if lot["unit_price_eur"] > told[lot["lot"]]]
    if not dearer:
        return
    path = f"{_path(tender)}/answers/{dearer[0]['participants'][0]}"
    site.planner.post(f"{path}/ask-again", {"reason": "it has become dearer (made up)"}, of=path)
    tell(ANSWERED_ON, f"{called(tender)} has become dearer: its members are asked again")
    _settle(site, tender, counts, ("none",))


def _repair(site: Site, tender: Document, short: str) -> Repaired | None:
    """Look for repairs and apply the one that is worth most and can be."""
    path = f"{_path(tender)}/repairs"
    now = site.planner.get(_path(tender))
    declined = tuple(each["participant"] for each in now["members"] if each["answer"] == "declined")
    job = site.planner.post(path, {"time_limit_s": REPAIR_S})["operation"]
    site.planner.once(job, unless=DONE, within_s=20 * REPAIR_S)
    options = [each for each in site.planner.all(path) if each["fits"]]
    for option in sorted(options, key=lambda each: -each["worth_eur"]):
        try:
            site.planner.post(f"{path}/{option['number']}/apply", {"reason": "worth most (made up)"}, of=_path(tender))
        except Refused:  # such as a start that is taken; the next one may do
            continue
        return Repaired(tender["id"], short, declined, option, len(options))
    return None


def decide(site: Site, tenders: Sequence[Document], counts: Counts, tell: Tell) -> list[str]:
    """Those that hold are confirmed and handed over, the others given up, and the cycle is decided. Returns the ids."""
    done = []
    for tender in tenders:
        try:
            _step(site, tender, "confirm", reason="all have answered (made up)")
            _step(site, tender, "hand-over", reason="signed (made up)")
            done.append(tender["id"])
        except Refused as refused:
            tell(DECIDED_ON, f"{called(tender)} is given up: {shortened(refused.problem['detail'])}")
            _reject(site, tender, str(refused.problem["detail"]))
    path = f"/v1/cycles/{CYCLE}"
    site.planner.post(f"{path}/decide", of=path)
    counts.handed_over, counts.given_up = len(done), len(tenders) - len(done)
    return done


def called(tender: Document) -> str:
    """A tender in words."""
    return f"{tender['family']} {tender['start']}"


def in_words(option: Document) -> str:
    """What a repair changes."""
    parts = [f"{option['kind']}: lead {option['lead']}, start {option['start']}"]
    for name in ("joins", "leaves"):
        parts += [f"{len(option[name])} lines {name[:-1]}"] if option[name] else []
    return f"{', '.join(parts)}; worth EUR {option['worth_eur']:,.0f} over the term"


def shortened(words: str) -> str:
    """As much as fits on a line or two."""
    return words if len(words) <= LONGEST_TOLD else f"{words[:LONGEST_TOLD]} …"


def _step(site: Site, tender: Document, step: str, **body: Any) -> None:
    site.planner.post(f"{_path(tender)}/{step}", body, of=_path(tender))


def _reject(site: Site, tender: Document, reason: str) -> None:
    _step(site, tender, "reject", reason=reason[:LONGEST_REASON])


def _path(tender: Document) -> str:
    return f"/v1/tenders/{tender['id']}"
