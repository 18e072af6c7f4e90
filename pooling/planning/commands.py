"""Commands of planning: `pooling plan`, `pooling volume`, `pooling show`, `pooling export`."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from pooling.commandline import as_called, pass_engine, screen
from pooling.database import reading
from pooling.errors import BadInput
from pooling.planning import console, exports, service
from pooling.planning.views import PlanView
from pooling.reference import service as reference
from solver.plan import OPTIMAL_GAP

MOST_DETAILED = 5

policy_option = click.option(
    "--policy", "path", type=click.Path(path_type=Path), help="Policy (TOML); left out: the packaged default."
)


@click.command()
@policy_option
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for the optimiser.")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes for the optimiser.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--gap", type=float, default=OPTIMAL_GAP, show_default=True, help="Proven gap that is good enough.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the plan's files.")
@pass_engine
def plan(engine: Engine, /, *, path: Path | None, out: Path | None, **effort: float) -> None:
    """Make a plan from the live demand, the offers and a policy; the same question gives the same plan."""
    now = datetime.now(UTC)
    policy = _policy(engine, path, now)
    wanted = service.Effort(
        time_limit_s=effort["time_limit"], workers=int(effort["workers"]), seed=int(effort["seed"]), gap=effort["gap"]
    )
    with console.SolveProgress() as progress:
        made = service.make_plan(engine, policy, now=now, effort=wanted, on_progress=progress)
    with reading(engine) as session:
        view = service.view_plan(session, str(made.plan))
        files = service.export_plan(session, str(made.plan), out) if out else []
    if made.again:
        click.echo("this question was answered before; the stored plan stands")
    if not view.totals.lines:
        click.echo(as_called("there is no live demand to plan: load some with `pooling load FILE`"))
    _show(view, MOST_DETAILED)
    _written(files)
    short = str(made.plan)[:8]
    steps = f"`pooling show {short} --pools 0` (all in detail), `pooling export {short} --out FOLDER`, `pooling volume`"
    click.echo(f"next: {as_called(steps)}")


def _policy(engine: Engine, path: Path | None, now: datetime) -> service.Policy:
    """The policy in the file, with what it names looked up in the reference data."""
    with reading(engine) as session:
        codes = service.policy_codes(session)
    return service.read_policy(path, today=now.date(), codes=codes)


@click.command()
@policy_option
@click.option("--out", type=click.Path(path_type=Path), help="CSV file for all rows.")
@pass_engine
def volume(engine: Engine, /, *, path: Path | None, out: Path | None) -> None:
    """Show the volume to take to market: by category and criteria set, the largest sure volume and who makes it up."""
    if out is not None and not out.absolute().parent.is_dir():
        raise BadInput(f"{out}: there is no folder {out.parent}; make it first, or give another place")
    policy = _policy(engine, path, datetime.now(UTC))
    with reading(engine) as session:
        rows = service.volume_to_market(session, policy)
        names = {key: record.name for key, record in reference.categories(session).items()}
    console.print_volume(screen(), rows, names)
    if out:
        _written(exports.write(out.parent, {out.name: exports.volume_csv(rows, names)}))


@click.command()
@click.argument("name", metavar="[PLAN]", required=False)
@click.option("--pools", type=int, default=MOST_DETAILED, show_default=True, help="Pools in detail; 0: all.")
@pass_engine
def show(engine: Engine, /, *, name: str | None, pools: int) -> None:
    """Show a stored PLAN (the first characters of its id; default: the latest)."""
    with reading(engine) as session:
        view = service.view_plan(session, name)
    _show(view, pools or None)


@click.command()
@click.argument("name", metavar="PLAN")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@pass_engine
def export(engine: Engine, /, *, name: str, out: Path) -> None:
    """Write a stored PLAN as report.html, plan.json, instance.json and the tables pools, lines and volume-to-market."""
    with reading(engine) as session:
        files = service.export_plan(session, name, out)
    _written(files)


def _show(view: PlanView, most_pools: int | None) -> None:
    out = screen()
    console.print_overview(out, view)
    console.print_plan(out, view, most_pools=most_pools)


def _written(files: list[Path]) -> None:
    for file in files:
        click.echo(f"wrote {file}")


COMMANDS = (plan, volume, show, export)
