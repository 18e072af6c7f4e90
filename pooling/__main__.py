"""The command line `pooling`: one word a step of the way from demand files to proposed pools."""

import sys

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from xlsxwriter.exceptions import FileCreateError

from pooling import serving, working
from pooling.access import commands as access
from pooling.backup import commands as backup
from pooling.commandline import OPTION, PREPARE, as_called, program
from pooling.database import reading, transaction
from pooling.demand import commands as demand
from pooling.demo import commands as demo
from pooling.errors import PoolingError
from pooling.invariants import commands as invariants
from pooling.market import commands as market
from pooling.planning import commands as planning
from pooling.reference import commands as reference
from pooling.reference import service
from pooling.settings import unread


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    with reading(engine) as session:
        known = bool(service.categories(session))
    if not known:
        with transaction(engine) as session:
            service.install(session)


for subject in (demo, demand, market, planning, reference, serving, access, working, backup, invariants):
    for command in subject.COMMANDS:
        pooling.add_command(command)


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
