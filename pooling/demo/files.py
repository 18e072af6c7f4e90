"""Demand files as the senders' systems would write them: text cells first, so that slips can be planted, then bytes."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil, floor

import xlsxwriter

from connectors.frames import NUMERIC
from pooling.demo import chance
from pooling.demo.catalogue import MADE_UP
from pooling.demo.needs import Need, Sender, spread
from pooling.demo.styles import Style

COUNTED = frozenset({"H87"})  # units that packs hold; pairs, sets, kilograms and litres are written as they are
MARKED = 0.4  # share of UTF-8 files with a byte order mark
MOST_PLACES = 4  # of a unit price below one


@dataclass(slots=True)
class Row:
    """One row of a file before it is written: canonical column to cell, as text. Slips change it in place."""

    need: Need
    cells: dict[str, str]
    packed: bool


def rows(needs: Iterable[Need], style: Style, *, per_eur: Decimal, seed: int) -> list[Row]:
    """The sender's needs as its system writes them, prices in its currency (``per_eur`` of it cost one EUR)."""
    return [_row(need, style, per_eur=per_eur, seed=seed) for need in needs]


def item_codes(owner: str, categories: Iterable[str], *, seed: int) -> dict[str, str]:
    """The article numbers of a code list, by category: its own, six digits, each once."""
    dice = chance.dice(seed, "codes", owner)
    first, known = dice.randint(100, 899), sorted(categories)
    return {category: f"{first}{place:03d}" for place, category in enumerate(dice.sample(known, len(known)), start=1)}


def _row(need: Need, style: Style, *, per_eur: Decimal, seed: int) -> Row:
    item, sender = need.item, need.sender
    draw = chance.dice(seed, "packed", sender.code, item.category).random()
    packed = item.pack > 1 and item.unit in COUNTED and draw < style.packed
    price = Decimal(need.price_eur) * per_eur * (item.pack if packed else 1)
    cells = {
        "participant": sender.code if style.sheet else sender.name,
        "category": item.names["en"],
        **_unit_cells(need, style, packed=packed),
        **_quantity_cells(need, style, packed=packed, seed=seed),
        "unit_price": written_price(price, style),
        "currency": sender.currency,
        "price_basis": "utan moms",
        "delivered": "ja",
        "window_source": MADE_UP,
        "contract_end": need.contract_end.strftime(style.day[0]),
        "extension_months": str(need.extension_months),
        "required": _listed(need.required, style),
        "refused": _listed(need.refused, style),
    }
    return Row(need, cells, packed)


def _unit_cells(need: Need, style: Style, *, packed: bool) -> dict[str, str]:
    """The article's name, the unit and the size of the pack, which stands in one of the three."""
    item = need.item
    name, unit, size = item.names[style.language], style.units[item.unit], ""
    if packed and style.packs == "unit":
        unit = f"{style.pack} á {item.pack}"
    elif packed:
        unit = style.pack
        size = str(item.pack) if style.packs == "column" else ""
    if packed and style.packs == "name":
        name = f"{name}, {item.pack} {style.units['H87'].lower()}/{style.pack.lower()}"
    return {"item_name": name, "unit": unit, "pack_size": size}


def _quantity_cells(need: Need, style: Style, *, packed: bool, seed: int) -> dict[str, str]:
    amount, share = need.packs if packed else need.quantity, spread(need.sender.code, seed=seed)
    return {
        "quantity": grouped(amount, style),
        "quantity_low": grouped(floor(amount * (1 - share)), style),
        "quantity_high": grouped(ceil(amount * (1 + share)), style),
    }


def _listed(codes: Iterable[str], style: Style) -> str:
    """Criteria in the style's words; our template parts them by semicolons."""
    return ("; " if style.sheet else ", ").join(style.word(code) for code in codes)


def grouped(number: int, style: Style) -> str:
    """A whole number with the style's mark between thousands."""
    return f"{number:,}".replace(",", style.thousands)


def written_price(price: Decimal, style: Style) -> str:
    """A price as the style writes it: with VAT where it does so, more places where it is small, decimal comma."""
    if style.vat_rate is not None:
        price = price * (100 + style.vat_rate) / 100
    places = style.price_places if price >= 10 or style.price_places == 0 else MOST_PLACES
    least = Decimal(1).scaleb(-places)  # no price is written as nothing
    whole, _, part = f"{max(price, least):.{places}f}".partition(".")
    return f"{grouped(int(whole), style)},{part}" if part else grouped(int(whole), style)


def csv_bytes(found: Sequence[Row], style: Style) -> bytes:
    """The file: headers, then the rows, in the style's encoding; cells hold no delimiter, quote or line end."""
    lines = [style.delimiter.join(style.headers.values())]
    lines += [style.delimiter.join(row.cells[column] for column in style.headers) for row in found]
    for line, row in zip(lines[1:], found):
        if line.count(style.delimiter) != len(style.headers) - 1 or '"' in line or "\n" in line:
            raise ValueError(f"{row.need.sender.code}, {row.need.item.category}: a cell holds a mark of the format")
    return (_mark(found, style) + "\r\n".join([*lines, ""])).encode(style.encoding)


def _mark(found: Sequence[Row], style: Style) -> str:
    """A byte order mark before some files in UTF-8: the same system at another sender may write one."""
    if style.encoding != "utf-8" or not found:
        return ""
    return "\ufeff" * (chance.dice("mark", found[0].need.sender.code).random() < MARKED)


def workbook_bytes(found: Sequence[Row], style: Style) -> bytes:
    """The file as a workbook on our template's sheet: figures as numbers, all else as text; always the same bytes."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties({"created": datetime(2026, 10, 30, tzinfo=UTC), "comments": MADE_UP})
        sheet = book.add_worksheet(style.sheet)
        sheet.write_row(0, 0, style.headers.values(), book.add_format({"bold": True, "bottom": 1}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(found, start=1):
            for place, column in enumerate(style.headers):
                cell = row.cells[column]
                if column in NUMERIC and cell:
                    sheet.write_number(number, place, float(cell.replace(",", ".")))
                elif cell:
                    sheet.write_string(number, place, cell)
        sheet.autofit()
    return content.getvalue()


def file_bytes(found: Sequence[Row], style: Style) -> bytes:
    """The file as the style's system writes it."""
    return workbook_bytes(found, style) if style.sheet else csv_bytes(found, style)


def file_name(sender: Sender, style: Style) -> str:
    """The name under which the sender sends its file."""
    return f"{sender.code}.{'xlsx' if style.sheet else 'txt' if style.delimiter == chr(9) else 'csv'}"


def code_list(style: Style, sender: Sender) -> str:
    """The name of the code list and mapping that the sender's file goes by."""
    return style.shared or sender.code


def add_codes(found: Iterable[Row], codes: Mapping[str, str]) -> None:
    """Write each row's article number."""
    for row in found:
        row.cells["item_code"] = codes[row.need.item.category]
