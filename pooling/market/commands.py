"""Commands about what suppliers offer: `pooling offers load|list|fit`."""

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import Engine

from pooling.commandline import as_called, pass_engine, screen
from pooling.database import reading
from pooling.errors import counted
from pooling.market import files, service
from pooling.market.rules import ABSOLUTE, MICRO, OfferRecord
from pooling.transactions import written


@click.group()
def offers() -> None:
    """What the market can supply, from which volume and at what price."""


@offers.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@pass_engine
def load(engine: Engine, file: Path) -> None:
    """Load the offers of a CSV, XLSX or TOML FILE (format: docs/offers.md)."""
    with written(engine, actor=None, operation="offers.load", now=datetime.now(UTC)) as opened:
        loaded = service.load_offers(opened.session, file, loaded_at=opened.now)
    click.echo(
        f"{loaded.file_name}: {counted(len(loaded.added), 'offer')} added, {len(loaded.replaced)} replaced,"
        f" {len(loaded.unchanged)} unchanged"
    )


@offers.command("list")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Only those that hold on this day; default: all.")
@pass_engine
def list_(engine: Engine, on: datetime | None) -> None:
    """Show the offers with tipping volume, price range, validity and source."""
    with reading(engine) as session:
        found = service.offers(session, on.date()) if on else service.all_offers(session)
    heads = ("offer", "category", "criteria", "tipping volume", "price", "range", "valid", "source, date")
    table = Table(*(Column(head, overflow="fold") for head in heads))
    for offer in found:
        table.add_row(*map(Text, _cells(offer)))
    screen().print(table if found else as_called("no offer; load some with `pooling offers load FILE`"))


def _cells(offer: OfferRecord) -> list[str]:
    first, last = offer.tiers[0], offer.tiers[-1]
    unit = offer.currency if offer.price_basis == ABSOLUTE else "x today's price"
    valid = f"{offer.valid_from or ''} to {offer.valid_to or ''}" if offer.valid_from or offer.valid_to else "open"
    return [
        offer.id,
        offer.category,
        " ".join(offer.criteria) or "none",
        f"{first.from_quantity.value:,}",
        f"{first.price.value / MICRO:g} to {last.price.value / MICRO:g} {unit}",
        f"{last.price.low / MICRO:g} to {first.price.high / MICRO:g}",
        valid,
        f"{first.price.source}, {first.price.source_date}",
    ]


@offers.command("fit")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Offer file (CSV) to write.")
@click.option("--min-lines", default=8, show_default=True, help="Fewest observed lines of a category.")
@click.option(
    "--share",
    "shares",
    multiple=True,
    default=(0.25, 0.5, 0.75),
    show_default=True,
    help="Where a tier starts, as a share of the category's yearly volume; the first is the tipping volume.",
)
@click.option("--criterion", "criteria", multiple=True, help="Criterion that the stand-in is assumed to meet.")
@click.option("--all-years", is_flag=True, help="Pair lines of all years: a price trend then counts as discount too.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Date of the figures; default: today.")
@pass_engine
def fit(
    engine: Engine,
    /,
    *,
    out: Path,
    min_lines: int,
    shares: tuple[float, ...],
    criteria: tuple[str, ...],
    all_years: bool,
    as_of: datetime | None,
) -> None:
    """Write stand-ins for offers, fitted on the observed prices and volumes of the live demand.

    They are no offers by suppliers, and say so. Categories without evidence of a falling price get none.
    """
    settings = service.FitSettings(
        source_date=(as_of or datetime.now(UTC)).date(),
        min_lines=min_lines,
        tier_shares=shares,
        criteria=criteria,
        within_year=not all_years,
    )
    with reading(engine) as session:
        fitted = service.fit_offers(session, settings)
    offered = [one.offer for one in fitted if one.offer]
    out.write_text(files.write_csv(offered), encoding="utf-8", newline="")
    table = Table("category", "lines", "slope", "offer")
    for one in fitted:
        table.add_row(
            one.category, str(one.lines), "" if one.slope is None else f"{one.slope:.3f}", one.reason or "fitted"
        )
    screen().print(table)
    then = as_called(f"`pooling offers load {out}`")
    click.echo(f"{out}: {len(offered)} of {counted(len(fitted), 'category', 'categories')}; review it, then {then}")


COMMANDS = (offers,)
