"""Jobs of notices: mails are sent, and forgotten when they are old."""

import logging
import smtplib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pooling import smtp
from pooling.jobs import JobContext, Kind, Recurring
from pooling.notices import outbox
from pooling.notices.messages import message_of
from pooling.notices.outbox import Letter
from pooling.settings import Settings, from_environment
from pooling.smtp import Handed

LOG = logging.getLogger("pooling.notices")
MOST = 500
"""Mails of one run; the next run goes on."""


def send(context: JobContext) -> Mapping[str, Any] | None:
    """Send what is due over one connection, each mail claimed before and noted after; without a server only give up."""
    now = context.means.clock()
    with context.reading() as session:
        due, old = outbox.anything_due(session, now), outbox.anything_old(session, now)
    if old:
        with context.written() as opened:
            outbox.give_up(opened.session, opened.now)
    settings = from_environment()
    if not due or settings.smtp_url is None:
        return None
    try:
        with smtp.connected(smtp.server_of(settings.smtp_url)) as client:
            return {"tried": _send_all(context, client, settings)}
    except smtp.Unreachable as failed:
        LOG.warning("mails wait: %s", failed)
        return {"tried": 0, "fault": str(failed)}


def _send_all(context: JobContext, client: smtplib.SMTP, settings: Settings) -> int:
    """A mail is noted in the transaction that claims the next."""
    letter: Letter | None = None
    handed: Handed | None = None
    for tried in range(MOST + 1):
        with context.written() as opened:
            if letter is not None and handed is not None:
                outbox.note(opened.session, letter, handed, opened.now)
            broken = handed is not None and handed.broken
            letter = None if broken or tried == MOST else outbox.claim(opened.session, opened.now)
            if letter is None:
                return tried
            message = message_of(letter, settings, opened.now)
        handed = smtp.hand_over(client, message, sender=str(settings.mail_from), recipient=letter.address)
    return MOST


def drop_old(context: JobContext) -> None:
    """Forget what became of mails long ago."""
    with context.reading() as session:
        if not outbox.anything_to_drop(session, context.means.clock()):
            return
    with context.written() as opened:
        context.finish({"dropped": outbox.drop_old(opened.session, opened.now)})


HANDLERS: dict[str, Kind] = {
    "notices.send": Kind(send),
    "notices.drop-old": Kind(drop_old),
}
SCHEDULE: tuple[Recurring, ...] = (
    Recurring("notices.send", every=timedelta(minutes=1), offset=timedelta(seconds=20)),
    Recurring("notices.drop-old", every=timedelta(days=1), offset=timedelta(hours=4)),
)
