"""Dialogue records: talks with the market, which offers point to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.errors import BadFields, NotFound, did_you_mean
from pooling.market.tables import Dialogue, DialogueCategory, OfferDialogue
from pooling.paging import Window
from pooling.reference import service as reference


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says: who took part, when, about which categories, what was learnt, what is still to be asked."""

    held_on: date
    participants: str
    categories: tuple[str, ...]
    learnt: str
    open_questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with the categories it is about and the offers that point to it."""

    row: Dialogue
    categories: tuple[str, ...]
    offers: tuple[str, ...]


def one(session: Session, dialogue: UUID) -> Kept:
    """A record; raises NotFound."""
    row = session.get(Dialogue, dialogue)
    if row is None:
        raise NotFound(f"no dialogue {dialogue}")
    return _kept(session, [row])[0]


def latest_first(session: Session, window: Window, *, category: str | None = None) -> list[Kept]:
    """Records, the latest talk first; ``category``: those that are about it."""
    key = (col(Dialogue.held_on), col(Dialogue.id))
    wanted = select(Dialogue).where(window.clause_descending(*key))
    if category is not None:
        about = select(DialogueCategory.dialogue).where(col(DialogueCategory.category) == category)
        wanted = wanted.where(col(Dialogue.id).in_(about))
    rows = session.exec(wanted.order_by(*(each.desc() for each in key)).limit(window.fetch)).all()
    return _kept(session, rows)


def _kept(session: Session, rows: Sequence[Dialogue]) -> list[Kept]:
    ids = [row.id for row in rows]
    about: dict[UUID, list[str]] = {each: [] for each in ids}
    pointing: dict[UUID, list[str]] = {each: [] for each in ids}
    for link in session.exec(select(DialogueCategory).where(col(DialogueCategory.dialogue).in_(ids))):
        about[link.dialogue].append(link.category)
    for offer in session.exec(select(OfferDialogue).where(col(OfferDialogue.dialogue).in_(ids))):
        pointing[offer.dialogue].append(offer.offer)
    return [Kept(row, tuple(sorted(about[row.id])), tuple(sorted(pointing[row.id]))) for row in rows]


def record(session: Session, said: Said, *, by: UUID, now: datetime) -> UUID:
    """Write a record down; raises BadFields where a category is not known."""
    _check(session, said)
    row = Dialogue(
        id=uuid4(),
        version=1,
        held_on=said.held_on,
        participants=said.participants,
        learnt=said.learnt,
        open_questions=list(said.open_questions),
        recorded_by=by,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    _link(session, row.id, said.categories)
    feed.changed(session, "dialogue", row.id, version=1, action="created")
    audit.acted(session, "dialogues.create", resource=("dialogue", row.id))
    return row.id


def change(
    session: Session, dialogue: UUID, said: Said, *, by: UUID, now: datetime, expect: Callable[[int], None]
) -> None:
    """Write a record anew; raises NotFound, BadFields."""
    row = session.get(Dialogue, dialogue, with_for_update=True)
    if row is None:
        raise NotFound(f"no dialogue {dialogue}")
    expect(row.version)
    _check(session, said)
    row.held_on, row.participants, row.learnt = said.held_on, said.participants, said.learnt
    row.open_questions, row.recorded_by, row.recorded_at = list(said.open_questions), by, now
    row.version += 1
    session.execute(delete(DialogueCategory).where(col(DialogueCategory.dialogue) == dialogue))
    session.flush()
    session.expire_all()
    _link(session, dialogue, said.categories)
    feed.changed(session, "dialogue", dialogue, version=row.version)
    audit.acted(session, "dialogues.write", resource=("dialogue", dialogue))


def _check(session: Session, said: Said) -> None:
    known = reference.categories(session)
    faults = [
        (
            f"#/categories/{number}",
            "bad-input",
            f"{each!r} is not known; {did_you_mean(each, known, 'see /v1/categories')}",
        )
        for number, each in enumerate(said.categories)
        if each not in known
    ]
    if faults:
        raise BadFields(faults)


def _link(session: Session, dialogue: UUID, categories: Sequence[str]) -> None:
    session.add_all(DialogueCategory(dialogue=dialogue, category=each) for each in sorted(set(categories)))
    session.flush()
