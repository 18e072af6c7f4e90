"""Which columns the reference files have and how a cell of each is read."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from pooling.errors import BadInput
from pooling.reference.countries import countries
from pooling.reference.organisations import organisation_id
from pooling.reference.rates import currencies
from pooling.reference.tabular import Column
from pooling.reference.units import UNITS

BASE_UNITS = {"KGM": "GRM", "LTR": "MLT"}
"""Units that are not countable pool in a smaller one, so that every volume is a whole number."""

EFORMS_CODES = {
    "gpp-criteria": ("eu", "national", "none", "other"),
    "environmental-impact": (
        "biodiv-eco",
        "circ-econ",
        "clim-adapt",
        "clim-mitig",
        "other",
        "pollu-prev",
        "water-mar",
    ),
    "strategic-procurement": ("env-imp", "inn-pur", "none", "soc-obj"),
    "social-objective": ("acc-all", "et-eq", "gen-eq", "hum-right", "opp", "other", "work-cond"),
}
"""Code lists that a notice takes criteria from, with their codes. Source: eForms SDK, codelists (July 2026)."""

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _text(longest: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if len(cell) > longest:
            raise ValueError(f"{len(cell)} characters; at most {longest}")
        if not cell.isprintable():
            raise ValueError("holds a control character or line break; remove it")
        return cell

    return read


def _matching(pattern: str, remedy: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if not re.fullmatch(pattern, cell, re.ASCII):
            raise ValueError(f"not of the right form; {remedy}")
        return cell

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", cell, re.ASCII) or not low <= int(cell) <= high:
            raise ValueError(f"not a whole number from {low} to {high}; write digits only")
        return int(cell)

    return read


def _truth(cell: str) -> bool:
    if cell.lower() not in _TRUTH:
        raise ValueError("neither true nor false; write true or false")
    return _TRUTH[cell.lower()]


def _day(cell: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", cell, re.ASCII):
            raise ValueError(cell)
        return date.fromisoformat(cell)
    except ValueError as wrong:
        raise ValueError("not a day; write it as YYYY-MM-DD") from wrong


def _organisation(cell: str) -> str:
    try:
        return organisation_id(cell)
    except BadInput as wrong:
        raise ValueError(str(wrong)) from wrong


def _unit(cell: str) -> str:
    if cell not in UNITS:
        raise ValueError(f"not a unit code we know; one of {' '.join(UNITS)}")
    return cell


def _cpv(cell: str) -> str:
    """Eight digits; the check digit of tender texts (33141420-0) is left out, as eForms does."""
    if not re.fullmatch(r"[0-9]{8}(-[0-9])?", cell, re.ASCII):
        raise ValueError("not a CPV code; write its 8 digits, with or without check digit")
    return cell[:8]


def _words(cell: str) -> tuple[str, ...]:
    return tuple(sorted(set(cell.split())))


def _eforms_list(cell: str) -> str:
    if cell not in EFORMS_CODES:
        raise ValueError(f"not a code list we fill; one of {', '.join(EFORMS_CODES)}")
    return cell


def _country(cell: str) -> str:
    if cell not in countries():
        raise ValueError("no country of ISO 3166; write its code of two capital letters, such as SE")
    return cell


def _currency(cell: str) -> str:
    if cell not in currencies():
        raise ValueError(f"no currency that has an ECB rate; write one of {', '.join(sorted(currencies()))}")
    return cell


_code = _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", "use at most 40 letters, digits, points and hyphens")
_slug = _matching(r"[a-z0-9][a-z0-9-]{0,79}", "use small letters a-z, digits and hyphens")
_limit = _whole(0, 1_000_000)


def _columns(required: dict[str, Callable[[str], Any]], optional: dict[str, Callable[[str], Any]]) -> list[Column]:
    return [
        *(Column(name, read, required=True) for name, read in required.items()),
        *(Column(name, read) for name, read in optional.items()),
    ]


SIGNING_BODIES = _columns(
    {
        "code": _code,
        "name": _text(200),
        "country": _country,
        "law": _text(200),
        "language": _text(100),
        "complaint_board": _text(200),
        "source": _text(400),
    },
    {},
)
PARTICIPANTS = _columns(
    {
        "code": _code,
        "name": _text(200),
        "country": _country,
        "currency": _currency,
        "contracting_authority": _truth,
        "source": _text(400),
    },
    {
        "may_lead": _truth,
        "max_leads": _limit,
        "max_pools_per_quarter": _limit,
        "signing_body": _code,
        "valid_from": _day,
        "valid_to": _day,
        "successor": _code,
        "population": _whole(1, 10_000_000_000),
        "year": _whole(1900, 2200),
        "population_overlaps": _truth,
        "population_within": _code,
        "organisation_id": _organisation,
    },
)
CATEGORIES = _columns(
    {"id": _slug, "family": _slug, "name": _text(200), "unit": _unit, "source": _text(400)},
    {
        "cpv": _cpv,
        "cpv_name": _text(200),
        "emdn": _matching(r"[A-Z][0-9]{0,11}", "write the EMDN code, such as T010202"),
        "base_unit": _unit,
    },
)
CRITERIA = _columns(
    {
        "code": _matching(r"[a-z0-9][a-z0-9-]{0,59}", "use at most 60 small letters a-z, digits and hyphens"),
        "name": _text(200),
        "framework": _text(100),
        "eforms_list": _eforms_list,
        "eforms_code": _text(40),
        "proof": _text(400),
        "source": _text(400),
    },
    {"level": _text(40)},
)
IMPLICATIONS = _columns({"code": _text(60), "implies": _words, "source": _text(400)}, {})
CRITERIA_WITH_IMPLICATIONS = [*CRITERIA, Column("implies", _words)]
