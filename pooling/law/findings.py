"""What a rule's function hands back, and the turns of phrase the functions share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pooling.law.results import Applies, Severity

CENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """As `Consequence`, before the rule's own title and source are put to it."""

    applies: Applies
    why: str
    follows: str = ""
    severity: Severity = Severity.NOTE
    participants: tuple[str, ...] = ()
    figures: Mapping[str, int | float] = field(default_factory=dict)


def eur(cents: int) -> str:
    """``EUR 5,000,000``; with cents where there are any."""
    whole, rest = divmod(cents, CENTS)
    return f"EUR {whole:,}" + (f".{rest:02d}" if rest else "")


def per_cent(share: float) -> str:
    """``15 %``; up to two places."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + " %"


def listed(words: Iterable[str]) -> str:
    """``A, B and C``; ``none`` where there are none."""
    found = list(words)
    if len(found) < 2:
        return found[0] if found else "none"
    return f"{', '.join(found[:-1])} and {found[-1]}"
