"""The container files hold together: what they refer to exists, and nothing secret or unpinned is in them."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pooling import settings
from pooling.__main__ import pooling
from pooling.working import GRACE_S

ROOT = Path(__file__).parents[1]
PROGRAM = ("migrate", "api", "jobs")
"""Services whose command is one of the program's own."""
CLUSTER = ("scheduler", "worker")
SECRETS = ("PASSWORD", "SECRET", "TOKEN")
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+[a-z0-9.-]*")


KEYS = {
    *(
        "build",
        "image",
        "read_only",
        "init",
        "tmpfs",
        "cap_drop",
        "security_opt",
        "environment",
        "command",
        "entrypoint",
    ),
    *("depends_on", "ports", "volumes", "healthcheck", "restart", "profiles", "networks", "stop_grace_period"),
}
"""What the Compose specification knows of a service, as far as it is used here."""
CHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
VARIABLE = re.compile(r"\$\{([A-Z_]+):([-+?])([^}]*)\}")
DURATION = re.compile(r"(\d+(ms|s|m|h))+")


def misshapen(compose: dict[str, Any]) -> list[str]:
    """What the Compose specification does not know, in words."""
    top = {name for name in compose if not name.startswith("x-")} - {"name", "services", "networks", "volumes"}
    found = [f"{name}: no part of a compose file" for name in sorted(top)]
    for name, service in compose["services"].items():
        check = service.get("healthcheck", {})
        found += [f"{name}: {key} is no key of a service" for key in sorted(set(service) - KEYS)]
        found += [f"{name}: {key} is no key of a health check" for key in sorted(set(check) - CHECK_KEYS)]
        times = [check.get(key, "1s") for key in ("interval", "timeout", "start_period")]
        times.append(service.get("stop_grace_period", "1s"))
        found += [f"{name}: {time} is no duration" for time in times if not DURATION.fullmatch(str(time))]
        wanted = [other["condition"] for other in service.get("depends_on", {}).values()]
        found += [f"{name}: {condition} is no condition" for condition in wanted if condition not in CONDITIONS]
        if check and (check["test"][0] not in ("CMD", "CMD-SHELL") or len(check["test"]) < 2):
            found.append(f"{name}: a health check begins with CMD")
        if not all(isinstance(word, str) for word in (*service.get("command", ()), *service.get("entrypoint", ()))):
            found.append(f"{name}: a command is made of words")
    return found


def faults(compose: dict[str, Any]) -> list[str]:
    """What is wrong in a compose file, in words."""
    services = compose["services"]
    found = []
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            if other not in services:
                found.append(f"{name} depends on {other}, which is not there")
            elif wanted["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                found.append(f"{name} waits for {other} to be healthy, which has no health check")
        sources = {volume: interpolated(volume, {}).partition(":")[0] for volume in service.get("volumes", [])}
        found.extend(
            f"{name} uses the volume {volume}, which is not declared"
            for volume, source in sources.items()
            if not source.startswith("/") and source not in compose.get("volumes", {})
        )
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in SECRETS) and not REQUIRED.fullmatch(str(value)):
                found.append(f"{name}: {variable} must be a required variable")
            if re.search(r"://[^/@]*:[^/@]*@", str(value)):
                found.append(f"{name}: {variable} holds a password")
        if not PINNED.fullmatch(service["image"]):
            found.append(f"{name}: the image {service['image']} is not pinned")
        if service.get("restart") != "no" and "healthcheck" not in service:
            found.append(f"{name} keeps running without a health check")
        found.extend(
            f"{name}: {port} is open to the network" for port in service.get("ports", []) if len(port.split(":")) < 3
        )
    return found


def interpolated(text: str, given: dict[str, str]) -> str:
    """The text with its variables put in as Compose does: ``:-`` a default, ``:+`` a replacement, ``:?`` required."""

    def value(found: re.Match[str]) -> str:
        name, sign, other = found.groups()
        if sign == "+":
            return other if given.get(name) else ""
        return given.get(name) or (other if sign == "-" else "")

    return VARIABLE.sub(value, text)


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_compose_file_holds_together(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", *PROGRAM, *CLUSTER}
    assert faults(compose) == []
    assert misshapen(compose) == []


def test_planted_mistakes_of_form_are_found(compose: dict[str, Any]) -> None:
    services = compose["services"]
    services["api"]["helthcheck"] = {}
    services["jobs"]["healthcheck"]["intervall"] = "1s"
    services["jobs"]["healthcheck"]["timeout"] = "5 seconds"
    services["jobs"]["depends_on"]["postgres"] = {"condition": "healthy"}
    services["migrate"]["command"] = ["serve", 8000]
    compose["sevices"] = {}
    assert misshapen(compose) == [
        "sevices: no part of a compose file",
        "migrate: a command is made of words",
        "api: helthcheck is no key of a service",
        "jobs: intervall is no key of a health check",
        "jobs: 5 seconds is no duration",
        "jobs: healthy is no condition",
    ]


def test_planted_faults_are_found(compose: dict[str, Any]) -> None:
    services = compose["services"]
    services["api"]["depends_on"]["redis"] = {"condition": "service_started"}
    services["postgres"].pop("healthcheck")
    services["postgres"]["environment"]["POSTGRES_PASSWORD"] = "pooling"
    services["postgres"]["image"] = "postgres:latest"
    services["api"]["environment"] = {"URL": "postgresql://pooling:hush@postgres/pooling", "POOLING_SECRET": "hush"}
    services["api"]["ports"] = ["8000:8000"]
    compose["volumes"] = {}
    said = "\n".join(faults(compose))
    for fault in (
        "api depends on redis",
        "migrate waits for postgres to be healthy",
        "POSTGRES_PASSWORD must be a required variable",
        "postgres:latest is not pinned",
        "URL holds a password",
        "POOLING_SECRET must be a required variable",
        "8000:8000 is open",
        "which is not declared",
        "postgres keeps running without a health check",
    ):
        assert fault in said


def misuse(compose: dict[str, Any]) -> list[str]:
    """Commands that the program does not know, in words."""
    found = []
    for name in PROGRAM:
        try:
            parsed(pooling, "pooling", compose["services"][name]["command"])
        except click.ClickException as wrong:
            found.append(f"{name}: {wrong.format_message()}")
    return found


def parsed(command: click.Command, name: str, words: list[str]) -> None:
    """Read the words as the command line would, and do nothing."""
    if not isinstance(command, click.Group):
        command.make_context(name, list(words))
        return
    context = click.Context(command, info_name=name)
    _, inner, rest = command.resolve_command(context, list(words))
    assert inner is not None
    parsed(inner, words[0], rest)


def test_the_commands_are_ones_that_the_program_knows(compose: dict[str, Any]) -> None:
    assert misuse(compose) == []
    compose["services"]["jobs"]["command"] = ["worker", "--fast"]
    compose["services"]["migrate"]["command"] = ["databse", "migrate"]
    said = "\n".join(misuse(compose))
    assert "--fast" in said
    assert "databse" in said


def test_every_setting_can_be_given_and_none_must_be(compose: dict[str, Any]) -> None:
    service = compose["services"]["api"]
    required = {"POOLING_POSTGRES_PASSWORD": "x", "POOLING_SECRET": "s" * 32}
    plain = {name: interpolated(str(value), required) for name, value in service["environment"].items()}
    assert set(plain) >= settings.KNOWN
    assert settings.from_environment(plain) == settings.Settings(
        database_url=plain[settings.DATABASE_URL], secret="s" * 32
    )
    assert [interpolated(volume, required) for volume in service["volumes"]] == ["/dev/null:/run/issuers.toml:ro"]

    whole = dict.fromkeys(settings.WHOLE, "7")
    words = {
        settings.ISSUERS: "./issuers.toml",
        settings.LOG_LEVEL: "DEBUG",
        settings.MAIL_FROM: "pooling@region.example",
        settings.PROXIES: "10.0.0.1",
        settings.PUBLIC_URL: "https://pooling.example",
        settings.SMTP_URL: "smtp://mail.example",
    }
    given = {**required, **whole, **words}
    made = {name: interpolated(str(value), given) for name, value in service["environment"].items()}
    assert {name: made[name] for name in given.keys() & settings.KNOWN - {settings.ISSUERS}} == {
        name: value for name, value in given.items() if name in settings.KNOWN - {settings.ISSUERS}
    }
    mounted = [interpolated(volume, given) for volume in service["volumes"]]
    assert mounted == [f"./issuers.toml:{made[settings.ISSUERS]}:ro"]


def test_the_schema_is_migrated_once_before_the_service_starts(compose: dict[str, Any]) -> None:
    services = compose["services"]
    migrate = services["migrate"]
    assert migrate["command"] == ["database", "migrate"]
    assert migrate["restart"] == "no"
    for name in ("api", "jobs"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["image"] == migrate["image"]


def test_jobs_are_done_beside_the_api_and_have_time_to_finish(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "--no-worker" in services["api"]["command"]
    assert "ports" not in services["jobs"]
    alive = services["jobs"]["command"][services["jobs"]["command"].index("--alive") + 1]
    assert alive in " ".join(services["jobs"]["healthcheck"]["test"])
    assert int(services["jobs"]["stop_grace_period"].rstrip("s")) > GRACE_S
    assert services["jobs"]["init"] is True  # children that were killed are reaped
    assert services["jobs"]["environment"] == services["api"]["environment"]


@pytest.mark.parametrize("age_s", [0, 60])
def test_the_health_check_of_the_jobs_goes_by_the_age_of_a_file(
    compose: dict[str, Any], tmp_path: Path, age_s: int
) -> None:
    alive = tmp_path / "alive"
    alive.touch()
    os.utime(alive, (time.time() - age_s,) * 2)
    *_, words = compose["services"]["jobs"]["healthcheck"]["test"]
    asked = subprocess.run([sys.executable, "-c", words.replace("/tmp/alive", str(alive))], check=False)
    assert (asked.returncode == 0) == (age_s == 0)


def test_services_run_with_as_little_as_they_need(compose: dict[str, Any]) -> None:
    for name in (*PROGRAM, *CLUSTER):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_cluster_starts_only_when_asked_for_and_cannot_reach_the_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, service in services.items() if "profiles" in service} == set(CLUSTER)
    for name in CLUSTER:
        assert services[name]["profiles"] == ["cluster"]
        assert services[name]["networks"] == ["cluster"]
        assert "environment" not in services[name], "no password of the database"
        assert services[name]["image"] == services["api"]["image"]
    assert "networks" not in services["postgres"]
    assert services["scheduler"]["ports"] == ["127.0.0.1:8786:8786"]


def instructions(text: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def test_the_image_installs_locked_packages_and_runs_as_nobody_special() -> None:
    steps = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    (base,) = [value for word, value in steps if word == "FROM"]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base)
    (install,) = [value for word, value in steps if word == "RUN" and "pip install" in value]
    assert all(flag in install for flag in ("--require-hashes", "--only-binary :all:", "-r constraints.txt"))
    assert [value for word, value in steps if word == "USER"] == ["10001"]
    assert [word for word, _ in steps][-2:] == ["ENTRYPOINT", "CMD"]


def test_no_file_of_the_image_names_a_package_index() -> None:
    option = "index-" + "url"  # in parts, so that this file does not hold it
    names_one = re.compile(rf"{option}|extra-index|find-links|trusted-host|https?://", re.IGNORECASE)
    assert names_one.search(f"--{option}=x")
    for name in ("Dockerfile", "constraints.txt", "constraints-cluster.txt", ".dockerignore"):
        assert not names_one.search((ROOT / name).read_text(encoding="utf-8")), name


def packages(name: str) -> list[str]:
    """The packages of a lock, each with its version and hashes."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if re.match(r"[a-z0-9]", line, re.IGNORECASE)]


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-cluster.txt", "constraints-dev.txt"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    assert len(packages(name)) > 20
    assert [line for line in packages(name) if "==" not in line or "--hash=sha256:" not in line] == []


def test_each_lock_holds_the_smaller_one_unchanged() -> None:
    plain, cluster, dev = (
        {line.split()[0] for line in packages(name)}
        for name in ("constraints.txt", "constraints-cluster.txt", "constraints-dev.txt")
    )
    assert plain < cluster < dev
    assert {name.partition("==")[0] for name in cluster - plain} >= {"dask", "distributed"}


def test_what_the_image_copies_is_let_through() -> None:
    steps = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    copied = {value.split()[0] for word, value in steps if word == "COPY"}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
