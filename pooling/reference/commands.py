"""Commands on reference data: show it, add to it, name organisations."""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from sqlalchemy import Engine
from sqlmodel import Session

from pooling.commandline import pass_engine, screen
from pooling.database import transaction
from pooling.reference import columns, service
from pooling.reference.service import Changes
from pooling.reference.tabular import Column
from pooling.transactions import written


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reference data on the command line.

    ``shown``: the columns of the table on the screen. ``columns``: those of the file, in and out.
    """

    read: Callable[[Session], Mapping[str, Any]]
    add: Callable[[Session, Path], Changes]
    columns: Sequence[Column]
    shown: tuple[str, ...]


KINDS = {
    "participants": Kind(
        service.participants,
        service.add_participants,
        columns.PARTICIPANTS,
        ("code", "name", "country", "signing_body", "may_lead", "valid_from", "valid_to", "successor", "population"),
    ),
    "categories": Kind(
        service.categories,
        service.add_categories,
        columns.CATEGORIES,
        ("id", "family", "name", "cpv", "emdn", "unit", "base_unit"),
    ),
    "criteria": Kind(
        service.criteria,
        service.add_criteria,
        columns.CRITERIA_WITH_IMPLICATIONS,
        ("code", "name", "framework", "level", "eforms_list", "eforms_code", "implies"),
    ),
    "signing-bodies": Kind(
        service.signing_bodies,
        service.add_signing_bodies,
        columns.SIGNING_BODIES,
        ("code", "name", "country", "law", "language", "complaint_board"),
    ),
}


@click.group()
def reference() -> None:
    """Participants, signing bodies, categories and criteria: show them, add to them."""


@reference.command()
@pass_engine
def install(engine: Engine) -> None:
    """Bring the packaged rows up to date; what an administrator set is kept."""
    with written(engine, actor=None, operation="reference.install", now=datetime.now(UTC)) as opened:
        _tell(service.install(opened.session))


@reference.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--csv", "as_csv", is_flag=True, help="Print the file that `reference add` reads.")
@pass_engine
def show(engine: Engine, kind: str, *, as_csv: bool) -> None:
    """List what is known."""
    chosen = KINDS[kind]
    with transaction(engine) as session:
        service.install(session)
        implied = service.implications(session)
        rows = [_cells(record, implied) for record in chosen.read(session).values()]
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        names = [column.name for column in chosen.columns]
        writer.writerows([names, *([row[name] for name in names] for row in rows)])
        return
    console = screen()
    table = Table(title=f"{len(rows):,} {kind}")
    for name in chosen.shown:
        table.add_column(name, no_wrap=name == chosen.shown[0], overflow="fold")
    for row in rows:
        table.add_row(*(row[name] for name in chosen.shown))
    console.print(table)


def _cells(record: Any, implied: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """A record as the text of its file; ``year`` is the file's word for the year of the population."""
    values = asdict(record)
    values["year"] = values.get("population_year")
    values["implies"] = " ".join(sorted(implied.get(values.get("code", ""), ())))
    return {name: _text(value) for name, value in values.items()}


def _text(value: str | int | date | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@reference.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_engine
def add(engine: Engine, kind: str, file: Path) -> None:
    """Add or replace the rows of a CSV FILE: all of them, or none where one is at fault."""
    with written(engine, actor=None, operation="reference.add", now=datetime.now(UTC)) as opened:
        service.install(opened.session)
        changes = KINDS[kind].add(opened.session, file)
    _tell(changes)


@reference.command("set-organisation")
@click.argument("code")
@click.argument("number")
@pass_engine
def set_organisation(engine: Engine, code: str, number: str) -> None:
    """Give participant CODE its ISO 6523 NUMBER, such as 0192:923609016."""
    with written(engine, actor=None, operation="participants.write", now=datetime.now(UTC)) as opened:
        service.install(opened.session)
        stored = service.set_organisation(opened.session, code, number)
    click.echo(f"{code} is {stored}")


def _tell(changes: Changes) -> None:
    click.echo(
        f"{changes.added} added, {changes.updated} updated, {changes.unchanged} unchanged,"
        f" {changes.kept} kept as an administrator set them"
    )


COMMANDS = (reference,)
