"""A notice as a mail: what happened and where to look, no figure."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from pooling.notices.outbox import Letter
from pooling.notices.wording import due_line, place_of, words_of
from pooling.settings import Settings

SERVICE = "Nordic Pooling"
FOOT = "Figures are not sent by mail. To get no mails, take your address out: PUT /v1/me/contact."


def message_of(letter: Letter, settings: Settings, now: datetime) -> EmailMessage:
    """The same notice to the same reader has the same Message-ID, whenever it is sent."""
    sender = str(settings.mail_from)
    words = words_of(letter.kind, letter.facts)
    place = place_of(letter.kind, *letter.subject, letter.notice)
    lines = [words.text]
    if letter.due is not None:
        lines.append(due_line(letter.due))
    lines.append(f"Look at: {settings.public_url}{place}")
    message = EmailMessage()
    message["From"] = f"{SERVICE} <{sender}>"
    message["To"] = letter.address
    message["Subject"] = words.title
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{letter.notice}.{letter.principal}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join([*lines, FOOT]) + "\n")
    return message
