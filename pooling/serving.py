"""Commands that run the service: serve it, and bring its database up to date first."""

import gc
from dataclasses import replace

import click
import msgspec
import uvicorn
from sqlalchemy import Engine
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pooling import logs, problems
from pooling.app import create_app
from pooling.commandline import pass_engine
from pooling.database import transaction
from pooling.observing import HEADERS
from pooling.reference import service
from pooling.schema import migrate
from pooling.settings import from_environment

IDLE_S = 30
"""A connection on which nothing is asked for so long is closed."""
CONNECTIONS = 1000
COLLECTED_AFTER = (5_000, 5, 5)
"""Objects, and younger collections, before each of the interpreter's three collections of cycles."""


class Protocol(HttpToolsProtocol):
    """HTTP, whose own refusals are problems too: of what is no request, no application is asked."""

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that cannot be read as a request, and hang up."""
        problem = problems.unreadable()
        content = msgspec.json.encode(problem)
        headers = (
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
            (b"x-request-id", problem.request_id.encode()),
            *HEADERS,
        )
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + content)
        self.transport.close()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Do jobs in this process too.")
@pass_engine
def serve(engine: Engine, host: str, port: int, *, worker: bool) -> None:
    """Serve the API until interrupted; its description is at /schema."""
    with transaction(engine) as session:
        service.install(session)
    url = engine.url.render_as_string(hide_password=False)
    settings = replace(from_environment(), database_url=url)
    app = create_app(settings, worker=worker)
    spare_collections()
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=Protocol,
        server_header=False,
        log_config=logs.config(settings.log_level),
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=",".join(settings.proxies),
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=settings.grace_seconds,
        limit_concurrency=CONNECTIONS,
    )


def spare_collections() -> None:
    """Have the interpreter look for cycles less often, and not among what is there by now: it lives for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


@click.group()
def database() -> None:
    """The database of the service."""


@database.command("migrate")
@pass_engine
def migrate_database(engine: Engine) -> None:
    """Bring the schema and the packaged reference data up to date; safe to repeat."""
    migrate(engine)
    with transaction(engine) as session:
        changes = service.install(session)
    click.echo(f"database is up to date; reference data: {changes.added} added, {changes.updated} updated")


COMMANDS = (serve, database)
