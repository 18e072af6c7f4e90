"""Chance that comes out the same each time: every draw has its own source, named by what it is for."""

from random import Random


def dice(*names: object) -> Random:
    """A source of chance for these names (seed, sender, category ...); drawing from it changes no other draw."""
    return Random("/".join(map(str, names)))  # noqa: S311 nothing here is secret
