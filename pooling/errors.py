"""What a caller of the service can be told: refusals, split by remedy, and the turns of phrase they share."""

from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.75  # share of letters in common from which one name is likely a slip of another
NEARLY = 0.1  # a name so much less alike than the best is not named beside it


class PoolingError(Exception):
    """A refusal whose message names place, value and remedy; ``code`` is stable and documented in docs/errors.md."""

    code = "refused"


class BadInput(PoolingError):
    """The data must be corrected by whoever sent it."""

    code = "bad-input"


class FileRefused(BadInput):
    """A file that cannot be read as a table; ``code`` is the reader's, one for each kind of refusal."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NotFound(PoolingError):
    """Nothing is known by the given name; the message lists what is."""

    code = "not-found"


class PlanRefused(PoolingError):
    """The judge found a rule broken in a plan; nothing was stored. The fault is ours: report it with the message."""

    code = "plan-refused"


class BadSetting(PoolingError):
    """A setting, policy or mapping must be corrected: by whoever runs the service, or whoever sent it."""

    code = "bad-setting"


def closest(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that ``word`` is likely a slip of, most alike first; case, blanks and hyphens do not count."""
    wanted = _plain(word)
    ratios = {each: SequenceMatcher(None, _plain(each), wanted, autojunk=False).ratio() for each in known}
    best = max(ratios.values(), default=0.0)
    near = [each for each, ratio in ratios.items() if ratio >= max(ALIKE, best - NEARLY)]
    return sorted(near, key=lambda each: (-ratios[each], each))[:most]


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """A question that names what may have been meant, or ``otherwise`` where nothing is near."""
    found = closest(word, known)
    return f"did you mean {' or '.join(found)}?" if found else otherwise


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 lot``, ``2 lots``; ``many`` where it is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("-", " ").replace("_", " ").split())
