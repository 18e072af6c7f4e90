"""Reads a text column by its distinct values: each is looked at once, however many rows have it."""

from collections.abc import Callable
from typing import Generic, TypeVar

import polars as pl

from pooling.demand.days import Wrong

Value = TypeVar("Value")
MAX_KNOWN = 200_000


class ByDistinct(Generic[Value]):
    """What a function says of each distinct text, remembered from batch to batch."""

    def __init__(self, read: Callable[[str], Value], dtype: pl.DataType | type[pl.DataType]) -> None:
        self._read = read
        self._dtype = dtype
        self._values: dict[str, Value | None] = {}
        self._wrong: dict[str, Wrong] = {}

    def __call__(self, texts: pl.Series) -> tuple[pl.Series, pl.Series | None]:
        """The values (null where blank or wrong), and what is wrong where something is (None: nothing)."""
        if len(self._values) > MAX_KNOWN:
            self._values.clear()
            self._wrong.clear()
        seen = texts.unique().drop_nulls().to_list()
        for text in seen:
            if text not in self._values:
                self._learn(text)
        values = texts.replace_strict(
            seen, [self._values[text] for text in seen], default=None, return_dtype=self._dtype
        )
        wrong = [text for text in seen if text in self._wrong]
        if not wrong:
            return values, None
        codes = texts.replace_strict(
            wrong, [self._wrong[text].code for text in wrong], default=None, return_dtype=pl.String
        )
        return values, codes

    def details(self, texts: pl.Series) -> pl.Series:
        """What was said beside the code of each wrong text."""
        said = {text: wrong.detail for text in texts.unique().drop_nulls() if (wrong := self._wrong.get(text))}
        return texts.replace_strict(list(said), list(said.values()), default="", return_dtype=pl.String)

    def _learn(self, text: str) -> None:
        try:
            self._values[text] = self._read(text)
        except Wrong as wrong:
            self._values[text] = None
            self._wrong[text] = wrong
