"""What the judge hands back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing a plan does that the contract does not allow.

    ``rule`` is ``rule-1`` ... ``rule-10`` as the contract numbers them, or a word: ``instance`` (the instance itself
    cannot be read), ``format``, ``fixed``, ``pool``, ``unpooled``, ``reason``, ``tier``, ``figures``, ``totals``,
    ``objective``, ``bound``, ``gap``, ``status``. ``path`` leads into the plan document: ``pools[0].lots[1].tier``.
    """

    rule: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.path or 'the document'}: {self.message}"
