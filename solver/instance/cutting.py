"""A lawful instance with other parts, or of some families alone, made without checking every part again."""

from collections.abc import Collection

from solver.instance.decided import Forbidden
from solver.instance.whole import Instance


def with_parts(instance: Instance, **parts: object) -> Instance:
    """The instance with other parts in place of some; the caller answers for what must hold between them."""
    made = object.__new__(Instance)  # its birth would check every part of it again
    for name, value in {**vars(instance), **parts}.items():
        object.__setattr__(made, name, value)
    return made


def cut(instance: Instance, families: Collection[str]) -> Instance:
    """The instance of some families alone, with all participants and the whole policy."""
    categories = tuple(category for category in instance.categories if category.family in families)
    inside = {category.id for category in categories}
    lines = tuple(line for line in instance.lines if line.category in inside)
    offers = tuple(offer for offer in instance.offers if offer.category in inside)
    line_ids, offer_ids = {line.id for line in lines}, {offer.id for offer in offers}

    def concerns(entry: Forbidden) -> bool:
        return (
            (entry.family is None or entry.family in families)
            and (entry.line is None or entry.line in line_ids)
            and (entry.offer is None or entry.offer in offer_ids)
        )

    return with_parts(
        instance,
        categories=categories,
        offers=offers,
        lines=lines,
        fixed=tuple(pool for pool in instance.fixed if pool.family in families),
        forbidden=tuple(entry for entry in instance.forbidden if concerns(entry)),
        previous=tuple(entry for entry in instance.previous if entry.line in line_ids and entry.offer in offer_ids),
    )
