"""What a caller of the service can be told: refusals, split by remedy, and the turns of phrase they share."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

ALIKE = 0.75  # share of letters in common from which one name is likely a slip of another
NEARLY = 0.1  # a name so much less alike than the best is not named beside it


class PoolingError(Exception):
    """A refusal whose message names place, value and remedy; ``code`` is stable and documented in docs/errors.md."""

    code = "refused"


class BadInput(PoolingError):
    """The data must be corrected by whoever sent it."""

    code = "bad-input"


class FieldFault(NamedTuple):
    """One place in a request: ``pointer`` into its body (RFC 6901 behind #, such as ``#/lines/3/quantity``) or the
    name of a parameter of its address, code, words."""

    pointer: str
    code: str
    detail: str


class BadFields(BadInput):
    """A request's body with places to correct, each in ``faults``: (pointer, code, what is wrong and what to do)."""

    def __init__(self, faults: Iterable[tuple[str, str, str]], message: str | None = None) -> None:
        self.faults = tuple(FieldFault(*each) for each in faults)
        places = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults[:5])
        more = f"; and {len(self.faults) - 5} more" if len(self.faults) > 5 else ""
        super().__init__(message or places + more)


class FileRefused(BadInput):
    """A file that cannot be read as a table; ``code`` is the reader's, one for each kind of refusal."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class WrongState(PoolingError):
    """What is asked for cannot be done any more, or not yet: the message says where the resource stands."""

    code = "wrong-state"


class NotFound(PoolingError):
    """Nothing is known by the given name; the message lists what is."""

    code = "not-found"


class NotAuthenticated(PoolingError):
    """Who is asking is not known: the credentials are missing, wrong, expired or revoked."""

    code = "not-authenticated"


class TooManyAttempts(PoolingError):
    """Credentials from this address, or that begin like this, were wrong too often; wait ``retry_after_s`` seconds."""

    code = "too-many-attempts"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotAllowed(PoolingError):
    """Whoever is asking is known and may not do this."""

    code = "not-allowed"


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
