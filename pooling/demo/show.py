"""The demonstration on the console: progress while it runs, then what came of it and what to try next."""

import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pooling.commandline import program
from pooling.demand.results import Loaded
from pooling.demo import folder
from pooling.demo.make import Demonstration, Sent
from pooling.demo.service import NOTICE, Doubt, Outcome
from pooling.planning.console import SolveProgress, print_plan
from pooling.planning.pool_views import PoolView
from pooling.planning.report import market_volumes
from pooling.planning.views import PlanView
from pooling.web import figures
from solver import Progress as SolverProgress

MOST_VOLUMES = 12
MOST_DETAILED = 3


class Follow:
    """Follows a run on the console: a watcher as ``service.run`` wants it; the ``with`` ends its progress bar."""

    def __init__(self, console: Console, out: Path) -> None:
        self._console = console
        self._out = out
        self._bar = Progress(
            TextColumn("loading"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[file]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("loading", total=None, file="")

    def __enter__(self) -> "Follow":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def wrote(self, made: Demonstration) -> None:
        rows = sum(sent.rows for sent in made.sent)
        said = f"{len(made.sent)} demand files with {rows:,} rows, {made.offers} offers and a policy are in {self._out}"
        self._console.print(Text(said))
        self._bar.update(self._task, total=len(made.sent) + len(made.corrected))
        self._bar.start()

    def loading(self, sent: Sent) -> None:
        self._bar.update(self._task, file=f"{sent.path}, {sent.sender.name}")

    def loaded(self, sent: Sent, result: Loaded) -> None:
        self._bar.advance(self._task)

    def doubted(self, doubts: Sequence[Doubt]) -> None:
        """The bar shows the files that come again after this."""

    @contextmanager
    def solving(self) -> Iterator[Callable[[SolverProgress], None]]:
        self._bar.stop()
        with SolveProgress(self._console) as progress:
            yield progress


def show(console: Console, outcome: Outcome, out: Path) -> None:
    """Everything that came of a run, from the intake to the commands to try next."""
    console.print(_intake(outcome))
    if outcome.doubts:
        console.print(_doubts(outcome))
    console.print(_pools(outcome.plan))
    print_plan(console, outcome.plan, most_pools=MOST_DETAILED)
    console.print(_volumes(outcome))
    made_up(console)
    seconds = ", ".join(f"{stage} {took:.1f} s" for stage, took in outcome.seconds.items())
    console.print(Text(f"took {sum(outcome.seconds.values()):.0f} s: {seconds}", style="dim"))
    _next(console, outcome, out)


def made_up(console: Console) -> None:
    """The notice that stands before and after everything shown."""
    console.print(Panel(Text(NOTICE), title="made up", border_style="yellow"))


def table_of(
    title: str, columns: Sequence[str], *, numbers: Collection[str] = (), whole: Collection[str] = ()
) -> Table:
    """A table without a frame; the columns in ``numbers`` stand to the right, those in ``whole`` are never broken."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=0)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in {*numbers, *whole})
    return table


def _intake(outcome: Outcome) -> Table:
    """What was not loaded and why, a row for each slip found."""
    first = list(zip(outcome.made.sent, outcome.loads))
    rows = sum(result.rows_read for _, result in first)
    lines = sum(result.lines_made for _, result in first)
    title = f"{rows:,} rows were read, {lines:,} became lines; these did not"
    table = table_of(
        title, ("file", "row", "value", "what is wrong, and what to do"), numbers=("row",), whole=("file",)
    )
    for sent, result in first:
        for fault in result.faults:
            table.add_row(sent.path, str(fault.row), Text(fault.value), Text(f"{fault.what}; {fault.remedy}"))
        for waiting in result.waiting:
            near = ", ".join(key for key, _ in waiting.candidates[:2])
            says = f"{figures.in_words(waiting.reason)}: waits for a mapping{f'; closest: {near}' if near else ''}"
            table.add_row(sent.path, str(waiting.first_row), Text(waiting.value), Text(says))
    return table


def _doubts(outcome: Outcome) -> Table:
    """Figures that stood out; those who sent them were asked and have sent corrected files."""
    again = {sent.sender.code for sent in outcome.made.corrected}
    left = set(outcome.doubts_left)
    title = "Figures that stood out among peers (nothing was changed)"
    table = table_of(title, ("sender", "row", "category", "doubt", "then"), numbers=("row",), whole=("sender",))
    for doubt in outcome.doubts:
        factor = f", likely a pack of {doubt.likely_pack_factor}" if doubt.likely_pack_factor else ""
        then = "stands" if doubt in left else "corrected file loaded" if doubt.sender in again else "gone"
        words = f"{doubt.kind} {doubt.direction}{factor}"
        table.add_row(doubt.sender, str(doubt.row), Text(outcome.names[doubt.category]), words, then)
    return table


def _pools(plan: PlanView) -> Table:
    """All pools, a row each; cash saving and valued benefit apart, in EUR million."""
    numbers = ("no.", "who", "lots", "spend", "cash", "valued", "CO2e")
    title = "Proposed pools: spend in EUR m a year, cash saving and valued benefit in EUR m, CO2e in t a year"
    table = table_of(title, ("no.", "family", "start", "lead", *numbers[1:]), numbers=numbers, whole=("start", "lead"))
    for pool in plan.pools:
        table.add_row(*map(Text, _pool(pool)))
    signed: dict[str, set[str]] = {}
    for pool in plan.pools:
        if pool.signing_body.code != pool.lead:
            signed.setdefault(pool.signing_body.name, set()).add(pool.lead)
    said = "; ".join(f"{' '.join(sorted(leads))}: signed by {body}" for body, leads in sorted(signed.items()))
    table.caption, table.caption_justify = Text(said), "left"
    return table


def _pool(pool: PoolView) -> list[str]:
    money = (pool.spend_eur_per_year, pool.gain.savings_eur, pool.gain.green_value_eur)
    return [
        str(pool.number),
        figures.in_words(pool.family),
        pool.start,
        pool.lead,
        str(len(pool.members)),
        str(len(pool.lots)),
        *(f"{amount / 1e6:.2f}" for amount in money),
        figures.whole(pool.co2_saved_tonnes_per_year),
    ]


def _volumes(outcome: Outcome) -> Table:
    """The categories with most spend and what their participants could buy together, offer or no offer."""
    found = market_volumes(outcome.volumes, outcome.names)
    title = f"Volume to take to market: {min(len(found), MOST_VOLUMES)} of {len(found)} categories"
    numbers = ("sure a year", "EUR a year", "who")
    table = table_of(title, ("category", "criteria", "start", *numbers), numbers=numbers, whole=("start",))
    for volume in found[:MOST_VOLUMES]:
        row = volume.rows[0]
        sure, spend = figures.amount(row.sure_quantity, row.unit), figures.compact(row.spend_eur_per_year)
        criteria = " ".join(row.criteria) or "none asked"
        table.add_row(*map(Text, (volume.name, criteria, row.start, sure, spend, str(len(row.participants)))))
    return table


def commands_to_try(outcome: Outcome, out: Path) -> list[tuple[str, str]]:
    """Commands that work as they stand where the demonstration was run, each with what it is for."""
    run = program()
    database = f"{run} --database {shlex.quote(f'sqlite:///{out / folder.DATABASE}')}"
    policy = shlex.quote(str(out / folder.POLICY))
    first = outcome.made.sent[0]
    mapping = f" --mapping {shlex.quote(str(out / first.mapping))}" if first.mapping else ""
    return [
        (f"{run} look {shlex.quote(str(out / first.path))}{mapping}", "how a region's file is written"),
        (f"{database} submissions", "what was sent, and what became of it"),
        (f"{database} show {str(outcome.plan.id)[:8]}", "the plan with every pool and lot"),
        (f"{database} offers list", "what suppliers might answer"),
        (f"{database} volume --policy {policy}", "what to carry to the market dialogue"),
        (f"{database} plan --policy {policy} --seed 2", "plan again with another seed"),
        (f"{database} serve", "the web service on the same data"),
    ]


def _next(console: Console, outcome: Outcome, out: Path) -> None:
    console.print(Text(f"\nRead {out / folder.REPORT} in a browser. Then try:", style="bold"))
    for command, why in commands_to_try(outcome, out):
        console.print(Text.assemble(("  " + command, "cyan"), ("  # " + why, "dim")), soft_wrap=True)
