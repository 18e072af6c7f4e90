"""What is set from outside: environment variables, checked when the program starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pooling.errors import BadSetting

DATABASE_URL = "POOLING_DATABASE_URL"
DEFAULT_DATABASE_URL = "sqlite:///pooling.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; the names of the variables are the module's constants."""

    database_url: str = DEFAULT_DATABASE_URL

    def __post_init__(self) -> None:
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise BadSetting(
                f"{DATABASE_URL}: {self.database_url.partition(':')[0]!r} is no database we know;"
                " give sqlite:///file.db or postgresql+psycopg://user@host/name"
            )


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force; unset variables take their default."""
    return Settings(database_url=environment.get(DATABASE_URL, DEFAULT_DATABASE_URL))
