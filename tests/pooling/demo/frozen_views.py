"""A plan as a reader sees it, made from a few numbers: for tests of what shows plans, without a database."""

from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from pooling.planning.pool_views import (
    Gain,
    LineView,
    LotView,
    MemberLot,
    MemberView,
    OfferView,
    PoolView,
    SigningBodyView,
    TierView,
    Trace,
)
from pooling.planning.views import ExcludedView, HowMade, PlanView, TotalsView, UnpooledView

BUYERS = {
    "SE-AB": ("Region Stockholm", "SE"),
    "SE-M": ("Region Skåne", "SE"),
    "DK-83": ("Region Syddanmark", "DK"),
    "DK-OST": ("Region Østdanmark", "DK"),
    "FI-18-HUS": ("HUS-yhtymä", "FI"),
    "NO-HSO": ("Helse Sør-Øst RHF", "NO"),
    "IS": ("Landspítali", "IS"),
    "FO": ("Sjúkrahúsverkið", "FO"),
}
SIGNING = SigningBodyView(
    "SE-AB", "Region Stockholm", "SE", "Swedish procurement law", "Swedish", "Administrative court"
)
TRACE = Trace(
    submission="0001",
    file_name="SE-AB.xlsx",
    file_sha256="a" * 64,
    row=7,
    rows=1,
    sent_as="SE-AB",
    item_code="1001",
    original_quantity="1 200",
    original_unit="fp",
    original_price="12,50",
    currency="SEK",
    window_source="contract end and options",
)


def offer(category: str = "plastic-aprons", *, name: str = "Bio-based", tipping: int = 1000) -> OfferView:
    day = date(2026, 10, 1)
    tiers = tuple(
        TierView(
            start, start * 9 // 10, start * 11 // 10, "made up", day, price, price * 0.9, price * 1.1, "made up", day
        )
        for start, price in ((tipping, 0.05), (tipping * 2, 0.047), (tipping * 4, 0.045))
    )
    return OfferView(
        id=f"{category}-{name}",
        name=name,
        category=category,
        criteria=("advanced",),
        criteria_met=("advanced", "basic"),
        tiers=tiers,
        max_quantity=None,
        total_max_quantity=None,
        co2_saved_kg_per_unit=0.05,
        co2_saved_low_kg=0.03,
        co2_saved_high_kg=0.06,
        co2_source="made up",
        co2_source_date=day,
        price_basis="index",
        index_base_eur=0.055,
        file_name="offers.csv",
    )


def lot(
    category: str = "plastic-aprons", *, sure: int = 1500, tipping: int = 1000, members: tuple[str, ...]
) -> LotView:
    gain = Gain(12_000, 5_000, 800, 9_000, 0)
    chosen = offer(category, tipping=tipping)
    each = sure // len(members)
    lines = tuple(
        LineView(
            id=number,
            participant=code,
            participant_name=BUYERS[code][0],
            country=BUYERS[code][1],
            quantity=each,
            quantity_low=each * 9 // 10,
            quantity_high=each * 11 // 10,
            unit_price_eur=0.055,
            spend_eur_per_year=each * 0.055,
            earliest_start="2027-11",
            latest_start="2028-11",
            months_bridged=number,
            required=("basic",),
            refused=(),
            gain=gain,
            trace=TRACE,
        )
        for number, code in enumerate(members)
    )
    tier = max(place for place, tier in enumerate(chosen.tiers) if tier.from_quantity <= max(sure, tipping))
    return LotView(
        category=category,
        category_name=category.replace("-", " ").capitalize(),
        unit="H87",
        offer=chosen,
        tier=tier,
        quantity=int(sure * 1.05),
        sure_quantity=float(sure),
        likely_maximum=int(sure * 1.12),
        term_months=36,
        spend_eur_per_year=sure * 0.055,
        offered_spend_eur_per_year=sure * 0.05,
        co2_saved_tonnes_per_year=sure * 0.05 / 1000,
        co2_saved_low_tonnes=sure * 0.03 / 1000,
        co2_saved_high_tonnes=sure * 0.06 / 1000,
        gain=gain,
        lines=lines,
    )


def pool(number: int = 1, *, family: str = "protective-clothing", start: date = date(2027, 11, 1),
         lots: tuple[LotView, ...], members: tuple[str, ...]) -> PoolView:  # fmt: skip
    gain = Gain(120_000, 50_000, 8_000, 90_000, 0)
    return PoolView(
        number=number,
        family=family,
        start=f"{start:%Y-%m}",
        dialogue_from=date(start.year - 1, start.month, 1),
        notice_by=date(start.year - 1, 12, 1) if start.month > 6 else date(start.year - 1, 7 + start.month // 2, 1),
        award_by=date(start.year, max(1, start.month - 2), 1),
        starts_on=start,
        lead=members[0],
        lead_name=BUYERS[members[0]][0],
        signing_body=SIGNING,
        countries=tuple(sorted({BUYERS[code][1] for code in members})),
        members=tuple(
            MemberView(
                participant=code,
                name=BUYERS[code][0],
                country=BUYERS[code][1],
                contracting_authority=code not in {"FO"},
                lots=tuple(
                    MemberLot(lot.category, lot.category_name, lot.unit, lot.quantity // len(members), 1 / len(members))
                    for lot in lots
                ),
                lines=len(lots),
                spend_eur_per_year=250_000.0,
                gain=Gain(40_000, 10_000, 2_000, 400, 0),
            )
            for code in members
        ),
        lots=lots,
        spend_eur_per_year=sum(lot.spend_eur_per_year for lot in lots),
        value_over_term_eur=3 * sum(lot.offered_spend_eur_per_year for lot in lots),
        co2_saved_tonnes_per_year=sum(lot.co2_saved_tonnes_per_year for lot in lots),
        gain=gain,
        warnings=("Estimated value is above EUR 5 m: the China rule for devices applies.",) if number % 7 == 0 else (),
    )


def unpooled(number: int, reason: str, words: str, **figures: object) -> UnpooledView:
    return UnpooledView(
        id=number,
        participant="IS",
        participant_name="Landspítali",
        category="gauze",
        category_name="Cotton gauze",
        unit="H87",
        quantity=1200 * number,
        spend_eur_per_year=900.0 * number,
        earliest_start="2028-01",
        latest_start="2028-06",
        required=(),
        reason=reason,
        figures=figures,
        words=words,
        trace=TRACE,
    )


def plan(*, pools: tuple[PoolView, ...], left_out: tuple[UnpooledView, ...] = ()) -> PlanView:
    lines = sum(len(lot.lines) for pool in pools for lot in pool.lots)
    return PlanView(
        id=UUID(int=1),
        horizon_start="2027-11",
        horizon_months=36,
        lead_time_months=12,
        lead_time_reason="9 to 18 months for a joint tender",
        how=HowMade(
            snapshot="b" * 64,
            as_of=date(2026, 10, 30),
            created_at=datetime(2026, 10, 30, 12, tzinfo=UTC),
            solver_version="0.1.0",
            seed=1,
            workers=2,
            time_limit_s=60.0,
            runtime_s=21.4,
            status="feasible",
            objective_eur=8_200_000.0,
            bound_eur=8_260_000.0,
            gap=0.0073,
            policy_name="demo",
            policy={"horizon_months": 36, "confidence": 0.9},
            submissions=({"file_name": "SE-AB.xlsx", "series": "SE-AB", "lines": 110},),
            offer_files=({"file_name": "offers.csv", "sha256": "c" * 64},),
            rates=({"currency": "SEK", "per_eur": "11.2", "day": "2026-10-30"},),
        ),
        totals=TotalsView(
            pools=len(pools),
            lots=sum(len(pool.lots) for pool in pools),
            participants_pooled=len({member.participant for pool in pools for member in pool.members}),
            lines=lines + len(left_out),
            lines_pooled=lines,
            spend_eur_per_year=41_000_000.0,
            spend_pooled_eur_per_year=29_000_000.0,
            co2_saved_tonnes_per_year=sum(pool.co2_saved_tonnes_per_year for pool in pools),
            gain=sum((pool.gain for pool in pools), Gain()),
        ),
        pools=pools,
        unpooled=left_out,
        excluded=(ExcludedView("offer", "o1", "not-valid", "The offer was not valid on the day of the plan."),),
        warnings=(),
    )


def large(pools: int = 110, *, seed: int = 1) -> PlanView:
    """A plan of many pools, for a look at how it reads."""
    dice = Random(seed)
    families = ["gloves", "protective-clothing", "drapes-and-packs", "syringes", "respiratory-and-anaesthesia",
                "infusion", "urology", "minimally-invasive-surgery", "wound-dressings", "hygiene"]  # fmt: skip
    categories = ["examination-gloves-nitrile-non-sterile", "plastic-aprons-single-use", "infusion-sets",
                  "absorbable-haemostatics-haemostatic-dressings", "foley-catheters-with-balloon"]  # fmt: skip
    made = []
    for number in range(1, pools + 1):
        members = tuple(dice.sample(sorted(BUYERS), dice.randint(3, len(BUYERS))))
        lots = tuple(
            lot(category, sure=int(dice.lognormvariate(14, 1)), tipping=400_000, members=members)
            for category in dice.sample(categories, dice.randint(1, 4))
        )
        start = date(2027 + dice.randint(0, 3), dice.randint(1, 12), 1)
        made.append(pool(number, family=families[number % 10], start=start, lots=lots, members=members))
    made.sort(key=lambda pool: (pool.starts_on, pool.family))
    out = tuple(
        unpooled(number, reason, f"The best reachable sure volume is {number} short.")
        for number in range(1, 60)
        for reason in ("volume_short", "no_offer", "not_worth_it", "criteria_unmet", "better_without")[: 1 + number % 5]
    )
    return plan(pools=tuple(made), left_out=out)
