"""Plans and volumes on the console, for the commands and the demonstration."""

from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pooling.commandline import as_called
from pooling.errors import counted
from pooling.market.rules import VolumeRow
from pooling.planning.pool_views import Gain, LotView, PoolView
from pooling.planning.views import PlanView
from pooling.web import figures
from solver import Progress as SolverProgress

WIDE = 110  # columns
MOST_VOLUMES = 40
MOST_SETS = 3  # criteria sets of one category


def euros(amount: float) -> str:
    """An amount in EUR without decimals, grouped by thousands."""
    return f"{amount:,.0f}"


class SolveProgress:
    """A line on standard error that follows a solve: stage, families done, best total, bound and gap."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f} families"),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=console or Console(stderr=True),
        )
        self._task = self._progress.add_task("reading", total=1, figures="")

    def __enter__(self) -> "SolveProgress":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, step: SolverProgress) -> None:
        figures = [f"{name} EUR {euros(amount)}" for name, amount in _amounts(step) if amount is not None]
        figures += [f"gap {step.gap:.2%}"] if step.gap is not None else []
        self._progress.update(
            self._task,
            description=step.stage,
            completed=step.families_done,
            total=max(1, step.families),
            figures="  ".join(figures),
        )


def _amounts(step: SolverProgress) -> tuple[tuple[str, float | None], ...]:
    return ("best", step.best_total_eur), ("bound", step.bound_eur)


def _grid(title: str, *, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """A table whose words may break over lines; numbers stand to the right and stay whole."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_overview(console: Console, view: PlanView) -> None:
    """All pools, one row each; money in thousands of EUR. A narrow console leaves out what `show` has in detail."""
    wide = console.width >= WIDE
    table = _grid(
        "Proposed pools (money in thousand EUR; volume: the lot nearest to its tipping volume)",
        words=("", "family", "start", *(("notice by", "countries") if wide else ()), "lead"),
        numbers=("members", "volume", *(("spend/year",) if wide else ()), "cash", "valued", "t CO2e/year"),
    )
    for pool in view.pools:
        table.add_row(*map(Text, _overview(pool, wide=wide)))
    console.print(table if view.pools else "no pool is worth proposing; below is why")


def _overview(pool: PoolView, *, wide: bool) -> list[str]:
    return [
        str(pool.number),
        pool.family,
        pool.start,
        *([pool.notice_by.isoformat(), " ".join(pool.countries)] if wide else []),
        pool.signing_body.code,
        str(len(pool.members)),
        f"{min(lot.sure_quantity / lot.tipping_quantity for lot in pool.lots):.0%}",
        *([euros(pool.spend_eur_per_year / 1000)] if wide else []),
        euros(pool.gain.savings_eur / 1000),
        euros(pool.gain.green_value_eur / 1000),
        f"{pool.co2_saved_tonnes_per_year:,.0f}",
    ]


def print_plan(console: Console, view: PlanView, *, most_pools: int | None = None) -> None:
    """Totals, pools with their lots, what stayed out and why, warnings, and how the plan was made."""
    console.print(_totals(view))
    shown = view.pools[:most_pools]
    for pool in shown:
        console.print(_pool(pool))
    if len(shown) < len(view.pools):
        console.print(f"... and {counted(len(view.pools) - len(shown), 'more pool')}")
    if view.reasons or view.excluded:
        console.print(_out(view))
    for warning in view.warnings:
        console.print(Text(f"! {warning}", style="yellow"))
    console.print(Text(_made(view), style="dim"))


def _totals(view: PlanView) -> Panel:
    totals, table = view.totals, Table.grid(padding=(0, 2))
    members = counted(totals.participants_pooled, "participant")
    lead = counted(view.lead_time_months, "month") + (f" ({view.lead_time_reason})" if view.lead_time_reason else "")
    facts = [
        ("pools", f"{totals.pools:,} with {counted(totals.lots, 'lot')}, {members}"),
        ("lines pooled", f"{totals.lines_pooled:,} of {totals.lines:,}"),
        ("spend pooled", f"EUR {euros(totals.spend_pooled_eur_per_year)} of {euros(totals.spend_eur_per_year)} a year"),
        *_gain(totals.gain),
        ("CO2e saved", f"{totals.co2_saved_tonnes_per_year:,.0f} tonnes a year"),
        ("horizon", f"{counted(view.horizon_months, 'month')} from {view.horizon_start}; lead time {lead}"),
    ]
    for name, value in facts:
        table.add_row(Text(name, style="bold"), Text(value))
    return Panel(table, title=f"Plan {view.id}", expand=False)


def _gain(gain: Gain) -> list[tuple[str, str]]:
    saving = "cash saving" if gain.savings_eur >= 0 else "green premium"
    return [
        (saving, f"EUR {euros(abs(gain.savings_eur))} over the terms"),
        ("valued benefit", f"EUR {euros(gain.green_value_eur)} (carbon and criteria, at the policy's worth)"),
        ("costs", f"EUR {euros(gain.bridging_cost_eur)} bridging, {euros(gain.set_up_cost_eur)} set-up"),
        ("net", f"EUR {euros(gain.net_eur)}"),
    ]


def _pool(pool: PoolView) -> Panel:
    body = pool.signing_body
    signs = "" if body.code == pool.lead else f", signed by {body.name}"
    members = ", ".join(member.participant for member in pool.members)
    words = [
        f"lead {pool.lead} {pool.lead_name}{signs}; law: {body.law}; language: {body.language}",
        f"dialogue from {pool.dialogue_from}, notice by {pool.notice_by}, award by {pool.award_by}",
        f"{counted(len(pool.members), 'member')} in {' '.join(pool.countries)}: {members}",
        ", ".join(
            [
                f"cash EUR {euros(pool.gain.savings_eur)}",
                f"valued benefit EUR {euros(pool.gain.green_value_eur)}",
                f"costs EUR {euros(pool.gain.bridging_cost_eur + pool.gain.set_up_cost_eur)}",
                f"CO2e {pool.co2_saved_tonnes_per_year:,.0f} t a year",
            ]
        ),
    ]
    table = Table("category", "unit", "volume", "sure", "tipping", "tier", "price EUR", "cash", "valued", box=None)
    for lot in pool.lots:
        table.add_row(*map(Text, _lot(lot)))
    notes = [Text(f"! {warning}", style="yellow") for warning in pool.warnings]
    title = f"{pool.number}. {pool.family}, start {pool.start}, EUR {euros(pool.spend_eur_per_year)} a year"
    return Panel(Group(*map(Text, words), table, *notes), title=Text(title), title_align="left")


def _lot(lot: LotView) -> list[str]:
    return [
        lot.category_name,
        figures.unit_words(lot.unit),
        f"{lot.quantity:,}",
        f"{lot.sure_quantity:,.0f}",
        f"{lot.tipping_quantity:,}",
        f"{lot.tier + 1} of {len(lot.offer.tiers)}",
        f"{lot.unit_price_eur:.4g}",
        euros(lot.gain.savings_eur),
        euros(lot.gain.green_value_eur),
    ]


def _out(view: PlanView) -> Table:
    table = Table("stayed out", "lines", "spend EUR a year", "for example", title="What stayed out and why")
    for reason, count in view.reasons:
        lines = [line for line in view.unpooled if line.reason == reason]
        largest = max(lines, key=lambda line: line.spend_eur_per_year)
        example = f"{largest.participant}, {largest.category_name}: {largest.words}"
        spend = sum(line.spend_eur_per_year for line in lines)
        table.add_row(reason, str(count), euros(spend), Text(example))
    for kind in sorted({(one.kind, one.reason) for one in view.excluded}):
        ones = [one for one in view.excluded if (one.kind, one.reason) == kind]
        table.add_row(kind[1], counted(len(ones), kind[0]), "", Text(f"{ones[0].id}: {ones[0].words}"))
    return table


def _made(view: PlanView) -> str:
    how = view.how
    return (
        f"{how.status}: total EUR {euros(how.objective_eur)}, no plan can exceed {euros(how.bound_eur)}"
        f" (gap {how.gap:.3%}); {how.runtime_s:.1f} s, seed {how.seed}, workers {how.workers},"
        f" optimiser {how.solver_version}; snapshot {how.snapshot[:12]} as of {how.as_of}, policy {how.policy_name}"
    )


def print_volume(console: Console, rows: Sequence[VolumeRow], names: Mapping[str, str]) -> None:
    """The best start of each category and criteria set: categories with most spend first, at most three sets each."""
    shown = _best(rows)
    table = _grid(
        "Volume to take to market: the best start of each category and criteria set",
        words=("category", "criteria", "start", "who"),
        numbers=("sure volume/year", "thousand EUR/year"),
    )
    for row in shown[:MOST_VOLUMES]:
        largest = ", ".join(participant for participant, _ in row.participants[:3])
        table.add_row(
            Text(names.get(row.category, row.category)),
            Text(" ".join(row.criteria) or "none"),
            Text(row.start, no_wrap=True),
            Text(f"{len(row.participants)} ({counted(row.authorities, 'authority', 'authorities')}): {largest}"),
            Text(f"{row.sure_quantity:,.0f} {figures.unit_words(row.unit)}"),
            Text(euros(row.spend_eur_per_year / 1000)),
        )
    console.print(table)
    every = as_called("`pooling volume --out FILE.csv` writes all")
    console.print(f"{min(len(shown), MOST_VOLUMES)} of {counted(len(rows), 'row')}; {every}")


def _best(rows: Sequence[VolumeRow]) -> list[VolumeRow]:
    by_category: dict[str, list[VolumeRow]] = {}
    for row in rows:
        if row.best:
            by_category.setdefault(row.category, []).append(row)
    spend = {category: max(row.spend_eur_per_year for row in found) for category, found in by_category.items()}
    ordered = sorted(by_category, key=lambda category: (-spend[category], category))
    largest = {
        category: sorted(found, key=lambda row: (-row.sure_quantity, row.criteria))[:MOST_SETS]
        for category, found in by_category.items()
    }
    return [row for category in ordered for row in largest[category]]
