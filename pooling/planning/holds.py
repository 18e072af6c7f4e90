"""What is decided already when a plan is asked for: tenders that stand, what was declined, where lines stood. Pure.

Planning knows no tenders: whoever asks for a run hands these over.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Key = tuple[str, str, str | None]
"""Participant, category and item code: a later line of the same takes the place of an earlier one."""
Forecast = tuple[str, str]
"""The system that a forecast is from, and its id there."""
Akin = Callable[[str], frozenset[str]]
"""A participant, with those before and after it in a succession."""


@dataclass(frozen=True, slots=True)
class HeldLot:
    """A lot that stands: the offer as it was decided on, and its lines.

    ``terms``: the offer as in ``pooling.instance/1``; ``said``: as in a snapshot's context. ``lines``: as in an
    instance; ``item_codes``: the lines' own, in the same order.
    """

    offer: str
    terms: dict[str, Any]
    said: dict[str, Any]
    lines: list[dict[str, Any]]
    item_codes: list[str | None]

    @property
    def quantity(self) -> int:
        """Base units a year."""
        return sum(int(line["quantity"]) for line in self.lines)

    @property
    def frozen_offer(self) -> str:
        """The id of the offer as it was, where the offer of today is another."""
        spelt = json.dumps(self.terms, sort_keys=True, ensure_ascii=True)
        return f"{self.offer[:100]}~{hashlib.sha256(spelt.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class HeldTender:
    """A tender that stands as given. Lines later than ``lines_up_to`` came after it was planned."""

    tender: str
    family: str
    start: str
    lead: str
    lines_up_to: int
    lots: list[HeldLot]


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a line stood in the last plan.

    ``key``: under its sender; ``forecast``: source and id there of a forecast. By these a line that was sent anew
    stands where it stood.
    """

    line: int
    offer: str
    start: str
    key: Key | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that its participant would not have on an offer, whenever it starts.

    ``key``: lines of the same participant, category and item code are refused too, where they are later than
    ``lines_up_to``: they are the same demand sent anew.
    """

    line: int
    offer: str
    key: Key | None = None
    lines_up_to: int = 0


@dataclass(frozen=True, slots=True)
class Holds:
    """What a run keeps to: ``fixed``, ``forbidden`` and ``previous`` of its instance."""

    fixed: list[HeldTender] = field(default_factory=list)
    forbidden: list[Refused] = field(default_factory=list)
    previous: list[Stood] = field(default_factory=list)

    @property
    def lots(self) -> list[HeldLot]:
        """Of all tenders that stand."""
        return [lot for tender in self.fixed for lot in tender.lots]

    @property
    def lines(self) -> frozenset[int]:
        """The ids of all lines in tenders that stand."""
        return frozenset(int(line["id"]) for lot in self.lots for line in lot.lines)

    def to_document(self) -> dict[str, Any]:
        """Ready for JSON."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made


NOTHING = Holds()


def holds_kept(document: Mapping[str, Any] | None) -> Holds:
    """What `Holds.to_document` wrote; None: nothing is held."""
    return NOTHING if document is None else msgspec.convert(document, Holds)


def overtaken(holds: Holds, senders: Mapping[int, str], akin: Akin) -> dict[Key, tuple[str, int]]:
    """For each key of a line in a tender that stands: the tender, and the last line it knew.

    ``senders``: who sent a line, where it is not the one that holds it. At a merger what each has sent stays apart,
    while what comes before and after a succession is one body's.
    """
    found: dict[Key, tuple[str, int]] = {}
    for tender in holds.fixed:
        for lot in tender.lots:
            for line, item in zip(lot.lines, lot.item_codes, strict=True):
                for code in akin(senders.get(int(line["id"]), line["participant"])):
                    key = (code, line["category"], item)
                    if key not in found or found[key][1] > tender.lines_up_to:
                        found[key] = (tender.tender, tender.lines_up_to)
    return found


@dataclass(frozen=True, slots=True)
class HeldOffers:
    """The offers that tenders stand on, beside those of today: ``offers`` of the instance, ``said`` of the context.

    ``names``: the id that each held lot's offer has in the instance; ``closed``: ids that no new lot may take.
    """

    offers: list[dict[str, Any]]
    said: dict[str, dict[str, Any]]
    names: list[str]
    closed: list[str]


def held_offers(holds: Holds, today: Iterable[Mapping[str, Any]]) -> HeldOffers:
    """The offers of ``today`` with those that tenders stand on.

    An offer that is today what it was stands once. One that has changed stands beside it as it was, closed to new lots,
    and what stands on it counts against what there is of the offer of today.
    """
    offers = {offer["id"]: dict(offer) for offer in today}
    names: list[str] = []
    said: dict[str, dict[str, Any]] = {}
    for lot in holds.lots:
        same = offers.get(lot.offer)
        if same is not None and _unlimited(same) == _unlimited(lot.terms):
            names.append(lot.offer)
            continue
        name = lot.frozen_offer
        offers[name] = {**lot.terms, "id": name, "total_max_quantity": None}
        said[name] = lot.said
        names.append(name)
        if same is not None and same["total_max_quantity"] is not None:
            same["total_max_quantity"] = max(0, same["total_max_quantity"] - lot.quantity)
    return HeldOffers([offers[key] for key in sorted(offers)], said, names, sorted(said))


def _unlimited(offer: Mapping[str, Any]) -> dict[str, Any]:
    """An offer without what is left of it, which says nothing of a lot that stands."""
    return {name: value for name, value in offer.items() if name != "total_max_quantity"}


def fixed_pools(holds: Holds, names: Iterable[str]) -> list[dict[str, Any]]:
    """``fixed`` of the instance; ``names`` as of `HeldOffers`."""
    offer = iter(names)
    return [
        {
            "family": tender.family,
            "start": tender.start,
            "lead": tender.lead,
            "lots": [{"offer": next(offer), "lines": [line["id"] for line in lot.lines]} for lot in tender.lots],
        }
        for tender in holds.fixed
    ]


def forbidden(
    holds: Holds, held: HeldOffers, lines: Iterable[str], keys: Mapping[int, Key], akin: Akin
) -> list[dict[str, Any]]:
    """``forbidden`` of the instance: what was declined, as far as it is there, and offers that are no more.

    ``keys``: of the lines that no tender stands for, under who sent them.
    """
    known, there = {offer["id"] for offer in held.offers}, set(lines)
    nothing = {"participant": None, "line": None, "family": None, "offer": None, "start": None}
    same: dict[Key, list[int]] = {}
    for line, key in keys.items():
        same.setdefault(key, []).append(line)
    refused = {(each.line, each.offer) for each in holds.forbidden}
    declined = {(each.offer, each.lines_up_to, *each.key) for each in holds.forbidden if each.key is not None}
    for offer, last, participant, category, item in declined:
        anew = [line for code in akin(participant) for line in same.get((code, category, item), ()) if line > last]
        refused |= {(line, offer) for line in anew}
    found = [
        {**nothing, "line": str(line), "offer": offer}
        for line, offer in sorted(refused)
        if str(line) in there and offer in known
    ]
    return [*found, *({**nothing, "offer": name} for name in held.closed)]


def previous(
    holds: Holds, held: HeldOffers, lines: Mapping[int, tuple[Key, Forecast | None]], akin: Akin
) -> list[dict[str, Any]]:
    """``previous`` of the instance, as far as lines and offers are there; ``lines``: all of the instance.

    A line that is not there is looked for among those sent later: first the same forecast, then the same participant
    (or one before or after it in a succession), category and item code, in the order in which they were sent.
    """
    known = {offer["id"] for offer in held.offers}
    stood = {each.line: each for each in holds.previous}
    places = {line: each for line, each in stood.items() if line in lines}
    gone = [each for line, each in sorted(stood.items()) if line not in lines]
    places |= _of_forecasts(gone, {line: forecast for line, (_, forecast) in lines.items() if line not in places})
    inherited = {each.line for each in places.values()}
    gone = [each for each in gone if each.line not in inherited]
    places |= _of_keys(gone, {line: key for line, (key, _) in lines.items() if line not in places}, akin)
    return [
        {"line": str(line), "offer": each.offer, "start": each.start}
        for line, each in sorted(places.items())
        if each.offer in known
    ]


def _of_forecasts(gone: Iterable[Stood], lines: Mapping[int, Forecast | None]) -> dict[int, Stood]:
    stood = {each.forecast: each for each in gone if each.forecast is not None}
    found = {line: stood.get(forecast) for line, forecast in lines.items() if forecast is not None}
    return {line: each for line, each in found.items() if each is not None and line > each.line}


def _of_keys(gone: Iterable[Stood], lines: Mapping[int, Key], akin: Akin) -> dict[int, Stood]:
    """Lines of one key take the places of those before them in order; more than there were, only a place that is the
    only one."""
    before: dict[Key, list[Stood]] = {}
    for each in gone:
        if each.key is not None:
            before.setdefault(each.key, []).append(each)
    same: dict[Key, list[int]] = {}
    for line, key in sorted(lines.items()):
        same.setdefault(key, []).append(line)
    places: dict[int, Stood] = {}

    def later(key: Key, than: int) -> list[int]:
        anew = sorted(line for code in akin(key[0]) for line in same.get((code, key[1], key[2]), ()))
        return [line for line in anew if line > than and line not in places]

    for key, those in before.items():
        places |= dict(zip(later(key, those[-1].line), those, strict=False))
    for key, those in before.items():
        if len({(each.offer, each.start) for each in those}) == 1:
            places |= dict.fromkeys(later(key, those[-1].line), those[0])
    return places
