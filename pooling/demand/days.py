"""Days and months as files write them: ISO always, other formats where the mapping says so. Pure."""

import re
from datetime import date, timedelta
from functools import lru_cache

from pooling.demand.sections import MAX_MONTHS, YEARS, DayFormats

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Wrong(Exception):
    """A cell that says nothing we can use; ``code`` is a fault's code, ``detail`` adds to its words."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@lru_cache(maxsize=64)
def _shape(format_: str) -> re.Pattern[str]:
    parts = {"d": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{1,2})", "Mon": r"(?P<Mon>[A-Za-z]{3})"}
    years = {"Y": r"(?P<Y>\d{4})", "yy": r"(?P<yy>\d{2})"}
    pieces = re.split(r"([./ -])", format_)
    return re.compile("".join({**parts, **years}.get(piece, re.escape(piece)) for piece in pieces), re.ASCII)


def read_day(text: str, formats: DayFormats) -> date:
    """The day a cell says; raises Wrong("not-a-date" or "two-digit-year")."""
    text = re.sub(r"[T ]00:00(:00(\.0+)?)?$", "", text.strip())  # a spreadsheet's day has a midnight behind it
    for shape in ("Y-m-d", *formats.formats):
        found = _shape(shape).fullmatch(text)
        if found is not None and (shape != "Y-m-d" or len(text) == len("2027-03-31")):
            return _day(found.groupdict(), formats.century)
    if re.fullmatch(r"\d{1,2}[./ -](\d{1,2}|[A-Za-z]{3})[./ -]\d{2}", text):
        raise Wrong("two-digit-year")
    raise Wrong("not-a-date")


def _day(parts: dict[str, str], century: int | None) -> date:
    year = int(parts["Y"]) if "Y" in parts else (century or 0) + int(parts["yy"])
    name = parts.get("Mon", "").lower()
    if name and name not in MONTHS:
        raise Wrong("not-a-date")
    month = MONTHS.index(name) + 1 if name else int(parts["m"])
    if year not in YEARS:
        raise Wrong("not-a-date")
    try:
        return date(year, month, int(parts["d"]))
    except ValueError as wrong:
        raise Wrong("not-a-date") from wrong


def month_number(day: date) -> int:
    """Months since year 0, for counting with."""
    return day.year * 12 + day.month - 1


def month_text(number: int) -> str:
    """YYYY-MM of a month's number."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def first_day(number: int) -> date:
    """The first day of a month."""
    return date(number // 12, number % 12 + 1, 1)


def parse_month(text: str) -> int | None:
    """The month's number of YYYY-MM, None for anything else."""
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text.strip(), re.ASCII)
    return int(found[1]) * 12 + int(found[2]) - 1 if found and int(found[1]) in YEARS else None


def read_month(text: str, formats: DayFormats) -> int:
    """The month a cell says, as a month or as a day in it; raises Wrong("not-a-month" or "two-digit-year")."""
    number = parse_month(text)
    if number is not None:
        return number
    try:
        return month_number(read_day(text, formats))
    except Wrong as wrong:
        raise Wrong("not-a-month" if wrong.code == "not-a-date" else wrong.code) from wrong


def month_after_end(text: str, formats: DayFormats) -> int:
    """The month in which a contract can follow one that ends with ``text``: that of the next day or month."""
    number = parse_month(text)
    if number is not None:
        return number + 1
    try:
        return month_number(read_day(text, formats) + timedelta(days=1))
    except Wrong as wrong:
        raise Wrong("not-a-month" if wrong.code == "not-a-date" else wrong.code) from wrong


def read_month_count(text: str) -> int:
    """A number of whole months; raises Wrong("not-months")."""
    found = re.fullmatch(r"\s*(\d{1,3})(?:[.,]0+)?\s*", text, re.ASCII)
    if found is None or int(found[1]) > MAX_MONTHS:
        raise Wrong("not-months")
    return int(found[1])
