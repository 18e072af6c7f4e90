"""The command line `pooling`: one word a step of the way from demand files to proposed pools.

A word's module is imported when the word is given (or help lists it): no command waits for what it does not use.
"""

import gc
import sys
from importlib import import_module

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from xlsxwriter.exceptions import FileCreateError

from pooling.commandline import OPTION, PREPARE, as_called, program
from pooling.database import reading, transaction
from pooling.errors import PoolingError
from pooling.settings import unread

PLACES = {
    "demo": "pooling.demo.commands",
    "look": "pooling.demand.commands",
    "template": "pooling.demand.commands",
    "load": "pooling.demand.commands",
    "requeue": "pooling.demand.commands",
    "submissions": "pooling.demand.commands",
    "categories": "pooling.demand.commands",
    "offers": "pooling.market.commands",
    "plan": "pooling.planning.commands",
    "volume": "pooling.planning.commands",
    "show": "pooling.planning.commands",
    "export": "pooling.planning.commands",
    "reference": "pooling.reference.commands",
    "serve": "pooling.serving",
    "database": "pooling.serving",
    "admin": "pooling.access.commands",
    "worker": "pooling.working",
    "jobs": "pooling.working",
    "backup": "pooling.backup.commands",
    "restore": "pooling.backup.commands",
    "check": "pooling.invariants.commands",
}
"""Each word with the module that knows it, among its ``COMMANDS``."""


class Words(click.Group):
    """The words of `PLACES`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PLACES:
            return None
        return next(command for command in _commands(PLACES[cmd_name]) if command.name == cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As usual; a word that is none is told the nearest ones, which are known without their modules."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as unknown:
            raise click.exceptions.NoSuchCommand(unknown.command_name, possibilities=PLACES, ctx=ctx) from None


def _commands(place: str) -> tuple[click.Command, ...]:
    """What a module offers; what an import makes stays, so that looking for garbage meanwhile finds nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        import_module("pooling.tables")
        found: tuple[click.Command, ...] = import_module(place).COMMANDS
        return found
    finally:
        if collecting:
            gc.enable()


@click.group(cls=Words, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--database",
    OPTION,
    metavar="URL",
    help="sqlite:///file.db or postgresql+psycopg://…; default: POOLING_DATABASE_URL or sqlite:///pooling.db.",
)
@click.pass_context
def pooling(context: click.Context, /, **_options: str | None) -> None:
    """Nordic Pooling: demand of health regions in, proposed joint green tenders out."""
    context.meta[PREPARE] = _with_reference_data
    for warning in unread():
        click.echo(f"pooling: warning: {warning}", err=True)


def _with_reference_data(engine: Engine) -> None:
    """A new database gets the packaged participants, categories and criteria before its first command."""
    from pooling.reference import service

    with reading(engine) as session:
        known = bool(service.categories(session))
    if not known:
        with transaction(engine) as session:
            service.install(session)


def main() -> None:
    """Run a command; a refusal is one message with its code on standard error, and exit code 2."""
    try:
        pooling(prog_name=program(), standalone_mode=False)
    except PoolingError as refusal:
        click.echo(f"pooling: {refusal.code}: {as_called(str(refusal))}", err=True)
        sys.exit(2)
    except DBAPIError as unusable:
        click.echo(f"pooling: database: it cannot be used: {unusable.orig}; see --database", err=True)
        sys.exit(2)
    except FileCreateError as unwritable:
        click.echo(f"pooling: file: {unwritable}", err=True)
        sys.exit(2)
    except OSError as unusable:
        click.echo(f"pooling: file: {unusable.filename or ''}: {unusable.strerror or unusable}", err=True)
        sys.exit(2)
    except click.ClickException as wrong_use:
        wrong_use.show()
        sys.exit(wrong_use.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
