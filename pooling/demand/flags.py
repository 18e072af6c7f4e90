"""Doubts about volumes and prices: far from what other participants say of the same category. Pure, column-wise.

A participant is one voice in a category: its total volume per inhabitant, and its volume-weighted EUR price. It is
held against the median of the others, where there are at least five. A flag says which way the figure is out and which
pack size would explain it; it never carries the others' figures, and nothing is changed.
"""

import math
from collections.abc import Mapping

import polars as pl

FACTOR = 8.0
MIN_PEERS = 5
PACK_FACTORS = (10, 50, 100)
NEAR = (
    2.5  # a pack factor explains a ratio within 2.5 times of it: halfway to the next on the log scale, and as far out
)
SLACK = 1e-9
PAIR = ("category", "participant")

TOTALS = {
    "category": pl.String,
    "participant": pl.String,
    "quantity": pl.Float64,
    "spend": pl.Float64,
    "min_price": pl.Int64,
    "max_price": pl.Int64,
}
LIMITS = {
    "category": pl.String,
    "participant": pl.String,
    "volume_ratio": pl.Float64,
    "volume_limit": pl.Float64,
    "price_median": pl.Float64,
}


def totals(lines: pl.DataFrame) -> pl.DataFrame:
    """What each participant's lines come to in each category: columns ``TOTALS``; spend in EUR millionths."""
    quantity, price = pl.col("quantity").cast(pl.Float64), pl.col("unit_price_eur_micro")
    return lines.group_by(PAIR).agg(
        quantity.sum().alias("quantity"),
        (quantity * price.cast(pl.Float64)).sum().alias("spend"),
        price.min().alias("min_price"),
        price.max().alias("max_price"),
    )


def merged(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Several totals as one."""
    if not parts:
        return pl.DataFrame(schema=TOTALS)
    return (
        pl.concat(parts)
        .group_by(PAIR)
        .agg(pl.col("quantity", "spend").sum(), pl.col("min_price").min(), pl.col("max_price").max())
        .sort(PAIR)
    )


def suspects(found: pl.DataFrame, populations: Mapping[str, int | None]) -> pl.DataFrame:
    """Of all totals, the pairs of category and participant that have a line to flag: columns ``LIMITS``.

    ``volume_ratio``: total volume per inhabitant over the peers' median, null where it is not out; ``volume_limit``:
    a line above it is out by itself; ``price_median``: what lines' prices are held against, null where none is out.
    """
    known = {code: count for code, count in populations.items() if count}
    voices = found.with_columns(
        people=pl.col("participant").replace_strict(known, default=None, return_dtype=pl.Float64)
        if known
        else pl.lit(None, pl.Float64),
        price=pl.col("spend") / pl.col("quantity"),
    ).with_columns(per_head=pl.col("quantity") / pl.col("people"))
    voices = _against_peers(_against_peers(voices, "per_head"), "price")
    ratio, low, high = pl.col("per_head") / pl.col("per_head_median"), pl.col("min_price"), pl.col("max_price")
    price_out = (high >= _up(pl.col("price_median"))) | (low <= _down(pl.col("price_median")))
    return (
        voices.with_columns(
            volume_ratio=pl.when((ratio >= _up(pl.lit(1.0))) | (ratio <= _down(pl.lit(1.0)))).then(ratio),
            volume_limit=_up(pl.col("per_head_median")) * pl.col("people"),
            price_median=pl.when(price_out).then("price_median"),
        )
        .filter(pl.col("volume_ratio").is_not_null() | pl.col("price_median").is_not_null())
        .select(*LIMITS)
    )


def _up(median: pl.Expr) -> pl.Expr:
    return median * (FACTOR * (1 - SLACK))


def _down(median: pl.Expr) -> pl.Expr:
    return median / (FACTOR * (1 - SLACK))


def _against_peers(voices: pl.DataFrame, figure: str) -> pl.DataFrame:
    """Adds ``{figure}_median``: the median of the others in the category; null: fewer than five, or 0."""
    told = voices.filter(pl.col(figure).is_not_null()).select(*PAIR, figure)
    others = told.select("category", peer="participant", peer_figure=figure)
    medians = (
        told.join(others, on="category")
        .filter(pl.col("participant") != pl.col("peer"))
        .group_by(PAIR)
        .agg(pl.col("peer_figure").median().alias("median"), pl.len().alias("peers"))
        .filter((pl.col("peers") >= MIN_PEERS) & (pl.col("median") > 0))
        .select(*PAIR, pl.col("median").alias(f"{figure}_median"))
    )
    return voices.join(medians, on=list(PAIR), how="left")


def flagged(lines: pl.DataFrame, limits: pl.DataFrame) -> pl.DataFrame:
    """The flags of the suspects' lines: line, kind, direction, likely_pack_factor.

    ``lines``: id, category, participant, quantity, unit_price_eur_micro. Where a participant's volume is too high,
    the lines that are so by themselves are flagged, and all of them if none is; where it is too low, all.
    """
    judged = lines.join(limits, on=list(PAIR))
    alone = pl.col("quantity") >= pl.col("volume_limit")
    too_high = pl.col("volume_ratio") > 1
    volume = judged.filter(pl.col("volume_ratio").is_not_null() & (~too_high | alone | ~alone.any().over(PAIR))).select(
        "id", kind=pl.lit("volume"), ratio="volume_ratio"
    )
    price_ratio = pl.col("unit_price_eur_micro") / pl.col("price_median")
    out = (price_ratio >= _up(pl.lit(1.0))) | (price_ratio <= _down(pl.lit(1.0)))
    price = judged.filter(out).select("id", kind=pl.lit("price"), ratio=price_ratio)
    return (
        pl.concat([volume, price])
        .select(
            line="id",
            kind="kind",
            direction=pl.when(pl.col("ratio") > 1).then(pl.lit("high")).otherwise(pl.lit("low")),
            likely_pack_factor=pl.col("ratio").map_elements(likely_pack_factor, return_dtype=pl.Int64),
        )
        .sort("line", "kind")
    )


def likely_pack_factor(ratio: float) -> int | None:
    """The pack size that would explain a figure ``ratio`` times the usual: 10, 50, 100, or None if none is near."""
    if ratio <= 0:
        return None
    size = abs(math.log(ratio))
    factor = min(PACK_FACTORS, key=lambda each: abs(size - math.log(each)))
    return factor if abs(size - math.log(factor)) <= math.log(NEAR) else None
