"""A real mail server on loopback for tests, in one thread: it takes mail, or refuses as it is told to."""

import contextlib
import email
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default


@dataclass
class MailServer:
    """What it took, and how it answers. ``replies``: lines for a command in the place of 250, used up in turn.

    A reply ``None`` breaks the connection; for ``.`` that is after the whole message has come.
    """

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    replies: dict[str, list[str | None]] = field(default_factory=dict)
    connections: int = 0
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    """TLS from the first byte on; else once it is asked for."""
    commands: list[str] = field(default_factory=list)

    def answer(self, command: str, usual: str) -> str | None:
        """What to say to a command."""
        planned = self.replies.get(command)
        return planned.pop(0) if planned else usual

    def offer_login(self) -> None:
        """Offer TLS where there is none yet, and take any password behind it."""
        login = "250-made-up.example\r\n250 AUTH PLAIN"
        plain = "250-made-up.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
        self.replies |= {"EHLO": [login] if self.at_once else [plain, login], "AUTH": ["235 welcome"]}

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


USUAL = {"QUIT": "221 bye", "DATA": "354 go on", "STARTTLS": "220 go on"}


class _Broken(Exception):
    pass


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = 10

    @property
    def mail(self) -> MailServer:
        assert isinstance(self.server, Listening)
        return self.server.made

    def handle(self) -> None:
        self.mail.connections += 1
        with contextlib.suppress(_Broken, OSError):
            if self.mail.at_once:
                self.secure()
            self.say(self.mail.answer("CONNECT", "220 made-up.example ready"))
            self.talk()

    def say(self, line: str | None) -> None:
        if line is None:
            raise _Broken
        self.wfile.write(line.encode() + b"\r\n")

    def secure(self) -> None:
        assert self.mail.tls is not None
        self.request = self.mail.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()
        self.request.close()

    def talk(self) -> None:
        recipient = ""
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            self.mail.commands.append(line)
            if word == "RCPT":
                recipient = re.sub(r".*<(.*)>.*", r"\1", line)
            said = self.mail.answer(word, USUAL.get(word, "250 fine"))
            self.say(said)
            if word == "STARTTLS":
                self.secure()
            if word == "DATA" and str(said).startswith("354"):
                self.take(recipient)
            if word == "QUIT":
                return

    def take(self, recipient: str) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert len(line) <= 1000
            assert line.isascii()
            lines.append(line.removeprefix(b"."))
        said = self.mail.answer(".", "250 taken")
        if said is None or said.startswith("250"):
            content = email.message_from_bytes(b"".join(lines), policy=default)
            self.mail.taken.append((recipient, content))
        self.say(said)


class Listening(socketserver.ThreadingTCPServer):
    """Hands its connections the mail server that answers on them."""

    daemon_threads = True

    def __init__(self, made: MailServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.made = made


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """It listens while the block runs."""
    made = MailServer()
    with Listening(made) as listening:
        made.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown()
            thread.join(5)
