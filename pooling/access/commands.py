"""Commands of whoever runs the service: the first administrator, people and systems, their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import click
from rich.table import Table
from sqlalchemy import Engine

from pooling.access import accounts, keys, people, principals
from pooling.access.keys import DAYS, MOST_DAYS, MOST_OVERLAP_HOURS, ONCE_FOR, OVERLAP_HOURS, Made
from pooling.access.people import Rights
from pooling.access.rules import SCOPES, Role
from pooling.commandline import pass_engine, screen
from pooling.database import reading
from pooling.transactions import Opened, written

PERSONS_ROLES = [role.value for role in Role if role is not Role.PARTNER]
SHOWN_ONCE = "shown once and kept nowhere"

role_option = click.option("--role", "roles", multiple=True, type=click.Choice(PERSONS_ROLES), help="May be repeated.")
participant_option = click.option("--participant", "participants", multiple=True, help="Code; may be repeated.")
employer_option = click.option("--employer", help="Participant that employs a planner; gives no rights.")


@click.group()
def admin() -> None:
    """Who may come in: people and systems with their roles and keys."""


@contextmanager
def _writing(engine: Engine, operation: str) -> Iterator[Opened]:
    with written(engine, actor=None, operation=operation, now=datetime.now(UTC)) as opened:
        yield opened


@admin.command()
@click.option("--name", required=True, help="Of the first administrator.")
@pass_engine
def create(engine: Engine, name: str) -> None:
    """Make the first administrator on an empty install; refused afterwards."""
    with _writing(engine, "admin.create") as opened:
        made = accounts.make_first(opened.session, name, now=opened.now)
    _tell_once(made)


@admin.command()
@click.argument("name")
@role_option
@participant_option
@employer_option
@pass_engine
def person(
    engine: Engine, name: str, roles: tuple[str, ...], participants: tuple[str, ...], employer: str | None
) -> None:
    """Let a person in, by NAME."""
    with _writing(engine, "admin.person") as opened:
        principal = people.add_person(opened.session, name, _rights(roles, participants, employer), now=opened.now)
        made = keys.invite(opened.session, principal, now=opened.now)
    _tell_once(made)


@admin.command()
@click.argument("name")
@click.option("--participant", "participants", multiple=True, help="Whose; may be repeated.")
@pass_engine
def system(engine: Engine, name: str, participants: tuple[str, ...]) -> None:
    """Let a partner system in, called NAME; `pooling admin key` gives it a key."""
    with _writing(engine, "admin.system") as opened:
        principal = people.add_system(opened.session, name, frozenset(participants), now=opened.now)
    click.echo(f"principal {principal}")


@admin.command("rights")
@click.argument("principal", type=click.UUID)
@role_option
@participant_option
@employer_option
@pass_engine
def change_rights(
    engine: Engine, principal: UUID, roles: tuple[str, ...], participants: tuple[str, ...], employer: str | None
) -> None:
    """Give a person other rights, from the next request on; all of them are replaced."""
    with _writing(engine, "admin.rights") as opened:
        people.change(opened.session, principal, _rights(roles, participants, employer))
    click.echo(f"principal {principal} is {' and '.join(roles)}")


@admin.command("list")
@pass_engine
def list_principals(engine: Engine) -> None:
    """List people and systems."""
    with reading(engine) as session:
        found = principals.records(session, limit=None)
    table = Table(title=f"{len(found):,} principals")
    for name in ("id", "kind", "name", "roles", "participants", "state"):
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for each in found:
        state = "erased" if each.erased_at else "revoked" if each.revoked_at else "live"
        roles, participants = " ".join(sorted(each.roles)), " ".join(sorted(each.participants))
        table.add_row(str(each.id), each.kind, each.name or "", roles, participants, state)
    screen().print(table)


@admin.command()
@click.argument("principal", type=click.UUID)
@pass_engine
def invite(engine: Engine, principal: UUID) -> None:
    """Give a person a one-time secret to make a key with; earlier ones are void."""
    with _writing(engine, "admin.invite") as opened:
        made = keys.invite(opened.session, principal, now=opened.now)
    _tell_once(made)


@admin.command()
@click.argument("principal", type=click.UUID)
@pass_engine
def revoke(engine: Engine, principal: UUID) -> None:
    """Shut a person or system out, from the next request on and for good."""
    with _writing(engine, "admin.revoke") as opened:
        people.revoke(opened.session, principal, now=opened.now)
    click.echo(f"principal {principal} is revoked")


@admin.command()
@click.argument("principal", type=click.UUID)
@pass_engine
def erase(engine: Engine, principal: UUID) -> None:
    """Erase a person's name and shut them out; the audit keeps what was done under an id."""
    with _writing(engine, "admin.erase") as opened:
        people.erase(opened.session, principal, now=opened.now)
    click.echo(f"the name of principal {principal} is erased")


@admin.command("keys")
@click.argument("principal", type=click.UUID, required=False)
@pass_engine
def list_keys(engine: Engine, principal: UUID | None) -> None:
    """List keys, of one PRINCIPAL or all."""
    now = datetime.now(UTC)
    with reading(engine) as session:
        found = keys.of(session, principal)
    table = Table(title=f"{len(found):,} keys")
    for name in ("id", "principal", "prefix", "label", "scopes", "expires", "last used", "state"):
        table.add_column(name, no_wrap=name in ("id", "principal", "prefix"), overflow="fold")
    for each in found:
        state = "live" if each.is_live(now) else "revoked or used" if each.revoked_at else "expired"
        used = _minute(each.last_used_at) if each.last_used_at else "never"
        scopes = " ".join(sorted(each.scopes))
        row = (
            str(each.id),
            str(each.principal),
            each.prefix,
            each.label,
            scopes,
            _minute(each.expires_at),
            used,
            state,
        )
        table.add_row(*row)
    screen().print(table)


@admin.command("key")
@click.argument("principal", type=click.UUID)
@click.option("--label", required=True, help="What the key is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(sorted(SCOPES)), help="Of a system's key.")
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1, MOST_DAYS), help="How long it is good.")
@pass_engine
def make_key(engine: Engine, principal: UUID, label: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a key for a person or system."""
    with _writing(engine, "admin.key") as opened:
        made = keys.add(opened.session, principal, label=label, scopes=frozenset(scopes), days=days, now=opened.now)
    _tell(made)


@admin.command("rotate-key")
@click.argument("key", type=click.UUID)
@click.option(
    "--overlap-hours",
    default=OVERLAP_HOURS,
    show_default=True,
    type=click.IntRange(0, MOST_OVERLAP_HOURS),
    help="How long the old key stays good.",
)
@pass_engine
def rotate_key(engine: Engine, key: UUID, overlap_hours: int) -> None:
    """Make a key's successor; the old key ends after the overlap."""
    with _writing(engine, "admin.rotate-key") as opened:
        made = keys.rotate(opened.session, key, overlap_hours=overlap_hours, now=opened.now)
    _tell(made)


@admin.command("revoke-key")
@click.argument("key", type=click.UUID)
@pass_engine
def revoke_key(engine: Engine, key: UUID) -> None:
    """End a key, from the next request on."""
    with _writing(engine, "admin.revoke-key") as opened:
        keys.revoke(opened.session, key, now=opened.now)
    click.echo(f"key {key} is revoked")


def _rights(roles: tuple[str, ...], participants: tuple[str, ...], employer: str | None) -> Rights:
    return Rights(
        roles=frozenset(Role(name) for name in roles), participants=frozenset(participants), employer=employer
    )


def _tell_once(made: Made) -> None:
    hours = int(ONCE_FOR.total_seconds()) // 3600
    click.echo(f"principal {made.key.principal}")
    click.echo(f"one-time secret, good for {hours} hours, {SHOWN_ONCE}:")
    click.echo(made.secret)
    click.echo("With it the person makes their own key: POST /v1/keys, docs/access.md")


def _tell(made: Made) -> None:
    click.echo(f"key {made.key.id} for principal {made.key.principal}, good until {_minute(made.key.expires_at)}")
    click.echo(f"the key, {SHOWN_ONCE}:")
    click.echo(made.secret)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


COMMANDS = (admin,)
