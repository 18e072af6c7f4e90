"""Words that people write for a participant, a category or a criterion: which count as the same, and whose they are."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord

Words = Mapping[str, str | None]
"""What a row goes by, by column; None where it has nothing there."""


def same(text: str) -> str:
    """The form in which two writings of one name are equal: case, blanks and full stops at the end do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .:;,")


def words_of(record: ParticipantRecord | CategoryRecord | CriterionRecord) -> Words:
    """All that a row goes by where somebody names it."""
    if isinstance(record, CategoryRecord):
        return {"id": record.id, "name": record.name}
    if isinstance(record, CriterionRecord):
        return {"code": record.code, "name": record.name}
    return {"code": record.code, "name": record.name, "organisation_id": record.organisation_id}


def owners_of(words: Mapping[str, Words]) -> dict[str, frozenset[str]]:
    """Whose each word is, in the form that ``same`` gives it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, own in words.items():
        for text in own.values():
            if text:
                found[same(text)].add(key)
    return {word: frozenset(keys) for word, keys in found.items()}


class Clash(NamedTuple):
    """A word of row ``key`` that is ``other``'s too."""

    key: str
    column: str
    text: str
    other: str

    @property
    def wrong(self) -> str:
        """What is wrong, and what to do."""
        kind = "name" if self.column == "name" else "code"
        return f"means {self.other} already (case, blanks and full stops do not count); give it a {kind} of its own"


def clashes(given: Iterable[str], words: Mapping[str, Words], before: Mapping[str, Words]) -> Iterator[Clash]:
    """The words of the rows ``given`` that are another row's of ``words`` too, save those that a row had ``before``."""
    owners = owners_of(words)
    for key in given:
        stood = {same(text) for text in before.get(key, {}).values() if text}
        for column, text in words[key].items():
            others = owners[same(text)] - {key} if text else frozenset[str]()
            if text and others and same(text) not in stood:
                yield Clash(key, column, text, min(others))
