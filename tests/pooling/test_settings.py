"""Settings: read from the environment, checked at once, refused with the variable's name and what to give."""

from pathlib import Path

import pytest

from pooling import settings
from pooling.errors import BadSetting
from pooling.settings import Settings, from_environment


def test_unset_and_empty_variables_take_their_default() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"POOLING_SECRET": " ", "POOLING_THREADS": "", "PATH": "x"}) == Settings()


def test_secrets_are_not_shown() -> None:
    mail = {"smtp_url": "smtps://me:hush@mail.example", "mail_from": "pooling@region.example"}
    shown = repr(Settings(database_url="postgresql+psycopg://me:hush@host/name", secret="s" * 32, **mail))
    assert "hush" not in shown
    assert "sss" not in shown


def test_every_setting_can_be_given(tmp_path: Path) -> None:
    issuers = tmp_path / "issuers.toml"
    issuers.write_text("", encoding="utf-8")
    given = {
        settings.DATABASE_URL: "postgresql+psycopg://me@host/name",
        settings.SECRET: "s" * 32,
        settings.ISSUERS: str(issuers),
        settings.PROXIES: "10.0.0.1, 192.168.0.0/16",
        settings.THREADS: "7",
        settings.REQUESTS_PER_MINUTE: "0",
        settings.BODY_SECONDS: "5",
        settings.STATEMENT_SECONDS: "6",
        settings.GRACE_SECONDS: "8",
        settings.AUDIT_DAYS: "3650",
        settings.LOG_LEVEL: "warning",
        settings.SMTP_URL: "smtps://me:hush@mail.example",
        settings.MAIL_FROM: "pooling@region.example",
        settings.PUBLIC_URL: "https://pooling.example/",
    }
    assert from_environment(given) == Settings(
        database_url="postgresql+psycopg://me@host/name",
        secret="s" * 32,
        issuers_file=issuers,
        proxies=("10.0.0.1", "192.168.0.0/16"),
        threads=7,
        requests_per_minute=0,
        body_seconds=5,
        statement_seconds=6,
        grace_seconds=8,
        audit_days=3650,
        log_level="WARNING",
        smtp_url="smtps://me:hush@mail.example",
        mail_from="pooling@region.example",
        public_url="https://pooling.example",
    )


@pytest.mark.parametrize("url", ["http://hush@x", "smtps://me:hush@mail.example/path", "smtp://hush@mail.example"])
def test_a_wrong_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadSetting, match=settings.SMTP_URL) as refusal:
        from_environment({settings.SMTP_URL: url, settings.MAIL_FROM: "pooling@region.example"})
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (settings.DATABASE_URL, "mysql://x/y"),
        (settings.DATABASE_URL, "not an address"),
        (settings.DATABASE_URL, "sqlite:///:memory:"),
        (settings.DATABASE_URL, "sqlite://"),
        (settings.DATABASE_URL, "sqlite:///file:pooling?mode=memory&uri=true"),
        (settings.SECRET, "short"),
        (settings.ISSUERS, "missing.toml"),
        (settings.PROXIES, "10.0.0.0/8,proxy.example"),
        (settings.THREADS, "0"),
        (settings.THREADS, "201"),
        (settings.THREADS, "many"),
        (settings.THREADS, "1.5"),
        (settings.REQUESTS_PER_MINUTE, "-1"),
        (settings.BODY_SECONDS, "0"),
        (settings.STATEMENT_SECONDS, "3601"),
        (settings.GRACE_SECONDS, "²"),
        (settings.AUDIT_DAYS, "100001"),
        (settings.LOG_LEVEL, "loud"),
        (settings.SMTP_URL, "smtp://me:hush@mail.example"),
        (settings.MAIL_FROM, "Nordic Pooling"),
        (settings.PUBLIC_URL, "pooling.example"),
    ],
)
def test_a_wrong_value_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable):
        from_environment({variable: value})
    if variable == settings.SECRET:
        with pytest.raises(BadSetting) as refusal:
            from_environment({variable: value})
        assert value not in str(refusal.value).replace("characters", "")


def test_a_name_that_is_no_setting_is_told_with_the_one_that_was_meant() -> None:
    given = {
        "POOLING_SECRETS": "x",
        "POOLING_THREAD": "7",
        "POOLING_DATABASEURL": "sqlite:///x.db",
        "POOLING_SERVICE_HOST": "10.0.0.1",
        "POOLING_POSTGRES_PASSWORD": "x",
        "PATH": "x",
        "POOLINGTHREADS": "x",
        **dict.fromkeys(settings.KNOWN, ""),
    }
    assert settings.unread(given) == [
        "POOLING_DATABASEURL is no setting and is not read; did you mean POOLING_DATABASE_URL?",
        "POOLING_SECRETS is no setting and is not read; did you mean POOLING_SECRET?",
        "POOLING_SERVICE_HOST is no setting and is not read; docs/commands.md lists the settings",
        "POOLING_THREAD is no setting and is not read; did you mean POOLING_THREADS?",
    ]


def test_every_setting_is_known_by_name() -> None:
    declared = {value for value in vars(settings).values() if isinstance(value, str) and value.startswith("POOLING_")}
    assert declared == settings.KNOWN
