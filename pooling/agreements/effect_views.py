"""What the API shows of the effect: inside, each reader's own; outside, sums over many alone."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN
from pooling.agreements.disclosure import RULE
from pooling.agreements.effect import Row, Sums
from pooling.agreements.substances import substances
from pooling.agreements.telling import Figures
from pooling.market.rules import MICRO
from pooling.reference.rules import CriterionRecord

MG_IN_TONNE = 10**9
By = Literal["participant", "country", "category", "cycle", "year"]
PublicBy = Literal["country", "category", "cycle", "year"]
Eur = Annotated[float, OWN]
OpenEur = Annotated[float, OPEN]


class CriterionEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What is bought of offers that meet a criterion, at the agreement's price and as a share of all."""

    whole: ClassVar[Meta] = OWN
    criterion: str
    name: str
    framework: str
    level: str | None
    value_eur: Eur
    share: Annotated[float, OWN]


class UnitCount(msgspec.Struct, frozen=True):
    """A quantity in one unit of measure (UNECE Rec 20)."""

    whole: ClassVar[Meta] = OWN
    unit: str
    quantity: Annotated[int, OWN]


class SubstanceEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Units bought of products that are free of a substance, by what criteria they meet."""

    whole: ClassVar[Meta] = OWN
    substance: str
    name: str
    units: list[UnitCount]
    sources: list[str]


class EffectFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``spend_today_eur``: at the prices paid today; ``spend_eur``: under the agreements; the rest is saved."""

    whole: ClassVar[Meta] = OWN
    spend_today_eur: Eur
    spend_eur: Eur
    cash_saving_eur: Eur
    co2_saved_tonnes: Eur
    co2_saved_low_tonnes: Eur
    co2_saved_high_tonnes: Eur
    quantities: list[UnitCount]
    criteria: list[CriterionEffect]
    substances: list[SubstanceEffect]


class EffectRow(msgspec.Struct, frozen=True, kw_only=True):
    """What has a participant, country, category, cycle or year in common; ``participants``: whose figures are in it."""

    owner: ClassVar[str] = "participants"
    whole: ClassVar[Meta] = OWN
    key: str
    participants: list[str]
    planned: EffectFigures
    called_off: EffectFigures


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Planned and called off; a coordinator is shown its own participants' alone, in every row and the total."""

    by: By
    cycle: str | None
    rows: list[EffectRow]
    total: EffectRow | UnsetType = UNSET


class PublicSubstance(msgspec.Struct, frozen=True, kw_only=True):
    """Units bought of products that are free of a substance, by unit of measure."""

    substance: str
    name: str
    units: Annotated[dict[str, int], OPEN]


class PublicFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over at least three participants; ``criteria``: share of the spend by criterion met, without those of which
    a share would tell of too few.

    CO2e is null where too few have a part in it; savings and quantities where there are fewer than three lots: they
    would tell a supplier's price.
    """

    spend_today_eur: OpenEur
    criteria: Annotated[dict[str, float], OPEN]
    co2_saved_tonnes: Annotated[float | None, OPEN] = None
    co2_saved_low_tonnes: Annotated[float | None, OPEN] = None
    co2_saved_high_tonnes: Annotated[float | None, OPEN] = None
    cash_saving_eur: Annotated[float | None, OPEN] = None
    substances: Annotated[list[PublicSubstance] | None, OPEN] = None


class PublicRow(msgspec.Struct, frozen=True, kw_only=True):
    """A country, category, cycle or year; null: too few contribute to tell, or nobody does."""

    key: str
    planned: PublicFigures | None
    called_off: PublicFigures | None


class PublicEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What is told to everybody: as it stood when the quarter began. ``others``: all rows that are not told, as one."""

    by: PublicBy
    as_of: date
    rule: str
    rows: list[PublicRow]
    others: PublicRow
    total: PublicRow


Criteria = Mapping[str, CriterionRecord]
NAMES = {each.substance: each.name for each in substances()}


def effect_view(by: By, cycle: str | None, rows: Collection[Row], total: Row, known: Criteria) -> Effect:
    """The effect as its readers are shown it."""
    return Effect(by=by, cycle=cycle, rows=[_row(each, known) for each in rows], total=_row(total, known))


def _row(row: Row, known: Criteria) -> EffectRow:
    return EffectRow(
        key=row.key,
        participants=sorted(row.participants),
        planned=_figures(row.planned, known),
        called_off=_figures(row.called_off, known),
    )


def _figures(sums: Sums, known: Criteria) -> EffectFigures:
    return EffectFigures(
        spend_today_eur=sums.today_micro / MICRO,
        spend_eur=sums.value_micro / MICRO,
        cash_saving_eur=(sums.today_micro - sums.value_micro) / MICRO,
        **_co2(sums),
        quantities=[UnitCount(unit, quantity) for unit, quantity in sorted(sums.quantities.items())],
        criteria=[_criterion(code, value, sums, known) for code, value in sorted(sums.criteria.items())],
        substances=[_substance(substance, units) for substance, units in _by_substance(sums.free_of).items()],
    )


def _co2(sums: Sums) -> dict[str, float]:
    return {
        "co2_saved_tonnes": sums.co2_mg / MG_IN_TONNE,
        "co2_saved_low_tonnes": sums.co2_mg_low / MG_IN_TONNE,
        "co2_saved_high_tonnes": sums.co2_mg_high / MG_IN_TONNE,
    }


def _criterion(code: str, value: int, sums: Sums, known: Criteria) -> CriterionEffect:
    record = known.get(code)
    return CriterionEffect(
        criterion=code,
        name=record.name if record else code,
        framework=record.framework if record else "",
        level=record.level if record else None,
        value_eur=value / MICRO,
        share=_share(value, sums),
    )


def _share(value: int, sums: Sums) -> float:
    return value / sums.value_micro if sums.value_micro else 0.0


def _by_substance(free_of: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (substance, unit), quantity in sorted(free_of.items()):
        found.setdefault(substance, {})[unit] = quantity
    return found


def _substance(substance: str, units: Mapping[str, int]) -> SubstanceEffect:
    return SubstanceEffect(
        substance=substance,
        name=NAMES[substance],
        units=[UnitCount(unit, quantity) for unit, quantity in units.items()],
        sources=[f"{each.criterion}: {each.source}" for each in substances() if each.substance == substance],
    )


def public_figures(sums: Sums, told: Figures) -> PublicFigures:
    """Of sums that may be shown to everybody, the figures that may."""
    free = {place: quantity for place, quantity in sums.free_of.items() if place in told.free_of}
    return PublicFigures(
        spend_today_eur=sums.today_micro / MICRO,
        **(_co2(sums) if told.co2 else {}),
        criteria={code: _share(value, sums) for code, value in sorted(sums.criteria.items()) if code in told.criteria},
        cash_saving_eur=(sums.today_micro - sums.value_micro) / MICRO if told.priced else None,
        substances=[
            PublicSubstance(substance=substance, name=NAMES[substance], units=units)
            for substance, units in _by_substance(free).items()
        ]
        if told.priced
        else None,
    )


def public_view(by: PublicBy, as_of: date, rows: list[PublicRow], others: PublicRow, total: PublicRow) -> PublicEffect:
    """The page for everybody, with its rule."""
    return PublicEffect(by=by, as_of=as_of, rule=RULE, rows=rows, others=others, total=total)
