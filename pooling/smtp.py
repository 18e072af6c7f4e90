"""Mail servers as settings name them, and how a message is handed to one: each either taken, refused, or unknown."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import StrEnum
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 20.0
"""For each step; a server that is slower is tried again later."""
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MOST_EMAIL = 254
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
"""An address as it is written in practice: ASCII, no quoted local part, a name with a dot behind the @."""
WIRE = SMTP_POLICY.clone(cte_type="7bit")
PERMANENT = 500
TAKEN = 250
GOING = 421
"""The server ends the connection."""


def is_email(text: str) -> bool:
    """Whether it is an address that a person would write."""
    return len(text) <= MOST_EMAIL and EMAIL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. ``tls``: from the first byte on; else as soon as the server offers it."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def server_of(url: str) -> Server:
    """``smtp://user:password@host:port`` or ``smtps://…``; raises ValueError, without the password in it."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("give smtp://user:password@host:port or smtps://user:password@host:port")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("give a user and a password, or neither")
    user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    return Server(parts.hostname, parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)


class Unreachable(Exception):
    """The server does not answer, or will not talk with us; the message names neither user nor address."""


class Outcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"
    UNKNOWN = "unknown"
    """The connection broke after all was said: the server may have taken it, so it is not sent again."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a message and why, without an address; ``broken``: the connection is of no use any more."""

    outcome: Outcome
    fault: str | None = None
    broken: bool = False


@contextmanager
def connected(server: Server, *, timeout_s: float = TIMEOUT_S) -> Iterator[smtplib.SMTP]:
    """A connection that is ready for mail; raises Unreachable. A password never goes over a line in the clear."""
    try:
        client = _opened(server, timeout_s)
    except (OSError, smtplib.SMTPException) as failed:
        raise Unreachable(f"no connection to the mail server: {type(failed).__name__}") from failed
    try:
        try:
            _introduce(client, server)
        except (OSError, smtplib.SMTPException) as failed:
            raise Unreachable(f"the mail server turned us away: {_named(failed)}") from failed
        yield client
    finally:
        with suppress(OSError, smtplib.SMTPException):
            client.quit()
        client.close()


def _opened(server: Server, timeout_s: float) -> smtplib.SMTP:
    own = socket.gethostname()
    if server.tls:
        secure = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, local_hostname=own, timeout=timeout_s, context=secure)
    return smtplib.SMTP(server.host, server.port, local_hostname=own, timeout=timeout_s)


def _introduce(client: smtplib.SMTP, server: Server) -> None:
    client.ehlo_or_helo_if_needed()
    if not server.tls and client.has_extn("starttls"):
        client.starttls(context=ssl.create_default_context())
        client.ehlo()
    elif not server.tls and server.user is not None and server.host not in LOOPBACK:
        raise Unreachable("the mail server offers no TLS, so the password is not sent; use smtps:// or another port")
    if server.user is not None and server.password is not None:
        client.login(server.user, server.password)


def hand_over(client: smtplib.SMTP, message: EmailMessage, *, sender: str, recipient: str) -> Handed:
    """Give one message to the server; every way to fail is an outcome."""
    content = message.as_bytes(policy=WIRE)
    try:
        for step, (code, _) in (
            ("sender", client.mail(sender)),
            ("recipient", client.rcpt(recipient)),
        ):
            if code != TAKEN:
                return _refused(client, step, code)
    except (OSError, smtplib.SMTPException) as failed:
        return Handed(Outcome.LATER, f"connection lost: {type(failed).__name__}", broken=True)
    try:
        code, _ = client.data(content)
    except smtplib.SMTPDataError as refused:
        return _refused(client, "message", int(refused.smtp_code))
    except (OSError, smtplib.SMTPException) as failed:
        return Handed(Outcome.UNKNOWN, f"connection lost at the end: {type(failed).__name__}", broken=True)
    return Handed(Outcome.SENT) if code == TAKEN else _refused(client, "message", code)


def _refused(client: smtplib.SMTP, step: str, code: int) -> Handed:
    """For good from 500 on; the server's own words are left out, since they often repeat the address."""
    broken = code == GOING
    try:
        client.rset()
    except (OSError, smtplib.SMTPException):
        broken = True
    outcome = Outcome.NEVER if code >= PERMANENT else Outcome.LATER
    return Handed(outcome, f"{step} refused ({code})", broken=broken)


def _named(failed: Exception) -> str:
    code = getattr(failed, "smtp_code", None)
    return type(failed).__name__ if code is None else f"{type(failed).__name__} ({code})"
