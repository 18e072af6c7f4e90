"""What the cells of a workbook say, as text: numbers, dates and truth values from how XLSX stores them."""

import re
from datetime import date, timedelta
from decimal import Decimal

NUMBER = "\0"  # begins the text of a numeric cell; XML cannot hold this character, so no text cell begins with it

DATE, TIME, PERCENT, PLAIN = "date", "time", "percent", ""

_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_BUILT_IN = (
    dict.fromkeys(["9", "10"], PERCENT)
    | dict.fromkeys(map(str, [*range(14, 18), 22, *range(27, 37), *range(50, 59)]), DATE)
    | dict.fromkeys(["18", "19", "20", "21", "45", "47"], TIME)
)
_ESCAPE = re.compile(r"_x(?!0000_)([0-9A-Fa-f]{4})_")
_DAY_MS = 86_400_000
_LAST_DAY = (date.max - date(1899, 12, 30)).days


def style_of_format(number: str, code: str | None) -> str:
    """``DATE``, ``TIME``, ``PERCENT`` or ``PLAIN`` for a number format: its id, and its code where it has its own."""
    if code is None:
        return _BUILT_IN.get(number, PLAIN)
    plain = _NOISE.sub("", code).partition(";")[0].lower()
    if "[" in plain:  # elapsed time ([h]:mm): a length, not a point in time
        return PLAIN
    if "%" in plain:
        return PERCENT
    if re.search("[yd]", plain) or ("m" in plain and not re.search("[hs]", plain)):
        return DATE
    return TIME if re.search("[hs]", plain) else PLAIN


def value_text(kind: str, value: str, *, style: str, from_1904: bool) -> str:
    """The text of a stored value that is not a shared text; raises ``ValueError`` where the value is impossible."""
    if kind == "b":
        return {"1": "true", "0": "false"}.get(value, value)
    if kind in ("str", "e", "inlineStr"):
        return unescaped(value) if kind == "str" else value
    if kind == "d":
        return re.sub(r"T00:00:00(\.0+)?Z?$", "", value)
    if kind != "n":
        raise ValueError(kind)
    if style == PLAIN:
        return NUMBER + number_text(value)
    return _styled(value, style, from_1904=from_1904) or NUMBER + number_text(value)


def number_text(value: str) -> str:
    """The shortest digits that mean the same stored number: 400 for 400.0, 1.1 for 1.1000000000000001."""
    if value.isdigit() and len(value) <= 15 and value[0] != "0":
        return value
    number = float(value)
    if number - number != 0:  # infinite or not a number
        raise ValueError(value)
    text = repr(number).removesuffix(".0")
    if "e" in text and 1e-15 <= abs(number) < 1e21:
        return format(Decimal(text), "f")
    return "0" if text == "-0" else text


def unescaped(text: str) -> str:
    """``text`` with the characters XLSX spells as _x000D_; NUL stays spelled out, no text has it."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _styled(value: str, style: str, *, from_1904: bool) -> str | None:
    """A date, time or percentage as text; None where the number is none, such as a negative date."""
    if style == PERCENT:
        percent = format(Decimal(number_text(value)) * 100, "f")
        return NUMBER + (percent.rstrip("0").rstrip(".") if "." in percent else percent) + "%"
    if not 0 <= float(value) <= _LAST_DAY:
        return None
    days, milliseconds = divmod(round(Decimal(value) * _DAY_MS), _DAY_MS)
    clock = _clock(milliseconds)
    if style == TIME:
        return clock if days == 0 else None
    day = _day(days, from_1904=from_1904)
    if day is None:
        return None
    return day if milliseconds == 0 else f"{day}T{clock}"


def _day(serial: int, *, from_1904: bool) -> str | None:
    """The ISO date of a day number; None for 0, for 60 (a 29 February 1900 that never was) and beyond year 9999."""
    if not from_1904 and serial in (0, 60):
        return None
    since_1899 = serial + 1462 if from_1904 else serial + (serial < 60)
    return (date(1899, 12, 30) + timedelta(days=since_1899)).isoformat() if since_1899 <= _LAST_DAY else None


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
    return f"{text}.{rest:03d}" if rest else text
