"""What can be done with reference data inside the open transaction: install what is packaged, add, read.

A row stands as packaged until an administrator gives it anew; from then on it is the administrator's and ``install``
leaves it alone. An organisation id is the administrator's from the start.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete
from sqlalchemy import select as sql_select
from sqlmodel import Session, SQLModel, col, select

from pooling import audit, feed
from pooling.database import one_at_a_time
from pooling.errors import BadInput, NotFound, did_you_mean
from pooling.reference import columns, records
from pooling.reference.organisations import organisation_id
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord, SigningBodyRecord
from pooling.reference.tables import Category, Criterion, CriterionImplication, Participant, SigningBody
from pooling.reference.tabular import read_rows

DATA = Path(__file__).parent / "data"

Record = TypeVar("Record", CategoryRecord, CriterionRecord, ParticipantRecord, SigningBodyRecord)


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were added, changed, found equal, and left because an administrator had set them."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(*(mine + theirs for mine, theirs in zip(_counts(self), _counts(other))))


def _counts(changes: Changes) -> tuple[int, int, int, int]:
    return changes.added, changes.updated, changes.unchanged, changes.kept


def lock(session: Session) -> None:
    """One writer of reference data at a time."""
    one_at_a_time(session, "pooling.reference.install")


def install(session: Session) -> Changes:
    """Bring the packaged rows into the database; safe to repeat, and keeps what an administrator set."""
    lock(session)
    bodies = [
        SigningBodyRecord(**row.values)
        for row in read_rows(DATA / "signing_bodies.csv", columns.SIGNING_BODIES, "code")
    ]
    changes = _put(session, SigningBody, "code", bodies, packaged=True)
    changes += _put_participants(session, DATA / "participants.csv", packaged=True)
    changes += _put_categories(session, DATA / "categories.csv", packaged=True)
    return changes + _install_criteria(session)


def add_signing_bodies(session: Session, path: Path) -> Changes:
    """Add or replace the signing bodies of a CSV file; raises BadInput with all its faults."""
    bodies = [SigningBodyRecord(**row.values) for row in read_rows(path, columns.SIGNING_BODIES, "code")]
    return _put(session, SigningBody, "code", bodies, packaged=False)


def add_participants(session: Session, path: Path) -> Changes:
    """Add or replace the participants of a CSV file; raises BadInput with all its faults.

    One that names no signing body signs for itself; law, language and complaint board are then "not stated" until
    ``add_signing_bodies`` gives them.
    """
    return _put_participants(session, path, packaged=False)


def _put_participants(session: Session, path: Path, *, packaged: bool) -> Changes:
    rows = read_rows(path, columns.PARTICIPANTS, "code")
    bodies = frozenset(signing_bodies(session))
    kept = _kept(session, "participants") if packaged else frozenset[str]()
    found = records.participant_records(path, rows, known=participants(session), bodies=bodies, kept=kept)
    _put(session, SigningBody, "code", records.own_bodies(found, bodies), packaged=packaged)
    return _put(session, Participant, "code", found, packaged=packaged)


def add_categories(session: Session, path: Path) -> Changes:
    """Add or replace the categories of a CSV file; raises BadInput with all its faults."""
    return _put_categories(session, path, packaged=False)


def _put_categories(session: Session, path: Path, *, packaged: bool) -> Changes:
    kept = _kept(session, "categories") if packaged else frozenset[str]()
    rows = read_rows(path, columns.CATEGORIES, "id")
    found = records.category_records(path, rows, known=categories(session), kept=kept)
    return _put(session, Category, "id", found, packaged=packaged)


def add_criteria(session: Session, path: Path) -> Changes:
    """Add or replace the criteria of a CSV file; raises BadInput with all its faults.

    The column ``implies`` holds all that a criterion implies, codes separated by blanks; blank: nothing.
    """
    rows = read_rows(path, columns.CRITERIA_WITH_IMPLICATIONS, "code")
    found = records.criterion_records(path, rows, known=criteria(session))
    implied = records.implied_codes(path, rows, frozenset({*criteria(session), *(record.code for record in found)}))
    changes = _put(session, Criterion, "code", found, packaged=False)
    put_implications(session, implied)
    return changes


def _install_criteria(session: Session) -> Changes:
    path = DATA / "criteria.csv"
    rows = read_rows(path, columns.CRITERIA, "code")
    found = records.criterion_records(path, rows, known=criteria(session), kept=_kept(session, "criteria"))
    changes = _put(session, Criterion, "code", found, packaged=True)
    path = DATA / "implications.csv"
    given = records.implied_codes(path, read_rows(path, columns.IMPLICATIONS, "code"), frozenset(criteria(session)))
    shipped = session.exec(select(Criterion.code).where(col(Criterion.packaged)))
    put_implications(session, {code: given.get(code, {}) for code in shipped})
    return changes


def put_implications(session: Session, implied: Mapping[str, Mapping[str, str]]) -> None:
    """What the criteria named in ``implied`` imply becomes what is given there, each with its source."""
    stored: defaultdict[str, dict[str, str]] = defaultdict(dict)
    names = (CriterionImplication.code, CriterionImplication.implies, CriterionImplication.source)
    for code, other, source in session.exec(select(*names).where(col(CriterionImplication.code).in_(implied))):
        stored[code][other] = source
    different = {code: others for code, others in implied.items() if stored[code] != others}
    session.connection().execute(delete(CriterionImplication).where(col(CriterionImplication.code).in_(different)))
    session.add_all(
        CriterionImplication(code=code, implies=other, source=source)
        for code, others in different.items()
        for other, source in others.items()
    )
    for row in session.exec(select(Criterion).where(col(Criterion.code).in_(different))):
        row.version += 1
        feed.changed(session, "criterion", row.code, version=row.version)
    session.flush()


def _put(session: Session, table: type[SQLModel], key: str, given: Sequence[Record], *, packaged: bool) -> Changes:
    """Add or replace rows, in the order given; a packaged row never replaces an administrator's."""
    stored: dict[str, Any] = {getattr(row, key): row for row in session.exec(select(table))}
    count = {"added": 0, "updated": 0, "unchanged": 0, "kept": 0}
    kind = str(table.__tablename__)
    replacing = []
    for record in given:
        if getattr(record, key) in stored:
            replacing.append(record)
        else:
            session.add(table(**asdict(record), packaged=packaged))
            feed.changed(session, kind, getattr(record, key), version=1, action="created")
            count["added"] += 1
    session.flush()  # new rows first: stored ones may come to point to them
    for record in replacing:
        row = stored[getattr(record, key)]
        done = _replace(row, asdict(record), packaged=packaged)
        count[done] += 1
        if done == "updated":
            feed.changed(session, kind, getattr(record, key), version=row.version)
    session.flush()
    if count["added"] or count["updated"]:
        details = {"added": count["added"], "updated": count["updated"], "packaged": packaged}
        one = (kind, getattr(given[0], key)) if len(given) == 1 else None
        audit.acted(session, f"{kind}.put", resource=one, details=details)
    return Changes(**count)


def _replace(row: Any, values: Mapping[str, Any], *, packaged: bool) -> str:
    if packaged and not row.packaged:
        return "kept"
    values = {**values, "packaged": packaged}
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    if different:
        row.version += 1
    return "updated" if different else "unchanged"


KINDS: Mapping[str, tuple[type[SQLModel], str]] = {
    "participants": (Participant, "code"),
    "signing-bodies": (SigningBody, "code"),
    "categories": (Category, "id"),
    "criteria": (Criterion, "code"),
}
"""Table and key of each kind of reference data."""


def _kept(session: Session, kind: str) -> frozenset[str]:
    """The rows of a kind that an administrator has set, which what is packaged leaves alone."""
    table, key = KINDS[kind]
    columns_ = (col(getattr(table, key)), col(getattr(table, "packaged")))  # noqa: B009 each of the tables has it
    return frozenset(key for key, packaged in session.connection().execute(sql_select(*columns_)) if not packaged)


def put(session: Session, kind: str, given: Sequence[Record]) -> Changes:
    """Add or replace checked rows of a kind (``KINDS``), as an administrator."""
    return _put(session, *KINDS[kind], given, packaged=False)


def versions(session: Session, kind: str) -> dict[str, int]:
    """The version of each row of a kind, by its key."""
    table, key = KINDS[kind]
    columns_ = (col(getattr(table, key)), col(getattr(table, "version")))  # noqa: B009 each of the tables has it
    return {key: number for key, number in session.connection().execute(sql_select(*columns_))}  # noqa: C416 rows, no pairs


def version(session: Session, kind: str, key: str) -> int | None:
    """The version of a row; None where there is no such row."""
    return versions(session, kind).get(key)


def set_organisation(session: Session, code: str, number: str) -> str:
    """Give participant ``code`` its ISO 6523 id and return it as stored; raises BadInput where another one has it."""
    row = session.get(Participant, code)
    if row is None:
        codes = participants(session)
        known = " ".join(codes) or "none; run `pooling reference install`"
        raise NotFound(f"participant {code!r} is not known; {did_you_mean(code, codes, f'known: {known}')}")
    wanted = organisation_id(number)
    other = session.exec(select(Participant.code).where(Participant.organisation_id == wanted)).first()
    if other not in (None, code):
        raise BadInput(f"organisation id {wanted!r} is {other}'s; correct the number, or {other}'s first")
    if row.organisation_id != wanted:
        row.organisation_id = wanted
        row.version += 1
        feed.changed(session, "participant", code, version=row.version)
    session.flush()
    return wanted


def participants(session: Session) -> dict[str, ParticipantRecord]:
    """All participants, ended and future ones too, by code."""
    return _records(session, Participant, Participant.code, ParticipantRecord)


def signing_bodies(session: Session) -> dict[str, SigningBodyRecord]:
    """All signing bodies by code."""
    return _records(session, SigningBody, SigningBody.code, SigningBodyRecord)


def categories(session: Session) -> dict[str, CategoryRecord]:
    """All categories by id."""
    return _records(session, Category, Category.id, CategoryRecord)


def criteria(session: Session) -> dict[str, CriterionRecord]:
    """All criteria by code."""
    return _records(session, Criterion, Criterion.code, CriterionRecord)


def implications(session: Session) -> dict[str, frozenset[str]]:
    """What each criterion implies directly; ``rules.closure`` follows the rest."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in session.exec(select(CriterionImplication).order_by(CriterionImplication.code)):
        found[row.code].add(row.implies)
    return {code: frozenset(others) for code, others in found.items()}


def _records(session: Session, table: type[SQLModel], key: Any, record: type[Record]) -> dict[str, Record]:
    names = [field.name for field in fields(record)]
    rows = session.exec(select(table))
    made = [record(**{name: getattr(row, name) for name in names}) for row in rows]
    return {getattr(each, key.key): each for each in sorted(made, key=lambda each: str(getattr(each, key.key)))}
