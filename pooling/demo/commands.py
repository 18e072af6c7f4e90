"""`pooling demo`: from demand files to proposed pools in one command, with a database of its own."""

import os
from pathlib import Path

import click

from pooling.commandline import screen
from pooling.demo import cycle, cycle_show, service, show
from pooling.planning.service import Effort

GOOD_ENOUGH = 0.01
"""Proven gap at which the demonstration stops looking."""


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("nordic-demo"),
    show_default=True,
    help="Folder to make; an earlier demonstration in it is made anew.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of all that is made up.")
@click.option("--time-limit", type=float, default=45.0, show_default=True, help="Seconds for the optimiser.")
@click.option("--workers", type=int, help="Processes for the optimiser; default: one a processor, at most 8.")
@click.option(
    "--cycle",
    "whole_cycle",
    is_flag=True,
    help="Go on over HTTP to joint tenders: invitations, answers, a repair, hand-over, call-offs.",
)
def demo(out: Path, seed: int, time_limit: float, workers: int | None, *, whole_cycle: bool) -> None:
    """Show the whole way on made-up Nordic demand: files as regions send them, loaded, planned and reported."""
    effort = Effort(time_limit_s=time_limit, workers=workers or min(8, os.cpu_count() or 1), seed=seed, gap=GOOD_ENOUGH)
    console = screen()
    show.made_up(console)
    if whole_cycle:
        done = cycle.run(out, seed=seed, effort=effort, watcher=cycle_show.Follow(console, out))
        cycle_show.show(console, done, out)
        return
    with show.Follow(console, out) as follow:
        outcome = service.run(out, seed=seed, effort=effort, watcher=follow)
    show.show(console, outcome, out)


COMMANDS = (demo,)
