"""What is set from outside: environment variables, checked when the program starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pooling.errors import BadSetting, closest
from pooling.smtp import is_email, server_of

DATABASE_URL = "POOLING_DATABASE_URL"
SECRET = "POOLING_SECRET"  # noqa: S105 a variable's name
ISSUERS = "POOLING_ISSUERS"
PROXIES = "POOLING_PROXIES"
THREADS = "POOLING_THREADS"
REQUESTS_PER_MINUTE = "POOLING_REQUESTS_PER_MINUTE"
BODY_SECONDS = "POOLING_BODY_SECONDS"
STATEMENT_SECONDS = "POOLING_STATEMENT_SECONDS"
GRACE_SECONDS = "POOLING_GRACE_SECONDS"
AUDIT_DAYS = "POOLING_AUDIT_DAYS"
LOG_LEVEL = "POOLING_LOG_LEVEL"
SMTP_URL = "POOLING_SMTP_URL"
MAIL_FROM = "POOLING_MAIL_FROM"
PUBLIC_URL = "POOLING_PUBLIC_URL"
WHOLE = {
    THREADS: ("threads", 1, 200),
    REQUESTS_PER_MINUTE: ("requests_per_minute", 0, 10_000_000),
    BODY_SECONDS: ("body_seconds", 1, 3600),
    STATEMENT_SECONDS: ("statement_seconds", 1, 3600),
    GRACE_SECONDS: ("grace_seconds", 1, 3600),
    AUDIT_DAYS: ("audit_days", 0, 100_000),
}
"""Settings that are whole numbers: the field, the least and the most."""

PROGRAM = "POOLING"
"""What the names of all settings begin with, before the first underscore."""
KNOWN = frozenset({DATABASE_URL, SECRET, ISSUERS, PROXIES, LOG_LEVEL, SMTP_URL, MAIL_FROM, PUBLIC_URL, *WHOLE})
ELSEWHERE = frozenset({"POOLING_POSTGRES_PASSWORD", "POOLING_TEST_POSTGRESQL_URL"})
"""Variables that others read: docker-compose.yml, the tests."""
LISTED = "docs/commands.md lists the settings"
DEFAULT_DATABASE_URL = "sqlite:///pooling.db"
DRIVERS = ("sqlite", "postgresql+psycopg")
FORMS = f"give sqlite:///file.db or postgresql+psycopg://user@host/name, by --database or {DATABASE_URL}"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SECRET_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; the names of the variables are the module's constants, docs/commands.md explains them."""

    database_url: str = field(default=DEFAULT_DATABASE_URL, repr=False)
    secret: str | None = field(default=None, repr=False)
    issuers_file: Path | None = None
    proxies: tuple[str, ...] = ()
    threads: int = 15
    requests_per_minute: int = 6000
    body_seconds: int = 30
    statement_seconds: int = 30
    grace_seconds: int = 20
    audit_days: int = 0
    log_level: str = "INFO"
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    public_url: str = ""

    def __post_init__(self) -> None:
        _check_database(self.database_url)
        if self.secret is not None and len(self.secret) < SECRET_LENGTH:
            raise BadSetting(f"{SECRET}: {len(self.secret)} characters; give {SECRET_LENGTH} or more random ones")
        if self.issuers_file is not None and not self.issuers_file.is_file():
            raise BadSetting(f"{ISSUERS}: {self.issuers_file} is no file; name the TOML file of issuers, or unset it")
        for proxy in self.proxies:
            _check_proxy(proxy)
        for variable, (name, least, most) in WHOLE.items():
            if not least <= getattr(self, name) <= most:
                raise BadSetting(f"{variable}: {getattr(self, name)}; give a whole number from {least} to {most}")
        if self.log_level not in LEVELS:
            raise BadSetting(f"{LOG_LEVEL}: {self.log_level!r}; give one of {', '.join(LEVELS)}")
        _check_mail(self.smtp_url, self.mail_from)
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise BadSetting(f"{PUBLIC_URL}: {self.public_url!r}; give the address of the service, such as https://…")


def _check_database(url: str) -> None:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as wrong:
        raise BadSetting(f"the database address cannot be read: {wrong}; {FORMS}") from wrong
    if address.drivername == "sqlite" and str(address.database).startswith((":memory:", "file:")):
        raise BadSetting(f"the database address names no file that stays: {address.database!r}; {FORMS}")
    if address.drivername not in DRIVERS or not address.database:
        raise BadSetting(f"the database address starts {address.drivername!r}: no database we know; {FORMS}")


def _check_mail(smtp_url: str | None, mail_from: str | None) -> None:
    """The address of the server is never in a message: it may hold a password."""
    if mail_from is not None and not is_email(mail_from):
        raise BadSetting(f"{MAIL_FROM}: {mail_from!r} is no e-mail address; give one such as pooling@region.example")
    if smtp_url is None:
        return
    if mail_from is None:
        raise BadSetting(f"{SMTP_URL} is set without {MAIL_FROM}; give the address that mails come from")
    try:
        server_of(smtp_url)
    except ValueError as wrong:
        raise BadSetting(f"{SMTP_URL} cannot be read: {wrong}") from None


def _check_proxy(proxy: str) -> None:
    try:
        ip_network(proxy)
    except ValueError as wrong:
        raise BadSetting(f"{PROXIES}: {wrong}; give addresses or networks, separated by commas") from wrong


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force; unset and empty variables take their default. Raises BadSetting."""
    given = {name: value for name, value in environment.items() if name in KNOWN and value.strip()}
    whole = {name: _whole(variable, given[variable]) for variable, (name, _, _) in WHOLE.items() if variable in given}
    return Settings(
        database_url=given.get(DATABASE_URL, DEFAULT_DATABASE_URL),
        secret=given.get(SECRET),
        issuers_file=Path(given[ISSUERS]) if ISSUERS in given else None,
        proxies=tuple(each.strip() for each in given.get(PROXIES, "").split(",") if each.strip()),
        log_level=given.get(LOG_LEVEL, "INFO").upper(),
        smtp_url=given.get(SMTP_URL),
        mail_from=given.get(MAIL_FROM),
        public_url=given.get(PUBLIC_URL, "").rstrip("/"),
        **whole,
    )


def unread(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none, in words, each with the setting that may have been meant."""
    settings = {name.partition("_")[2]: name for name in KNOWN}
    found = []
    for name in sorted(environment.keys() - KNOWN - ELSEWHERE):
        program, _, rest = name.partition("_")
        if program == PROGRAM and rest:
            meant = " or ".join(settings[each] for each in closest(rest, settings))
            found.append(f"{name} is no setting and is not read; {f'did you mean {meant}?' if meant else LISTED}")
    return found


def _whole(variable: str, value: str) -> int:
    if not (value.strip().isascii() and value.strip().isdigit()):
        raise BadSetting(f"{variable}: {value!r} is no whole number; write digits only")
    return int(value)
