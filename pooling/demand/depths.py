"""How deep a line may go, as a file says it: its words read into ours."""

from collections.abc import Mapping

import polars as pl

from pooling.cycles.service import DEPTHS
from pooling.demand.days import Wrong
from pooling.demand.distinct import ByDistinct
from pooling.demand.work import Work
from pooling.reference.words import same


class DepthReader:
    """Reads the column depth; blank: as deep as the cycle goes."""

    def __init__(self, words: Mapping[str, str]) -> None:
        own = {depth.value: depth.value for depth in DEPTHS}
        self._words = own | {same(word): each for word, each in words.items()}
        self._read = ByDistinct(self._known, pl.String)

    def read(self, work: Work) -> pl.Series:
        """``dialogue``, ``criteria``, ``framework``, ``joint`` or null."""
        texts = work.text("depth")
        if texts is None:
            return work.blank()
        values, wrong = self._read(texts)
        work.refuse(wrong, "depth")
        return values

    def _known(self, text: str) -> str:
        found = self._words.get(same(text))
        if found is None:
            raise Wrong("unknown-depth")
        return found
