"""Small participants for tests: only what a test is about is said."""

from dataclasses import replace
from datetime import date

from pooling.reference.rules import ParticipantRecord

BORDER = date(2027, 1, 1)

PLAIN = ParticipantRecord(
    code="P",
    name="a region",
    country="SE",
    currency="SEK",
    contracting_authority=True,
    may_lead=True,
    max_leads=None,
    max_pools_per_quarter=None,
    signing_body="P",
    valid_from=None,
    valid_to=None,
    successor=None,
    population=1000,
    population_year=2025,
    population_overlaps=False,
    organisation_id=None,
    source="a test",
)


def participants(**given: dict[str, object]) -> dict[str, ParticipantRecord]:
    """``participants(A={"successor": "B"}, B={})`` by code."""
    return {code: replace(PLAIN, code=code, **values) for code, values in given.items()}
