"""The command that looks for contradictions in a database."""

import sys
from collections.abc import Mapping

import click

import pooling.tables  # noqa: F401 registers every subject's tables
from pooling.commandline import as_it_stands
from pooling.database import reading
from pooling.errors import counted
from pooling.invariants import agreements, cycles, demand, ledgers, planning, references
from pooling.invariants.violation import Check

CHECKS: Mapping[str, Check] = {
    "references": references.references,
    "submissions": demand.submissions,
    "lines": demand.lines,
    "cycles": cycles.cycles,
    "snapshots": planning.snapshots,
    "plans": planning.plans,
    "pools": planning.pools,
    "tenders": agreements.tenders,
    "call-offs": agreements.call_offs,
    "audit": ledgers.audit,
    "feed": ledgers.changes,
    "jobs": ledgers.jobs,
}
"""All that must hold, by the name that a violation is told under."""


@click.command()
@click.option("--only", multiple=True, type=click.Choice(sorted(CHECKS)), help="Check this alone; may be repeated.")
@click.pass_context
def check(context: click.Context, /, only: tuple[str, ...]) -> None:
    """Look for contradictions: one line for each, and exit code 1 where there is one. The service may go on."""
    chosen = [name for name in CHECKS if not only or name in only]
    found = 0
    with as_it_stands(context) as engine, reading(engine) as session:
        for name in chosen:
            for violation in CHECKS[name](session):
                found += 1
                click.echo(f"{name}: {violation.place}: {violation.message}")
    click.echo(f"{counted(len(chosen), 'invariant')} looked at, {counted(found, 'violation')}", err=True)
    if found:
        sys.exit(1)


COMMANDS = (check,)
