"""Offers set and withdrawn one by one: through the same intake as an offer file, with the dialogues they rest on."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.errors import BadFields, NotFound, WrongState
from pooling.market import intake, service
from pooling.market.files import Draft
from pooling.market.tables import Dialogue, Offer, OfferDialogue
from pooling.reference import service as reference

FAULT = re.compile(r"(#[^,:]*)(?:, ([a-z0-9_]+))?(?: '[^']*')?: (.*)", re.DOTALL)
FIGURES = {"from_quantity": "quantity", "price": "price", "co2_saved_kg_per_unit": "co2"}
"""A figure's field in a request, and how the names of its source begin in a file."""
REQUEST = "request"


def put(
    session: Session,
    offer: str,
    document: Mapping[str, Any],
    dialogues: Sequence[UUID],
    *,
    now: datetime,
    expect: Callable[[int | None], None],
) -> None:
    """Set an offer whole; raises BadFields with every fault. ``document`` is the request's body as plain JSON."""
    service.lock(session)
    row = session.get(Offer, offer)
    expect(None if row is None else row.version)
    known = intake.Known(reference.categories(session).keys(), reference.criteria(session).keys())
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    records, faults = intake.records([draft_of(offer, document)], known=known, file_name=REQUEST, file_sha256=sha256)
    if faults:
        raise BadFields(_placed(fault) for fault in faults)
    missing = [number for number, each in enumerate(dialogues) if session.get(Dialogue, each) is None]
    if missing:
        text = "no such dialogue; record it first"
        raise BadFields((f"#/dialogues/{number}", "bad-input", text) for number in missing)
    changed = _point(session, offer, dialogues) if row is not None else False
    loaded = service.store_offers(session, records, file=(REQUEST, sha256), loaded_at=now)
    if row is None:
        _point(session, offer, dialogues)
    elif changed and loaded.unchanged:
        row.version += 1
        feed.changed(session, "offer", offer, version=row.version)
        audit.acted(session, "offers.write", resource=("offer", offer))
    session.flush()


def _point(session: Session, offer: str, dialogues: Sequence[UUID]) -> bool:
    """Note the dialogues that an offer rests on; whether they are others than before."""
    before = dialogues_of(session, offer)
    wanted = sorted(set(dialogues))
    if before == wanted:
        return False
    session.execute(delete(OfferDialogue).where(col(OfferDialogue.offer) == offer))
    session.expire_all()
    session.add_all(OfferDialogue(offer=offer, dialogue=each) for each in wanted)
    session.flush()
    return True


def dialogues_of(session: Session, offer: str) -> list[UUID]:
    """The dialogues that an offer rests on."""
    found = session.exec(select(OfferDialogue.dialogue).where(col(OfferDialogue.offer) == offer))
    return sorted(found)


def draft_of(offer: str, document: Mapping[str, Any]) -> Draft:
    """A request's body in the words of an offer file; places are pointers into the body."""
    tiers = document["tiers"]
    own = {name: value for name, value in document.items() if name not in ("tiers", "dialogues", *FIGURES)}
    values = {name: _text(value) for name, value in own.items()}
    return Draft(
        "#",
        {"offer": offer, **values, **_figure(document, "co2_saved_kg_per_unit")},
        tuple(
            Draft(f"#/tiers/{number}", {**_figure(tier, "from_quantity"), **_figure(tier, "price")})
            for number, tier in enumerate(tiers)
        ),
    )


def _figure(holder: Mapping[str, Any], name: str) -> dict[str, str]:
    figure, begin = holder[name], FIGURES[name]
    low, high, _ = intake.NAMES[name]
    named = {
        name: "value",
        low: "low",
        high: "high",
        f"{begin}_source": "source",
        f"{begin}_source_date": "source_date",
    }
    return {column: _text(figure[part]) for column, part in named.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, list) else str(value)


def _placed(fault: str) -> tuple[str, str, str]:
    """The place that a fault of the intake names, as a pointer into the body."""
    found = FAULT.fullmatch(fault)
    if found is None:
        return ("#", "bad-input", fault)
    place, field, text = found.groups()
    path = _path(field or "")
    of_a_tier = path.startswith(("/price/", "/from_quantity/"))
    return (f"{place}/tiers" if place == "#" and of_a_tier else place + path, "bad-input", text)


def _path(field: str) -> str:
    for name, begin in FIGURES.items():
        low, high, _ = intake.NAMES[name]
        parts = {low: "low", high: "high", f"{begin}_source": "source", f"{begin}_source_date": "source_date"}
        if field in parts:
            return f"/{name}/{parts[field]}"
        if field == name:
            return f"/{name}/value"
    return f"/{field}" if field not in ("", "offer") else ""


def withdraw(session: Session, offer: str, *, now: datetime, expect: Callable[[int], None]) -> None:
    """Take an offer back: no plan takes it from now on. Raises NotFound, WrongState."""
    service.lock(session)
    row = session.get(Offer, offer)
    if row is None:
        raise NotFound(f"no offer {offer!r}")
    expect(row.version)
    if row.withdrawn_at is not None:
        raise WrongState(
            f"offer {offer!r} was withdrawn on {row.withdrawn_at:%Y-%m-%d}; set it anew to have it stand again"
        )
    row.withdrawn_at, row.version = now, row.version + 1
    session.flush()
    feed.changed(session, "offer", offer, version=row.version)
    audit.acted(session, "offers.withdraw", resource=("offer", offer))
