"""A cycle's demonstration on the console: each step with its day, then a handed-over tender and its consequences."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pooling.commandline import program
from pooling.demo import folder
from pooling.demo.cycle import Outcome
from pooling.demo.cycle_agreements import Agreement, Effects
from pooling.demo.cycle_demand import CYCLE
from pooling.demo.cycle_site import Document
from pooling.demo.cycle_tenders import Repaired, called, in_words
from pooling.demo.make import Demonstration, Sent
from pooling.demo.show import made_up, table_of
from pooling.errors import counted
from pooling.planning.console import SolveProgress
from pooling.web import figures
from solver import Progress as SolverProgress

BY_BUYER = "estimate-and-maximum"
"""The rule that is shown as a table of its own."""
SAID = ("yes", "unknown", "not-in-force")
MOST_CATEGORIES = 12
ADDRESS = "http://127.0.0.1:8000"
"""Where `pooling serve` answers."""


class Follow:
    """Follows a cycle on the console: a watcher as ``cycle.run`` wants it."""

    def __init__(self, console: Console, out: Path) -> None:
        self._console = console
        self._out = out

    def wrote(self, made: Demonstration) -> None:
        said = f"{len(made.sent)} demand files, {made.offers} offers and a policy are in {self._out}"
        self._console.print(Text(f"{said}; the service runs on this machine, by a clock that is set forward"))

    def told(self, day: date, words: str) -> None:
        self._console.print(Text.assemble((f"{day}  ", "cyan"), words))

    def stage(self, files: Iterable[Sent], words: str) -> Iterator[Sent]:
        columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
        waiting = list(files)
        quiet = not self._console.is_terminal
        said = TextColumn(f"{words:<9}")
        with Progress(said, *columns, console=self._console, transient=True, disable=quiet) as bar:
            task = bar.add_task(words, total=len(waiting))
            for each in waiting:
                yield each
                bar.advance(task)

    @contextmanager
    def solving(self) -> Iterator[Callable[[SolverProgress], None]]:
        with SolveProgress(self._console) as progress:
            yield progress


def show(console: Console, outcome: Outcome, out: Path) -> None:
    """What came of a cycle: a tender that was handed over with its consequences, the effect, what to try next."""
    if outcome.agreement is None:
        console.print("no tender came as far as the hand-over; above is why")
    else:
        _show_agreement(console, outcome.agreement, outcome)
    console.print(_effect(outcome.effects, outcome))
    for words in _effect_words(outcome.effects):
        console.print(Text(words))
    console.print(
        Text(f"\n{counted(outcome.notices, 'notice')} told the planners what happened; members have their own")
    )
    made_up(console)
    seconds = ", ".join(f"{stage} {took:.1f} s" for stage, took in outcome.seconds.items())
    console.print(Text(f"took {sum(outcome.seconds.values()):.0f} s: {seconds}", style="dim"))
    _next(console, outcome, out)


def _show_agreement(console: Console, agreement: Agreement, outcome: Outcome) -> None:
    console.print(_heading(agreement, outcome.repaired))
    console.print(_lots(agreement, outcome))
    console.print(_law(agreement.consequences))
    console.print(_buyers(agreement, outcome))
    for words in (agreement.warning, agreement.refusal):
        if words is not None:
            console.print(Text(f"! {words}", style="yellow"))


def _heading(agreement: Agreement, repaired: Sequence[Repaired]) -> Panel:
    """Who buys what with whom from when, and how it came to that."""
    tender = agreement.tender
    facts = [
        (
            "agreement",
            f"{figures.in_words(tender['family'])}, {tender['starts_on']} until before {tender['ends_before']}",
        ),
        ("lead", f"{tender['lead']}, signed by {tender['signing_body']}; depth: {tender['depth']}"),
        ("members", ", ".join(_member(each) for each in tender["members"])),
        ("its way", ", ".join(_steps(agreement.history))),
        ("entered", _entered(tender["facts"])),
    ]
    for one in repaired:
        if one.tender == tender["id"]:
            gone = " and ".join(one.declined)
            facts.append(("declined", f"{gone}; then: {one.short}"))
            facts.append(("repaired", f"{in_words(one.option)} (of {counted(one.of, 'option')})"))
    standing = agreement.standing["committed"]
    cash = sum(each["cash_eur"] for each in standing["members"] if each["counted"])
    valued = sum(each["valued_eur"] for each in standing["members"] if each["counted"])
    worth = f"cash EUR {figures.whole(cash)}, with what green is worth EUR {figures.whole(valued)} over the term"
    facts.append(("worth", f"{worth}; for each member both are checked"))
    table = Table.grid(padding=(0, 2))
    for name, words in facts:
        table.add_row(Text(name, style="bold"), Text(words))
    return Panel(table, title=Text(f"handed over: {called(tender)}"), expand=False)


def _entered(entered: Document) -> str:
    """What planners entered for the law to be asked about, in words."""
    central = "a" if entered["central_government"] else "no"
    shares = [each["buying_share"] for each in entered["categories"].values() if each["buying_share"] is not None]
    weight, most = entered["environment_weight"] or 0, max(shares, default=0)
    return (
        f"{central} central government authority, environment weighs {weight:.0%} of the award,"
        f" the buyers' share of a category at most {most:.1%} (made up)"
    )


def _member(member: Document) -> str:
    role = "" if member["role"] == "member" else f" ({member['role']})"
    return f"{member['participant']}{role} {member['answer']}"


def _steps(history: Iterable[Document]) -> list[str]:
    """The steps of its life with their days; answers are not told one by one."""
    steps = dict.fromkeys((each["to_status"], each["at"][:10]) for each in history if each["what"] != "answered")
    first: dict[str, str] = {}
    for status, day in steps:
        first.setdefault(status, day)
    return [f"{status} {day}" for status, day in first.items()]


def _lots(agreement: Agreement, outcome: Outcome) -> Table:
    numbers = ("a year", "sure", "tipping", "tier", "EUR each")
    table = table_of("Lots", ("category", "offer", "criteria", *numbers), numbers=numbers)
    for lot in agreement.tender["lots"]:
        quantities = [figures.compact(lot[name]) for name in ("quantity_per_year", "sure_quantity", "tipping_quantity")]
        name, criteria = outcome.names[lot["category"]], " ".join(lot["criteria"])
        tier = str(lot["tier"] + 1)
        table.add_row(
            *map(Text, (name, lot["offer_name"], criteria, *quantities, tier, f"{lot['unit_price_eur']:.4g}"))
        )
    return table


def _law(consequences: Document) -> Table:
    """What applies, or may: why, and what follows. What is shown by buyer has a table of its own."""
    found = [each for each in consequences["items"] if not (each["rule"] == BY_BUYER and each["participants"])]
    table = table_of(
        f"The law on {consequences['on']}, the day of the notice", ("rule", "applies", "why", "what follows")
    )
    for each in sorted(found, key=lambda one: SAID.index(one["applies"]) if one["applies"] in SAID else len(SAID)):
        if each["applies"] in SAID:
            says = each["applies"] + ("" if each["severity"] == "note" else f", {each['severity']}")
            unread = "" if each["verified"] else " (source not verified)"
            row = (each["title"] + unread, says, each["why"], each["follows"])
            table.add_row(*map(Text, row), style="" if each["severity"] == "note" else "yellow")
    others = sorted({each["title"] for each in found if each["applies"] not in SAID})
    table.caption, table.caption_justify = Text(f"does not apply: {'; '.join(others)}" if others else ""), "left"
    return table


def _buyers(agreement: Agreement, outcome: Outcome) -> Table:
    """Estimate and maximum of each buyer over the term, and what it has called off since."""
    numbers = ("estimate", "maximum", "EUR estimated", "EUR at most", "called off", "left")
    title = f"The buyers over the whole term, after {counted(agreement.call_offs, 'call-off')}"
    table = table_of(title, ("buyer", "category", *numbers, "standing"), numbers=numbers, whole=("buyer", "standing"))
    for each in agreement.allowances["buyers"]:
        quantities = [figures.whole(each[f"{name}_quantity"]) for name in ("estimate", "maximum")]
        euros = [figures.whole(float(each[f"{name}_value_eur"])) for name in ("estimate", "maximum")]
        since = [figures.whole(each[f"{name}_quantity"]) for name in ("called_off", "left")]
        name = outcome.names[each["category"]]
        style = "" if each["standing"] == "within" else "yellow"
        row = (each["participant"], name, *quantities, *euros, *since, each["standing"])
        table.add_row(*map(Text, row), style=style)
    return table


def _effect(effects: Effects, outcome: Outcome) -> Table:
    """Planned over the terms and called off so far, of all agreements of the cycle."""
    numbers = ("spend today", "saved", "t CO2e (range)", "called off", "saved so far", "t CO2e so far")
    rows = sorted(effects.inside["rows"], key=lambda each: -each["planned"]["spend_today_eur"])
    shown = min(len(rows), MOST_CATEGORIES)
    title = f"Effect over the terms in EUR: {shown} of {counted(len(rows), 'category', 'categories')}"
    table = table_of(title, ("category", *numbers), numbers=numbers)
    for each in [*rows[:MOST_CATEGORIES], effects.inside["total"]]:
        planned, done = each["planned"], each["called_off"]
        table.add_row(
            Text(outcome.names.get(each["key"], "all of the cycle")),
            figures.whole(planned["spend_today_eur"]),
            figures.whole(planned["cash_saving_eur"]),
            f"{figures.whole(planned['co2_saved_tonnes'])} ({_range(planned)})",
            figures.whole(done["spend_eur"]),
            figures.whole(done["cash_saving_eur"]),
            figures.whole(done["co2_saved_tonnes"]),
            style="bold" if each is effects.inside["total"] else "",
        )
    return table


def _range(sums: Document) -> str:
    return "–".join(figures.whole(sums[f"co2_saved_{end}_tonnes"]) for end in ("low", "high"))


def _effect_words(effects: Effects) -> list[str]:
    """Criteria and substances of what is planned, and what everybody is told."""
    planned = effects.inside["total"]["planned"]
    criteria = sorted(planned["criteria"], key=lambda each: -each["share"])
    said = [f"{each['name']} {figures.percent(each['share'])}" for each in criteria]
    found = [f"criteria met, by spend: {'; '.join(said) or 'none'}"]
    for each in planned["substances"]:
        units = ", ".join(figures.amount(one["quantity"], one["unit"]) for one in each["units"])
        found.append(f"free of {each['name']}: {units}")
    total = effects.public["total"]["planned"]
    told = "nothing yet" if total is None else f"EUR {figures.whole(total['spend_today_eur'])} in all, no participant"
    return [*found, f"at /v1/public/effect everybody is told, as of {effects.public['as_of']}: {told}"]


def commands_to_try(outcome: Outcome, out: Path) -> list[tuple[str, str]]:
    """Commands that work as they stand where the demonstration was run, each with what it is for."""
    database = f"{program()} --database {shlex.quote(f'sqlite:///{out / folder.DATABASE}')}"
    return [
        (f"{database} admin key {outcome.reader} --label mine", "a planner's key, shown once"),
        (f"{database} serve", "the web service on all of it; in another window, with that key:"),
        (
            f"curl -H 'Authorization: Bearer KEY' '{ADDRESS}/v1/tenders?cycle={CYCLE}'",
            f"all else: {ADDRESS}/schema",
        ),
        (f"{database} show {outcome.plan[:8]}", "the plan with every pool and lot"),
        (f"{database} check", "look for contradictions in all that was done"),
    ]


def _next(console: Console, outcome: Outcome, out: Path) -> None:
    console.print(Text(f"\nRead {out / folder.REPORT} in a browser. Then try:", style="bold"))
    for command, why in commands_to_try(outcome, out):
        console.print(Text.assemble(("  " + command, "cyan"), ("  # " + why, "dim")), soft_wrap=True)
