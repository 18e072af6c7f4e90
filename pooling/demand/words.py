"""Headers and words by which a file without a mapping is understood and our template written: data/words.toml."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "data" / "words.toml"


@cache
def words() -> Mapping[str, Any]:
    """The whole document."""
    return tomllib.loads(PATH.read_text("utf-8"))


@cache
def sha256() -> str:
    """The hash of the document, which stands for the mapping made of it."""
    return hashlib.sha256(PATH.read_bytes()).hexdigest()


def languages() -> tuple[str, ...]:
    """The languages the template can be written in: those with a name for its sheet."""
    return tuple(words()["sheets"]["demand"])


def headers() -> dict[str, tuple[str, ...]]:
    """Canonical column to all its headers, in all languages, and its own name."""
    return {
        name: tuple(dict.fromkeys([*(each for row in by.values() for each in row), name]))
        for name, by in words()["columns"].items()
    }


def header(name: str, language: str) -> str:
    """The header our template writes for a canonical column."""
    first: str = words()["columns"][name][language][0]
    return first


def meanings(section: str) -> dict[str, str]:
    """Word to meaning of a section such as price_basis, in all languages."""
    return {word: meaning for meaning, by in words()[section].items() for row in by.values() for word in row}
