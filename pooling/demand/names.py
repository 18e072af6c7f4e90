"""Names as people write them: which known names are closest to an unknown one. Pure."""

import hashlib
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pooling.reference.words import same

NEAR_ENOUGH = 0.45  # cosine from which two names are near; below, single words in common pass for likeness
NEARLY = 0.6  # a name with less than this share of the best one's likeness is not named beside it
MAX_SLUG = 80
FOLDED = MappingProxyType(str.maketrans({"ø": "o", "æ": "ae", "ð": "d", "þ": "th", "ß": "ss"}))


def folded(text: str) -> str:
    """Letters and digits without accents, for likeness only: "Kalmar län" and "kalmar lan" are alike."""
    plain = unicodedata.normalize("NFKD", same(text).translate(dict(FOLDED)))
    return " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c))))


def slug(parts: Iterable[str]) -> str:
    """An id of words: lower case letters and digits, joined by hyphens; one too long is cut and ends in its hash."""
    whole = "-".join(word for part in parts for word in folded(part).split())
    if len(whole) <= MAX_SLUG:
        return whole
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: MAX_SLUG - len(mark) - 1].rstrip('-')}-{mark}"


def _pieces(text: str) -> Counter[str]:
    words = folded(text).split()
    pieces: Counter[str] = Counter()
    for word in [word for word in words if not word.isdigit()] or words:  # sizes say little of what a thing is
        padded = f" {word} "
        pieces.update(padded[k : k + 3] for k in range(len(padded) - 2))
    return pieces


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known id close to an unknown name, with the name that was close."""

    id: str
    name: str


class Closest:
    """The known names nearest to a text: cosine of three-letter pieces, rare pieces counting more.

    ``names``: each id with the names it goes by. The first lookup makes an index of them: most files need none. A
    lookup touches only names that share a piece with the text.
    """

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._entries = [(key, name) for key, all_names in names.items() for name in dict.fromkeys(all_names)]
        self._weight: dict[str, float] = {}
        self._holders: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)

    def _index(self) -> None:
        counted = [_pieces(name) for _, name in self._entries]
        seen = Counter(piece for pieces in counted for piece in pieces)
        self._weight = {piece: math.log(1 + len(counted) / count) for piece, count in seen.items()}
        for number, pieces in enumerate(counted):
            length = math.sqrt(sum((self._weight[piece] * count) ** 2 for piece, count in pieces.items())) or 1.0
            for piece, count in pieces.items():
                self._holders[piece].append((number, self._weight[piece] * count / length))

    def find(self, text: str, limit: int = 3) -> list[Candidate]:
        """At most ``limit`` ids, nearest first; empty where nothing is near."""
        if not self._weight:
            self._index()
        pieces = {piece: count * self._weight.get(piece, 1.0) for piece, count in _pieces(text).items()}
        length = math.sqrt(sum(weight**2 for weight in pieces.values())) or 1.0
        likeness: defaultdict[int, float] = defaultdict(float)
        for piece, weight in pieces.items():
            for number, share in self._holders.get(piece, ()):
                likeness[number] += weight * share / length
        best: dict[str, Candidate] = {}
        enough = max(NEAR_ENOUGH, NEARLY * max(likeness.values(), default=0.0))
        for number, near in sorted(likeness.items(), key=lambda each: (-each[1], each[0])):
            key, name = self._entries[number]
            if near < enough or len(best) == limit:
                break
            best.setdefault(key, Candidate(key, name))
        return list(best.values())
