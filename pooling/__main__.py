"""The command line `pooling`: one word a step of the way from demand files to proposed pools."""

import sys

import click

from pooling import database, settings
from pooling.errors import PoolingError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--database", "url", help="Database address; default: POOLING_DATABASE_URL or sqlite:///pooling.db.")
@click.pass_context
def pooling(context: click.Context, url: str | None) -> None:
    """Nordic Pooling: demand of health regions in, proposed joint green tenders out."""
    chosen = settings.Settings(database_url=url) if url else settings.from_environment()
    context.obj = context.with_resource(database.opened(chosen.database_url))


def main() -> None:
    """Run a command; a refusal is one message on standard error and exit code 2."""
    try:
        pooling(prog_name="pooling", standalone_mode=False)
    except PoolingError as refusal:
        click.echo(f"pooling: {refusal}", err=True)
        sys.exit(2)
    except click.ClickException as wrong_use:
        wrong_use.show()
        sys.exit(wrong_use.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
