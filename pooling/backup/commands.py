"""Commands that back everything up and bring it back."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pooling.backup import service
from pooling.commandline import as_it_stands, chosen_url
from pooling.errors import counted
from pooling.schema import opened


def _tell(name: str, rows: int) -> None:
    click.echo(f"  {name}: {counted(rows, 'row')}", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(context: click.Context, /, file: Path) -> None:
    """Write everything to FILE (a ZIP, see docs/operations.md), while the service goes on."""
    with as_it_stands(context) as engine:
        done = service.back_up(engine, file, now=datetime.now(UTC), tell=_tell)
    said = f"{counted(done.rows, 'row')} of {counted(done.tables, 'table')}"
    click.echo(f"{file}: {said}, read again and whole; keep it as secret as the database")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace everything that the database holds.")
@click.pass_context
def restore(context: click.Context, /, file: Path, force: bool) -> None:
    """Bring everything back from FILE into an empty database of either kind; stop the service first."""
    with opened(chosen_url(context)) as engine:
        done = service.restore(engine, file, replace=force, tell=_tell)
    click.echo(f"{counted(done.rows, 'row')} of {counted(done.tables, 'table')} restored, read back and the same")


COMMANDS = (backup, restore)
