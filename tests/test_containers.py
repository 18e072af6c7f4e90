"""The container files hold together: what they refer to exists, and nothing secret or unpinned is in them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMMANDS = {"serve", "database"}
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+[a-z0-9.-]*")


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
        found.extend(
            f"{name} uses the volume {volume}, which is not declared"
            for volume in service.get("volumes", [])
            if volume.partition(":")[0] not in compose.get("volumes", {})
        )
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable and not REQUIRED.fullmatch(str(value)):
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


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_compose_file_holds_together(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "migrate", "api", "scheduler", "worker"}
    assert faults(compose) == []


def test_planted_faults_are_found(compose: dict[str, Any]) -> None:
    services = compose["services"]
    services["api"]["depends_on"]["redis"] = {"condition": "service_started"}
    services["postgres"].pop("healthcheck")
    services["postgres"]["environment"]["POSTGRES_PASSWORD"] = "pooling"
    services["postgres"]["image"] = "postgres:latest"
    services["api"]["environment"] = {"URL": "postgresql://pooling:hush@postgres/pooling"}
    services["api"]["ports"] = ["8000:8000"]
    compose["volumes"] = {}
    said = "\n".join(faults(compose))
    for fault in (
        "api depends on redis",
        "migrate waits for postgres to be healthy",
        "POSTGRES_PASSWORD must be a required variable",
        "postgres:latest is not pinned",
        "URL holds a password",
        "8000:8000 is open",
        "which is not declared",
        "postgres keeps running without a health check",
    ):
        assert fault in said


def test_the_schema_is_migrated_once_before_the_service_starts(compose: dict[str, Any]) -> None:
    migrate, api = compose["services"]["migrate"], compose["services"]["api"]
    assert migrate["command"] == ["database", "migrate"]
    assert migrate["restart"] == "no"
    assert api["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert {migrate["command"][0], api["command"][0]} == COMMANDS
    assert migrate["image"] == api["image"]


def test_services_run_with_as_little_as_they_need(compose: dict[str, Any]) -> None:
    for name in ("migrate", "api", "scheduler", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_cluster_starts_only_when_asked_for_and_cannot_reach_the_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, service in services.items() if "profiles" in service} == {"scheduler", "worker"}
    for name in ("scheduler", "worker"):
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
