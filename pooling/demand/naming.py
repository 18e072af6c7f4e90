"""Who buys what, and on which demands: names of participants, categories and criteria to our own codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from pooling.demand.days import Wrong
from pooling.demand.distinct import ByDistinct
from pooling.demand.keys import Faults
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.names import Closest, slug
from pooling.demand.sections import CategoryRule
from pooling.demand.work import JOIN, Work, joined
from pooling.errors import closest, did_you_mean
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord, closure
from pooling.reference.words import owners_of, same, words_of

MAX_CODES = 400
MOST_LOOKED_UP = 1_000
LISTED = "give one that `pooling reference show {}` lists"


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data that rows are checked against."""

    participants: Mapping[str, ParticipantRecord]
    categories: Mapping[str, CategoryRecord]
    criteria: Mapping[str, CriterionRecord]
    implications: Mapping[str, frozenset[str]]


def check_targets(mapping: FileMapping, reference: Reference) -> None:
    """Raise BadMapping where the mapping leads to a participant, category or criterion that is not known."""
    faults = unknown_targets(
        {
            "participants": mapping.participants,
            "categories": mapping.categories.exact,
            "criteria": mapping.criteria.words,
        },
        rules=dict(enumerate((rule.category for rule in mapping.categories.rules), start=1)),
        reference=reference,
    )
    if faults:
        raise BadMapping(mapping.name, faults)


def unknown_targets(
    words: Mapping[str, Mapping[str, str]], *, rules: Mapping[int, str], reference: Reference
) -> Faults:
    """Where a mapping leads to codes that are not known, as key path and what to do.

    ``words``: by section, the sender's word to our code; ``rules``: number of a category rule to its category.
    """
    led = [(f"{kind}.words.{word}", code, kind) for kind, by_word in words.items() for word, code in by_word.items()]
    led += [(f"categories.rules[{number}].category", code, "categories") for number, code in rules.items()]
    return [
        (path, f"{code!r} is not known; {did_you_mean(code, getattr(reference, kind), LISTED.format(kind))}")
        for path, code, kind in led
        if code not in getattr(reference, kind)
    ]


class _Near:
    """The codes closest to an unknown one: those it is a slip of, else those with a name or code like it.

    After ``MOST_LOOKED_UP`` different ones nothing is looked for: the mapping is then not of this file.
    """

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._codes = tuple(names)
        self._alike = Closest(names)
        self._left = MOST_LOOKED_UP

    def find(self, text: str) -> list[str]:
        self._left -= 1
        if self._left < 0:
            return []
        return closest(text, self._codes) or [each.id for each in self._alike.find(text)]


class _Known:
    """Codes by the words for them: those of the mapping's ``words`` first, then our own codes and names.

    ``ambiguous``: the code of the fault of a word that several go by.
    """

    def __init__(
        self,
        records: Mapping[str, ParticipantRecord] | Mapping[str, CategoryRecord] | Mapping[str, CriterionRecord],
        words: Mapping[str, str],
        ambiguous: str,
    ) -> None:
        self._words = {same(word): code for word, code in words.items()}
        self._codes = frozenset(records)
        self._owners = owners_of({code: words_of(record) for code, record in records.items()})
        self._ambiguous = ambiguous

    def find(self, text: str) -> str | None:
        """The code that a text means, None where it is not known; raises Wrong where several go by it.

        A code written exactly is meant alone.
        """
        word, exact = same(text), text.strip()
        if word in self._words:
            return self._words[word]
        if exact in self._codes:
            return exact
        found = sorted(self._owners.get(word, ()))
        if len(found) > 1:
            raise Wrong(self._ambiguous, ", ".join(found))
        return found[0] if found else None


class Participants:
    """Reads a sender's name for a participant: a word of the mapping, our code, our name, an organisation id."""

    def __init__(self, mapping: FileMapping, reference: Reference) -> None:
        known = reference.participants
        self._known = _Known(known, mapping.participants, "ambiguous-participant")
        self._names = {code: record.name for code, record in known.items()}
        self._near = _Near({code: (name,) for code, name in self._names.items()})
        self._reader = ByDistinct(self._read, pl.String)

    def _read(self, text: str) -> str:
        code = self._known.find(text)
        if code is None:
            close = ", ".join(f"{code} {self._names[code]}" for code in self._near.find(text))
            raise Wrong("unknown-participant", f"closest are {close}" if close else "")
        return code

    def read(self, work: Work) -> pl.Series:
        """The code of each row's participant."""
        texts = work.text("participant")
        texts = texts if texts is not None else work.blank()
        codes, wrong = self._reader(texts)
        work.refuse(wrong, "participant", detail=self._reader.details(texts) if wrong is not None else None)
        work.refuse_where(texts.is_null(), "missing", "participant")
        return codes


class Categories:
    """Reads a row's category; null where unknown: such rows wait for a mapping."""

    def __init__(self, mapping: FileMapping, reference: Reference) -> None:
        self._said = mapping.categories
        exact = {same(word): code for word, code in self._said.exact.items()}
        own = _Known(reference.categories, {}, "ambiguous-category")
        self._exact = ByDistinct(lambda text: exact.get(same(text)), pl.String)
        self._own = ByDistinct(own.find, pl.String)
        ids = frozenset(reference.categories)
        self._derived = ByDistinct(
            lambda text: slug(text.split(JOIN)) if slug(text.split(JOIN)) in ids else None, pl.String
        )
        self._rules = {
            column: _Rules(column, self._said.rules)
            for column in dict.fromkeys(rule.column for rule in self._said.rules)
        }
        self._names = {code: record.name for code, record in reference.categories.items()}
        self._closest = Closest(_category_names(mapping, reference))

    def read(self, work: Work) -> pl.Series:
        """The id of each row's category, null where unknown; blank cells are faults."""
        found = []
        keys = [key for key in self._said.keys if work.text(key) is not None]
        if self._said.exact:
            found += [self._exact(self._column(work, key))[0] for key in keys]
        if self._rules:
            found.append(self._by_rules(work))
        if work.text("category") is not None:
            found.append(self._by_name(work, found))
        if self._said.derive:
            found.append(self._derived(joined(*(self._column(work, name) for name in self._said.derive)))[0])
        ids = pl.select(pl.coalesce([pl.lit(each) for each in found] or [pl.lit(work.blank())])).to_series()
        work.refuse_where(ids.is_null() & self.shown(work).is_null(), "missing", (*keys, "category")[0])
        return ids

    def _by_name(self, work: Work, found: list[pl.Series]) -> pl.Series:
        """By our own ids and names; one that several have is a fault where nothing ``found`` so far says which."""
        texts = self._column(work, "category")
        ids, wrong = self._own(texts)
        if wrong is not None:
            open_ = pl.all_horizontal([pl.lit(each.is_null()) for each in found] or [pl.lit(value=True)])
            codes = pl.select(pl.when(open_).then(pl.lit(wrong))).to_series()
            work.refuse(codes, "category", detail=self._own.details(texts))
        return ids

    def shown(self, work: Work) -> pl.Series:
        """What to show of a row whose category is unknown: its label, name or code, whichever is there first."""
        names = ("category", "item_name", "item_code", *self._said.derive)
        columns = [column for name in names if (column := work.text(name)) is not None]
        columns += [work.frame[f"extra:{name}"] for name in self._said.derive if f"extra:{name}" in work.frame.columns]
        return pl.select(pl.coalesce([pl.lit(each) for each in columns] or [pl.lit(work.blank())])).to_series()

    def candidates(self, text: str) -> list[dict[str, str]]:
        """The categories closest to an unknown name or id."""
        return [{"id": each.id, "name": self._names[each.id]} for each in self._closest.find(text)]

    def _column(self, work: Work, name: str) -> pl.Series:
        texts = work.text(name)
        if texts is None:
            texts = work.text(f"extra:{name}")
        return texts if texts is not None else work.blank()

    def _by_rules(self, work: Work) -> pl.Series:
        first = [rules.first(self._column(work, column)) for column, rules in self._rules.items()]
        number = pl.select(pl.min_horizontal([pl.lit(each) for each in first])).to_series()
        targets = [rule.category for rule in self._said.rules]
        return number.replace_strict(list(range(len(targets))), targets, default=None, return_dtype=pl.String)


def _category_names(mapping: FileMapping, reference: Reference) -> dict[str, list[str]]:
    names = {code: [record.name, code.replace("-", " ")] for code, record in reference.categories.items()}
    for word, code in mapping.categories.exact.items():
        names.setdefault(code, []).append(word)
    return names


class _Rules:
    """The rules on one column: the number of the first that matches, by distinct text."""

    def __init__(self, column: str, rules: tuple[CategoryRule, ...]) -> None:
        self._tests = [(number, rule.find) for number, rule in enumerate(rules) if rule.column == column]
        self._known: dict[str, int | None] = {}

    def first(self, texts: pl.Series) -> pl.Series:
        words = texts.unique().drop_nulls().to_list()
        new = pl.Series([word for word in words if word not in self._known], dtype=pl.String)
        if len(new):
            matches = [pl.when(pl.lit(new).str.contains(find)).then(number) for number, find in self._tests]
            first = pl.select(pl.min_horizontal(matches)).to_series()
            self._known.update(zip(new.to_list(), first.to_list(), strict=True))
        return texts.replace_strict(words, [self._known[word] for word in words], default=None, return_dtype=pl.Int64)


class Criteria:
    """Reads the criteria a line requires or refuses: codes, sorted, parted by blanks; nothing where blank."""

    def __init__(self, mapping: FileMapping, reference: Reference) -> None:
        known = reference.criteria
        self._implications = reference.implications
        self._known = _Known(known, mapping.criteria.words, "ambiguous-criterion")
        self._separator = mapping.criteria.separator
        self._near = _Near({code: (record.name, code) for code, record in known.items()})
        self._reader = ByDistinct(self._read, pl.String)
        self._overlap = ByDistinct(self._check_overlap, pl.String)

    def _read(self, text: str) -> str:
        parts = [part for part in text.replace("\n", self._separator).split(self._separator) if part.strip()]
        codes = {part: self._known.find(part) for part in parts}
        for part, code in codes.items():
            if code is None:
                close = ", ".join(self._near.find(part))
                raise Wrong("unknown-criterion", f"{part.strip()!r}" + (f", closest are {close}" if close else ""))
        joined_codes = " ".join(sorted({code for code in codes.values() if code}))
        if len(joined_codes) > MAX_CODES:
            raise Wrong("too-long")
        return joined_codes

    def _check_overlap(self, text: str) -> str:
        required, refused = (side.split() for side in text.split(JOIN))
        both = closure(required, self._implications) & set(refused)
        if both:
            raise Wrong("criteria-overlap")
        return text

    def read(self, work: Work) -> tuple[pl.Series, pl.Series]:
        """The criteria required and refused in each row."""
        sides = []
        for name in ("required", "refused"):
            texts = work.text(name)
            if texts is None:
                sides.append(work.constant("", pl.String))
                continue
            codes, wrong = self._reader(texts)
            work.refuse(wrong, name, detail=self._reader.details(texts) if wrong is not None else None)
            sides.append(codes.fill_null(""))
        required, refused = sides
        if (required != "").any() and (refused != "").any():
            _, wrong = self._overlap(joined(required, refused))
            work.refuse(wrong, "refused")
        return required, refused
