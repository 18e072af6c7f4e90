"""Days so many months apart."""

from calendar import monthrange
from datetime import date


def moved(day: date, months: int) -> date:
    """The day so many months later (below 0: earlier); the last of the month where that one is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
