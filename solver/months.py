"""Months as text (``YYYY-MM``) and as offsets from the start of the horizon."""

import re
from functools import lru_cache

SPELLING = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def is_month(text: object) -> bool:
    """Whether ``text`` is a zero-padded ``YYYY-MM``."""
    return isinstance(text, str) and SPELLING.fullmatch(text) is not None and text.isascii()


@lru_cache(maxsize=1 << 16)
def offset(month: str, origin: str) -> int:
    """Months from ``origin`` to ``month``; negative before it."""
    return (int(month[:4]) - int(origin[:4])) * 12 + int(month[5:]) - int(origin[5:])


def month_at(origin: str, months: int) -> str:
    """The month ``months`` after ``origin``."""
    total = int(origin[:4]) * 12 + int(origin[5:]) - 1 + months
    return f"{total // 12:04d}-{total % 12 + 1:02d}"
