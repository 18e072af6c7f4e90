"""Mails over a real server on loopback: sent once, tried again later, given up; never twice and never with a figure."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, text

from pooling import settings, smtp
from pooling.access import contacts
from pooling.access.rules import Role
from pooling.database import reading, transaction
from pooling.notices import jobs, outbox
from pooling.notices.outbox import wait_before
from pooling.smtp import Server, Unreachable, connected, server_of
from tests import copies
from tests.pooling.api_client import NOW
from tests.pooling.jobs.working import enqueued, job_of, work_all
from tests.pooling.notices.mailserver import MailServer, mail_server
from tests.pooling.notices.test_tell import person, told


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that the settings name."""
    with mail_server() as made:
        monkeypatch.setenv(settings.SMTP_URL, made.url)
        monkeypatch.setenv(settings.MAIL_FROM, "pooling@region.example")
        monkeypatch.setenv(settings.PUBLIC_URL, "https://pooling.example/")
        yield made


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Two coordinators with addresses and a notice for both."""
    copies.install_reference(engine)
    for name, code in (("ada", "SE-M"), ("bo", "DK-82")):
        person(engine, Role.COORDINATOR, code, email=f"{name}@region.example")
    told(engine, participants=["SE-M", "DK-82"])
    return engine


def sent(engine: Engine, now: datetime = NOW) -> None:
    """One run of the job, in the test's own thread."""
    job = enqueued(engine, "notices.send", now=now)
    work_all(engine, jobs.HANDLERS, now=now)
    assert job_of(engine, job).status == "succeeded", job_of(engine, job)


def states(engine: Engine) -> list[tuple[str, int, str | None]]:
    with reading(engine) as session:
        rows = session.connection().execute(text("SELECT state, attempts, fault FROM outbox ORDER BY state, attempts"))
        return [tuple(row) for row in rows]


def test_each_mail_is_sent_once_over_one_connection(filled: Engine, server: MailServer) -> None:
    sent(filled)
    sent(filled, NOW + timedelta(minutes=1))
    assert sorted(to for to, _ in server.taken) == ["ada@region.example", "bo@region.example"]
    assert server.connections == 1
    assert states(filled) == [("sent", 1, None)] * 2


def test_a_mail_says_what_happened_and_where_to_look_and_no_figure(filled: Engine, server: MailServer) -> None:
    sent(filled)
    to, mail = server.taken[0]
    assert mail["To"] == to
    assert mail["From"] == "Nordic Pooling <pooling@region.example>"
    assert mail["Subject"] == "Cycle 2027-1 is open"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@region.example>")
    content = mail.get_content()
    assert "https://pooling.example/v1/cycles/2027-1" in content
    assert "Due by the end of 2027-03-31." in content
    assert not any(word in content for word in ("EUR", "%", "1,", "quantity"))


def test_words_beyond_ascii_arrive_as_they_are(filled: Engine, server: MailServer) -> None:
    facts = {"predecessor": "Region Själland", "successor": "Østdanmark", "on": date(2027, 1, 1)}
    told(filled, kind="succession", subject=("participant", "SE-M"), key="s", participants=["SE-M"], facts=facts)
    sent(filled)
    found = [mail for _, mail in server.taken if "Østdanmark" in mail["Subject"]]
    assert len(found) == 1
    assert "Østdanmark stands in the place of Region Själland" in found[0].get_content()


@pytest.mark.parametrize(
    ("command", "reply"),
    [("MAIL", "451 busy"), ("RCPT", "450 grey-listed"), ("DATA", "451 no"), (".", "452 full"), ("RCPT", None)],
)
def test_what_the_server_refuses_for_now_is_sent_later(
    filled: Engine, server: MailServer, command: str, reply: str | None
) -> None:
    server.replies[command] = [reply, reply]
    for minute in (0, 0, 2, 3, 5, 6):
        sent(filled, NOW + timedelta(minutes=minute))
    assert [state for state, _, _ in states(filled)] == ["sent", "sent"]
    assert len(server.taken) == 2
    assert sum(attempts for _, attempts, _ in states(filled)) == 4


def test_a_wait_is_kept_and_doubles(filled: Engine, server: MailServer) -> None:
    server.replies["RCPT"] = ["450 later"] * 4
    sent(filled)
    assert {state for state, _, _ in states(filled)} == {"failed"}
    sent(filled, NOW + timedelta(seconds=59))
    assert {attempts for _, attempts, _ in states(filled)} == {1}
    sent(filled, NOW + timedelta(seconds=60))
    assert {attempts for _, attempts, _ in states(filled)} == {2}
    sent(filled, NOW + timedelta(seconds=179))
    assert {attempts for _, attempts, _ in states(filled)} == {2}
    sent(filled, NOW + timedelta(seconds=180))
    assert states(filled) == [("sent", 3, None)] * 2
    assert [wait_before(attempt) for attempt in (1, 2, 9, 10, 99)] == [
        timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=256), timedelta(hours=6), timedelta(hours=6),
    ]  # fmt: skip


def test_an_address_that_is_refused_for_good_is_dead_and_no_other(filled: Engine, server: MailServer) -> None:
    server.replies["RCPT"] = ["550 no such user <ada@region.example>"]
    sent(filled)
    sent(filled, NOW + timedelta(hours=1))
    assert states(filled) == [("dead", 1, "recipient refused (550)"), ("sent", 1, None)]
    assert len(server.taken) == 1


def test_a_mail_that_may_have_been_taken_is_not_sent_again(filled: Engine, server: MailServer) -> None:
    server.replies["."] = [None]
    for minute in (0, 1, 30):
        sent(filled, NOW + timedelta(minutes=minute))
    assert len(server.taken) == 2
    assert len({to for to, _ in server.taken}) == 2
    assert [state for state, _, _ in states(filled)] == ["dead", "sent"]


def test_a_mail_left_by_a_process_that_ended_is_not_sent_again(filled: Engine, server: MailServer) -> None:
    with transaction(filled) as session:
        assert outbox.claim(session, NOW) is not None
    sent(filled, NOW + timedelta(minutes=9))
    assert [state for state, _, _ in states(filled)] == ["sending", "sent"]
    sent(filled, NOW + timedelta(minutes=11))
    assert states(filled)[0] == ("dead", 1, "the process ended while sending")
    assert len(server.taken) == 1


def test_mails_wait_for_a_server_and_are_given_up_in_time(
    filled: Engine, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies["CONNECT"] = ["421 not now"]
    sent(filled)
    assert states(filled) == [("queued", 0, None)] * 2
    monkeypatch.delenv(settings.SMTP_URL)
    sent(filled, NOW + timedelta(days=3))
    assert states(filled) == [("queued", 0, None)] * 2
    sent(filled, NOW + timedelta(days=3, seconds=1))
    assert states(filled) == [("dead", 0, "too old to be sent")] * 2
    monkeypatch.setenv(settings.SMTP_URL, server.url)
    sent(filled, NOW + timedelta(days=3, seconds=2))
    assert server.taken == []


def test_who_has_no_address_any_more_gets_none(filled: Engine, server: MailServer) -> None:
    with transaction(filled) as session:
        [(_, ada)] = contacts.coordinators(session, ["SE-M"])
        contacts.set_email(session, ada, None, expect=lambda: None)
    sent(filled)
    assert [to for to, _ in server.taken] == ["bo@region.example"]
    assert states(filled) == [("dead", 0, "no address any more"), ("sent", 1, None)]


def test_two_workers_send_each_mail_once(filled: Engine, server: MailServer) -> None:
    for number in range(6):
        told(filled, participants=["SE-M", "DK-82"], key=f"k{number}")
    for _ in range(2):
        enqueued(filled, "notices.send", now=NOW)
    workers = [threading.Thread(target=work_all, args=(filled, jobs.HANDLERS), kwargs={"now": NOW}) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    ids = [mail["Message-ID"] for _, mail in server.taken]
    assert len(ids) == len(set(ids)) == 14
    assert states(filled) == [("sent", 1, None)] * 14


def test_what_became_of_mails_is_dropped_in_the_end_and_not_before(filled: Engine, server: MailServer) -> None:
    sent(filled)
    for days, left in ((90, 2), (91, 0)):
        enqueued(filled, "notices.drop-old", now=NOW + timedelta(days=days))
        work_all(filled, jobs.HANDLERS, now=NOW + timedelta(days=days))
        assert len(states(filled)) == left


def test_no_address_is_in_the_audit_or_the_outbox(filled: Engine, server: MailServer) -> None:
    sent(filled)
    with reading(filled) as session:
        entries, kept = (
            [str(row) for row in session.connection().execute(text(f"SELECT * FROM {table}"))]
            for table in ("audit_entry", "outbox")
        )
    assert sum('"sent"' in each for each in entries) == 2 or sum("'sent'" in each for each in entries) == 2
    assert not any("region.example" in each for each in [*entries, *kept])


# the server's address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", Server("mail.example", 587, tls=False)),
        ("smtps://mail.example", Server("mail.example", 465, tls=True)),
        ("smtps://me:p%40ss@mail.example:2465", Server("mail.example", 2465, True, "me", "p@ss")),
    ],
)
def test_the_address_of_a_server(url: str, expected: Server) -> None:
    assert server_of(url) == expected
    assert "p@ss" not in repr(server_of(url))


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://hush@x", "smtp://x/path", "smtp://a:hush@x?tls=no"])
def test_an_address_that_cannot_be_used_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="give") as refused:
        server_of(url)
    assert "hush" not in str(refused.value)


def test_a_password_is_not_sent_in_the_clear(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "LOOPBACK", ())
    with pytest.raises(Unreachable, match="no TLS"), connected(Server("127.0.0.1", server.port, False, "me", "hush")):
        pass
    assert not any("AUTH" in command for command in server.commands)


def test_wrong_credentials_name_neither_user_nor_password(server: MailServer) -> None:
    server.replies["EHLO"] = ["250-made-up.example\r\n250 AUTH PLAIN"]
    server.replies["AUTH"] = ["535 no"]
    with pytest.raises(Unreachable) as refused, connected(Server("127.0.0.1", server.port, False, "mememe", "hush")):
        pass
    assert "535" in str(refused.value)
    assert not any(word in str(refused.value) for word in ("mememe", "hush"))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A made-up certificate of 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "made-up.pem"
    path.write_bytes(made.public_bytes(pem) + secret)
    return path


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_password_goes_over_tls_to_a_server_that_is_trusted(
    server: MailServer, certificate: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: bool, trusted: bool
) -> None:
    monkeypatch.setattr(smtp, "LOOPBACK", ())
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.tls, server.at_once = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), at_once
    server.tls.load_cert_chain(certificate)
    server.offer_login()
    asked = Server("127.0.0.1", server.port, at_once, "me", "hush")
    if trusted:
        with connected(asked) as client:
            assert isinstance(client.sock, ssl.SSLSocket)
    else:
        with pytest.raises(Unreachable, match="SSLCertVerificationError"), connected(asked):
            pass
    assert any(command.startswith("AUTH") for command in server.commands) == trusted
