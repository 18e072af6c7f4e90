"""What is set from outside: environment variables, checked when the program starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pooling.errors import BadSetting

DATABASE_URL = "POOLING_DATABASE_URL"
DEFAULT_DATABASE_URL = "sqlite:///pooling.db"
DRIVERS = ("sqlite", "postgresql+psycopg")
FORMS = f"give sqlite:///file.db or postgresql+psycopg://user@host/name, by --database or {DATABASE_URL}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; the names of the variables are the module's constants."""

    database_url: str = DEFAULT_DATABASE_URL

    def __post_init__(self) -> None:
        try:
            address = make_url(self.database_url)
        except (ArgumentError, ValueError) as wrong:
            raise BadSetting(f"the database address cannot be read: {wrong}; {FORMS}") from wrong
        if address.drivername not in DRIVERS or not address.database:
            raise BadSetting(f"the database address starts {address.drivername!r}: no database we know; {FORMS}")


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force; unset variables take their default."""
    return Settings(database_url=environment.get(DATABASE_URL, DEFAULT_DATABASE_URL))
