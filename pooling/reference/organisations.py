"""ISO 6523 organisation ids: the register's four digits, a colon, and the body's number in it with its check digit."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pooling.errors import BadInput


@dataclass(frozen=True, slots=True)
class Register:
    """A register of organisations (ICD of ISO 6523); ``check`` is None where a number carries no check digit."""

    icd: str
    name: str
    form: str
    pattern: str
    check: Callable[[str], bool] | None


def _digits(number: str) -> list[int]:
    return [int(digit) for digit in number]


def _weighted(number: str, weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(_digits(number), weights))


def _norwegian(number: str) -> bool:
    return _weighted(number, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _danish(number: str) -> bool:
    return _weighted(number, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _finnish(number: str) -> bool:
    return _weighted(number, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0


def _ovt(number: str) -> bool:
    return _finnish(number[4:12])


def _luhn(number: str) -> bool:
    doubled = [digit * (2 if place % 2 else 1) for place, digit in enumerate(reversed(_digits(number)))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _gs1(number: str) -> bool:
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(reversed(_digits(number)))) % 10 == 0


REGISTERS = {
    register.icd: register
    for register in (
        Register("0192", "Norway, organisasjonsnummer", "9 digits", r"[0-9]{9}", _norwegian),
        Register("0007", "Sweden, organisationsnummer", "10 digits", r"[0-9]{10}", _luhn),
        Register("0184", "Denmark, CVR", "8 digits", r"[0-9]{8}", _danish),
        Register("0037", "Finland, y-tunnus", "8 digits", r"[0-9]{8}", _finnish),
        Register("0216", "Finland, OVT", "0037, the y-tunnus, up to 5 characters", r"0037[0-9]{8}[0-9A-Z]{0,5}", _ovt),
        Register("0196", "Iceland, kennitala", "10 digits", r"[0-9]{10}", None),
        Register("0088", "GS1, GLN", "13 digits", r"[0-9]{13}", _gs1),
    )
}


def organisation_id(text: str) -> str:
    """``text`` as it is stored, e.g. ``0192:923609016``: blanks and hyphens inside the number are left out.

    Raises BadInput for an unknown register, a number of another form, and a wrong check digit.
    """
    icd, colon, number = text.strip().partition(":")
    register = REGISTERS.get(icd)
    if not colon or register is None:
        known = ", ".join(f"{each.icd} ({each.name})" for each in REGISTERS.values())
        raise BadInput(f"organisation id {text!r}: write REGISTER:NUMBER with one of {known}")
    number = re.sub(r"[ \-\u00a0]", "", number).upper()
    if icd == "0184":
        number = number.removeprefix("DK")
    if not re.fullmatch(register.pattern, number):
        raise BadInput(f"organisation id {text!r}: {register.name} is {register.form}; correct {number!r}")
    if register.check is not None and not register.check(number):
        raise BadInput(f"organisation id {text!r}: the check digit of {number!r} is wrong; look for a mistyped digit")
    return f"{icd}:{number}"
