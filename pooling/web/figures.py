"""How figures read: thin spaces between thousands, units in words, amounts rounded to what a reader can use."""

from datetime import date
from math import floor, log10

THIN = "\u202f"  # a narrow space that does not break
MINUS = "\u2212"

UNIT_WORDS = {
    "H87": ("piece", "pieces"),
    "PR": ("pair", "pairs"),
    "SET": ("set", "sets"),
    "KT": ("kit", "kits"),
    "MTR": ("m", "m"),
    "BX": ("box", "boxes"),
    "PK": ("pack", "packs"),
    "RO": ("roll", "rolls"),
}
SMALL_UNITS = {"GRM": ("gram", "grams"), "MLT": ("millilitre", "millilitres")}
READ_IN = {"GRM": (1000, "kg"), "MLT": (1000, "litres"), "KGM": (1, "kg"), "LTR": (1, "litres")}


def whole(value: float) -> str:
    """``1234567.4`` as ``1 234 567``; a minus sign, never a hyphen."""
    text = f"{abs(round(value)):,}".replace(",", THIN)
    return f"{MINUS}{text}" if round(value) < 0 else text


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 lot``, ``1 234 lots``; ``many`` where it is not ``one`` with an s."""
    return f"{whole(number)} {one if number == 1 else many or f'{one}s'}"


def compact(value: float) -> str:
    """Three significant figures with ``k``, ``m`` or ``bn`` from ten thousand on; whole numbers below."""
    if abs(value) < 10_000:
        return whole(value) if abs(value) >= 100 or value == round(value) else _significant(value)
    for size, word in ((1e3, "k"), (1e6, "m"), (1e9, "bn")):
        scaled = float(_significant(value / size).replace(MINUS, "-"))
        if abs(scaled) < 1000 or word == "bn":
            return f"{_significant(value / size)}{THIN}{word}"
    raise AssertionError("the last size always returns")


def _significant(value: float, digits: int = 3) -> str:
    if value == 0:
        return "0"
    value = float(f"{value:.{digits}g}")  # first: 0.9999 has as many places as 1
    places = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{abs(value):.{places}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


def eur(value: float) -> str:
    """``EUR 12.3 m``: an amount rounded to three figures."""
    return f"EUR{THIN}{compact(value)}"


def unit_price(value: float) -> str:
    """A price for one unit in EUR, with as many places as three figures need."""
    return f"EUR{THIN}{_significant(value)}" if value < 1000 else eur(value)


def amount(quantity: float, unit: str) -> str:
    """A quantity in the unit people speak of: ``GRM`` in kg, ``MLT`` in litres, ``H87`` in pieces."""
    if unit in READ_IN:
        divisor, word = READ_IN[unit]
        return f"{compact(quantity / divisor)} {word}"
    one, many = UNIT_WORDS.get(unit, (unit, unit))
    return f"{compact(quantity)} {one if quantity == 1 else many}"


def unit_words(unit: str) -> str:
    """A base unit's code as people name many of it: ``H87`` as pieces, ``GRM`` as grams."""
    return UNIT_WORDS.get(unit, SMALL_UNITS.get(unit, (unit, unit)))[1]


def percent(share: float, places: int = 0) -> str:
    """A share of one as per cent; anything above nothing but below the last place reads ``<1 %``."""
    smallest = 10.0**-places
    if 0 < abs(share) * 100 < smallest / 2:
        return f"<{smallest:.{places}f}{THIN}%"
    text = f"{abs(share) * 100:.{places}f}"
    return f"{MINUS if share < 0 and float(text) else ''}{text}{THIN}%"


def tonnes(value: float) -> str:
    """Tonnes of CO2e to three figures, never in thousands of thousands; below a tonne in kilograms."""
    if 0 < abs(value) < 1:
        return f"{compact(value * 1000)}{THIN}kg"
    rounded = float(f"{value:.3g}")
    return f"{whole(rounded) if abs(rounded) >= 100 or rounded == 0 else _significant(value)}{THIN}t"


def co2_mass(kilograms: float) -> str:
    """CO2e of one unit: kilograms, or grams below one."""
    return f"{_significant(kilograms)}{THIN}kg" if abs(kilograms) >= 1 else f"{_significant(kilograms * 1000)}{THIN}g"


def short(value: object) -> str:
    """A setting or a record's field for reading: lists joined, long hashes cut."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {short(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(short(part) for part in value) or "none"
    if value is None:
        return "none"
    said = str(value)
    return f"{said[:12]}…" if len(said) == HASH_LETTERS and said.isalnum() else said


HASH_LETTERS = 64  # of a SHA-256 in hexadecimal
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def month_in_words(month: str) -> str:
    """``2027-11`` as ``Nov 2027``."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def day_in_words(day: date) -> str:
    """``1 Nov 2027``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


LANGUAGES = {
    "da": "Danish",
    "fi": "Finnish",
    "fo": "Faroese",
    "is": "Icelandic",
    "kl": "Greenlandic",
    "nb": "Norwegian Bokmål",
    "nn": "Norwegian Nynorsk",
    "sv": "Swedish",
}


def languages_in_words(codes: str) -> str:
    """Language codes parted by blanks as names; what is no code we know stays as it is."""
    return ", ".join(LANGUAGES[code] for code in codes.split()) if set(codes.split()) <= set(LANGUAGES) else codes


def in_words(code: str) -> str:
    """A family's or reason's code as words: ``drapes-and-packs`` as ``Drapes and packs``."""
    words = code.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
