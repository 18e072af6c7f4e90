"""Slips that people make, planted in a few files, so that the demonstration shows what becomes of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from pooling.demo.files import Row, grouped, written_price
from pooling.demo.styles import Style

FIRST_SLIP, SLIPS_APART = 7, 11  # where in a file slips stand, where rows there can have them
REFUSED, QUARANTINED, FLAGGED = "refused", "quarantined", "flagged"


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong in one row, and what should become of it. ``row`` counts as a spreadsheet does, headers included;
    ``meant`` are the cells as they should be."""

    file: str
    row: int
    what: str
    fate: str
    meant: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Kind:
    what: str
    fate: str
    fits: Callable[[Row], bool]
    make: Callable[[Row, Style], None]


def _set(column: str, value: str) -> Callable[[Row, Style], None]:
    def make(row: Row, _style: Style) -> None:
        row.cells[column] = value

    return make


def _packs_as_pieces(row: Row, style: Style) -> None:
    """The number of pieces where packs were meant: the volume is too high by the pack's size."""
    row.cells["quantity"] = grouped(row.need.quantity, style)


def _minus(row: Row, _style: Style) -> None:
    row.cells["quantity"] = f"-{row.cells['quantity']}"


def _half(row: Row, _style: Style) -> None:
    row.cells["quantity"] = f"{row.cells['quantity']},5"


def _pack_price(row: Row, style: Style) -> None:
    """A hundred times the price: that of a box of a hundred where one piece is meant."""
    price = row.cells["unit_price"].replace(style.thousands or " ", "").replace(",", ".")
    row.cells["unit_price"] = written_price(Decimal(price) * 100, style)


def _typo(row: Row, _style: Style) -> None:
    """The category's name with a letter left out."""
    name = row.cells["category"]
    row.cells["category"] = name[: len(name) // 2] + name[len(name) // 2 + 1 :]


def _any(_row: Row) -> bool:
    return True


def _pieces(row: Row) -> bool:
    return not row.packed and row.need.item.unit == "H87" and row.need.quantity >= 1000


def _hundreds(row: Row) -> bool:
    return row.packed and row.need.item.pack == 100


KINDS = {
    "half": _Kind("half a piece", REFUSED, _pieces, _half),
    "minus": _Kind("a volume below zero", REFUSED, _any, _minus),
    "no-price": _Kind("no price", REFUSED, _any, _set("unit_price", "")),
    "no-date": _Kind("a contract end that is no day", REFUSED, _any, _set("contract_end", "31.02.2028")),
    "typo": _Kind("a category's name with a letter missing", QUARANTINED, _any, _typo),
    "code": _Kind("an article number that is in no list", QUARANTINED, _any, _set("item_code", "999999")),
    "unit": _Kind("a unit nobody has explained", QUARANTINED, _any, _set("unit", "STABEL")),
    "packs": _Kind("pieces where packs were meant, a factor of 100", FLAGGED, _hundreds, _packs_as_pieces),
    "price": _Kind("the price of a hundred for one", FLAGGED, _pieces, _pack_price),
}
# sender: the slips in its file
PLANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DK-84": ("unit", "packs"),
        "DK-81": ("code", "half"),
        "NO-HV": ("minus",),
        "FI-11": ("packs", "no-date"),
        "FI-14": ("price",),
        "FI-18-HUS": ("code",),
        "SE-M": ("typo",),
        "SE-Z": ("no-price",),
        "IS": ("no-price",),
    }
)


def plant(found: Sequence[Row], style: Style, *, sender: str, file: str) -> list[Slip]:
    """Make the sender's slips in its rows, each in another row, and tell them."""
    taken: set[int] = set()
    slips = []
    for place, name in enumerate(PLANTED.get(sender, ())):
        kind = KINDS[name]
        free = [at for at, row in enumerate(found) if at not in taken and kind.fits(row)]
        start = FIRST_SLIP + SLIPS_APART * place
        chosen = next((at for at in free if at >= start), free[0] if free else None)
        if chosen is None:
            continue
        taken.add(chosen)
        slips.append(Slip(file, chosen + 2, kind.what, kind.fate, dict(found[chosen].cells)))
        kind.make(found[chosen], style)
    return slips


def correct(found: Sequence[Row], slips: Iterable[Slip]) -> bool:
    """Undo the slips that would be flagged, as their sender does when asked; whether there were any."""
    flagged = [slip for slip in slips if slip.fate == FLAGGED]
    for slip in flagged:
        found[slip.row - 2].cells.update(slip.meant)
    return bool(flagged)
