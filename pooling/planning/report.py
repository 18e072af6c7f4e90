"""The plan as one self-contained page: HTML with its style and pictures inside, no script, nothing fetched.

Pure: frozen views in, text out. The template is ``pooling/web/templates/report.html.j2``; everything that comes from
data is escaped there, and pictures are escaped where they are built.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pooling.market.rules import VolumeRow
from pooling.planning.pool_views import LotView, MemberView, OfferView, PoolView
from pooling.planning.views import PlanView, UnpooledView
from pooling.planning.words import REMEDIES, meaning
from pooling.web import figures
from pooling.web.levels import Level, volumes
from pooling.web.timeline import Span, timeline

MOST_LEVELS = 40  # lots in the open picture, the rest in a second one that unfolds
MOST_EXAMPLES = 5  # lines shown for each reason
MOST_CATEGORIES = 30  # categories with their volume to take to market
MADE_UP = "made up"  # words by which a source says that there is none
MOST_SETS = 3  # criteria sets shown for each of them


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in both widths; the page shows the one that fits."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines stayed out: ``lines`` of them worth ``spend_eur_per_year``, some as examples, largest first."""

    code: str
    meaning: str
    lines: int
    spend_eur_per_year: float
    examples: tuple[UnpooledView, ...]


@dataclass(frozen=True, slots=True)
class MarketVolume:
    """A category's largest sure volumes, at most one row for each criteria set, and its name."""

    category: str
    name: str
    rows: tuple[VolumeRow, ...]
    spend_eur_per_year: float


def render(
    plan: PlanView,
    *,
    volume_rows: Sequence[VolumeRow] = (),
    category_names: Mapping[str, str] | None = None,
    made_up: str | None = None,
    title: str = "Proposed joint tenders",
) -> str:
    """The page. ``made_up`` is the notice shown at the top where figures are invented; without one, what the sources of
    offers and windows say of themselves is shown."""
    template = _environment().get_template("report.html.j2")
    levels = _levels(plan)
    return template.render(
        title=title,
        plan=plan,
        made_up=made_up or declared_made_up(plan),
        timeline=_timeline(plan),
        levels=_picture_of_levels(levels[:MOST_LEVELS], "levels"),
        more_levels=_picture_of_levels(levels[MOST_LEVELS:], "more-levels") if levels[MOST_LEVELS:] else None,
        lots_shown=min(len(levels), MOST_LEVELS),
        reasons=reasons(plan),
        market=market_volumes(volume_rows, category_names or {})[:MOST_CATEGORIES],
        market_categories=len({row.category for row in volume_rows}),
        co2_range=_co2_range(plan),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pooling.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        whole=figures.whole,
        counted=figures.counted,
        eur=figures.eur,
        unit_price=figures.unit_price,
        amount=figures.amount,
        percent=figures.percent,
        compact=figures.compact,
        month=figures.month_in_words,
        day=figures.day_in_words,
        words=figures.in_words,
        languages=figures.languages_in_words,
        tonnes=figures.tonnes,
        co2=figures.co2_mass,
        short=figures.short,
        brought=brought,
        today=price_today,
    )
    return environment


# ---------------------------------------------------------------------------------------------- what is shown


def declared_made_up(plan: PlanView) -> str | None:
    """What is to be said where offers in use or windows of pooled lines name no source but call themselves made up."""
    offers = sum(any(MADE_UP in source for source in _sources(offer)) for offer in plan.offers)
    lines = [line for pool in plan.pools for lot in pool.lots for line in lot.lines]
    windows = sum(MADE_UP in line.trace.window_source for line in lines)
    if not offers and not windows:
        return None
    return (
        f"{offers} of {len(plan.offers)} offers in use and the windows of {windows} of {len(lines)} pooled lines say of"
        " themselves that they are made up. This plan is no proposal to real participants."
    )


def _sources(offer: OfferView) -> list[str]:
    return [offer.co2_source, *(text for tier in offer.tiers for text in (tier.quantity_source, tier.price_source))]


def reasons(plan: PlanView) -> tuple[Reason, ...]:
    """Lines that stayed out by reason, most frequent first, the largest of each as examples.

    Examples are of different categories where there are enough, so that they tell different stories.
    """
    found = []
    for code, count in plan.reasons:
        lines = [line for line in plan.unpooled if line.reason == code]
        spend = sum(line.spend_eur_per_year for line in lines)
        floor = bool(plan.how.policy.get("green_floor"))
        said = " ".join(part for part in (meaning(code, green_floor=floor), REMEDIES.get(code)) if part)
        found.append(Reason(code, said, count, spend, _examples(lines)))
    return tuple(found)


def _examples(lines: Sequence[UnpooledView]) -> tuple[UnpooledView, ...]:
    largest = sorted(lines, key=lambda line: (-line.spend_eur_per_year, line.id))
    first: dict[str, UnpooledView] = {}
    for line in largest:
        first.setdefault(line.category, line)
    rest = [line for line in largest if first[line.category] is not line]
    return tuple([*first.values(), *rest][:MOST_EXAMPLES])


def market_volumes(rows: Sequence[VolumeRow], names: Mapping[str, str]) -> list[MarketVolume]:
    """The largest sure volume of each category by criteria set, categories with most spend first."""
    best = sorted((row for row in rows if row.best), key=lambda row: row.category)
    found = []
    for category, members in groupby(best, key=lambda row: row.category):
        largest = sorted(members, key=lambda row: (-row.sure_quantity, len(row.criteria), row.criteria))[:MOST_SETS]
        spend = max(row.spend_eur_per_year for row in largest)
        found.append(MarketVolume(category, names.get(category, figures.in_words(category)), tuple(largest), spend))
    return sorted(found, key=lambda volume: (-volume.spend_eur_per_year, volume.category))


def brought(member: MemberView) -> str:
    """What a member brings, as its share of each lot: ``Plastic aprons 12 %, Shoe covers 3 %``."""
    return ", ".join(f"{lot.category_name} {figures.percent(lot.share)}" for lot in member.lots)


def price_today(lot: LotView) -> float:
    """The members' present unit price, weighted by volume, EUR."""
    return lot.spend_eur_per_year / lot.quantity


def _co2_range(plan: PlanView) -> tuple[float, float]:
    lots = [lot for pool in plan.pools for lot in pool.lots]
    return sum(lot.co2_saved_low_tonnes for lot in lots), sum(lot.co2_saved_high_tonnes for lot in lots)


# ---------------------------------------------------------------------------------------------------- pictures


def _timeline(plan: PlanView) -> Picture:
    first: dict[str, date] = {}
    for pool in plan.pools:
        first[pool.family] = min(pool.starts_on, first.get(pool.family, pool.starts_on))
    ordered = sorted(plan.pools, key=lambda pool: (first[pool.family], pool.family, pool.starts_on))
    spans = [_span(pool) for pool in ordered]
    return Picture(
        Markup(timeline(spans, name="timeline")),  # noqa: S704 escaped by pooling.web.svg
        Markup(timeline(spans, name="timeline-narrow", narrow=True)),  # noqa: S704
    )


def _span(pool: PoolView) -> Span:
    countries = f"{len(pool.countries)} countries" if len(pool.countries) > 1 else pool.countries[0]
    return Span(
        group=figures.in_words(pool.family),
        label=f"No. {pool.number}",
        note=f"{pool.signing_body.code} leads {len(pool.members)} in {countries}",
        dialogue=pool.dialogue_from,
        notice=pool.notice_by,
        award=pool.award_by,
        start=pool.starts_on,
        end=_months_later(pool.starts_on, max(lot.term_months for lot in pool.lots)),
    )


def _months_later(day: date, months: int) -> date:
    """The first of the month that comes ``months`` after the day's."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _levels(plan: PlanView) -> list[Level]:
    """A row for each lot, those with most spend first."""
    lots = [(pool, lot) for pool in plan.pools for lot in pool.lots]
    lots.sort(key=lambda both: (-both[1].spend_eur_per_year, both[0].number, both[1].offer.id))
    return [
        Level(
            label=lot.category_name,
            note=f"No. {pool.number}",
            unit=lot.unit,
            sure=lot.sure_quantity,
            expected=lot.quantity,
            tiers=tuple(tier.from_quantity for tier in lot.offer.tiers),
            tier=lot.tier,
        )
        for pool, lot in lots
    ]


def _picture_of_levels(levels: Sequence[Level], name: str) -> Picture:
    return Picture(
        Markup(volumes(levels, name=name)),  # noqa: S704 escaped by pooling.web.svg
        Markup(volumes(levels, name=f"{name}-narrow", narrow=True)),  # noqa: S704
    )
