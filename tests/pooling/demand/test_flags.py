"""Doubts: far from the peers' median, with the pack size that would explain it, and nothing more."""

import polars as pl
import pytest

from pooling.demand import flags

PEERS = [f"P{number}" for number in range(6)]
POPULATIONS: dict[str, int | None] = dict.fromkeys([*PEERS, "X", "Y"], 100_000)


def lines(*entries: tuple[str, int, int]) -> pl.DataFrame:
    """Lines of one category: participant, quantity, price in EUR millionths."""
    return pl.DataFrame(
        [(number, "gloves", *entry) for number, entry in enumerate(entries, start=1)],
        schema={
            "id": pl.Int64,
            "category": pl.String,
            "participant": pl.String,
            "quantity": pl.Int64,
            "unit_price_eur_micro": pl.Int64,
        },
        orient="row",
    )


def judged(
    *entries: tuple[str, int, int], populations: dict[str, int | None] | None = None
) -> list[tuple[object, ...]]:
    found = lines(*entries)
    limits = flags.suspects(flags.totals(found), POPULATIONS if populations is None else populations)
    return flags.flagged(found, limits).rows()


def usual(count: int = 5) -> list[tuple[str, int, int]]:
    return [(peer, 1_000, 50_000) for peer in PEERS[:count]]


@pytest.mark.parametrize(
    ("quantity", "flag"),
    [
        (7_999, None),
        (8_000, ("high", 10)),
        (10_000, ("high", 10)),
        (50_000, ("high", 50)),
        (100_000, ("high", 100)),
        (251_000, ("high", None)),
        (126, None),
        (125, ("low", 10)),
        (20, ("low", 50)),
        (10, ("low", 100)),
        (3, ("low", None)),
    ],
)
def test_volume_eight_times_off_is_flagged(quantity: int, flag: tuple[str, int | None] | None) -> None:
    found = judged(*usual(), ("X", quantity, 50_000))
    assert found == ([] if flag is None else [(6, "volume", *flag)])


@pytest.mark.parametrize(
    ("price", "flag"),
    [
        (399_999, None),
        (400_000, ("high", 10)),
        (5_000_000, ("high", 100)),
        (6_251, None),
        (6_250, ("low", 10)),
        (500, ("low", 100)),
        (1, ("low", None)),
    ],
)
def test_price_eight_times_off_is_flagged(price: int, flag: tuple[str, int | None] | None) -> None:
    found = judged(*usual(), ("X", 1_000, price))
    assert found == ([] if flag is None else [(6, "price", *flag)])


def test_four_peers_are_too_few() -> None:
    assert judged(*usual(4), ("X", 100_000, 5_000_000)) == []
    assert len(judged(*usual(5), ("X", 100_000, 5_000_000))) == 2


def test_a_participant_is_no_peer_of_its_own_and_one_voice_however_many_lines() -> None:
    many = [("P0", 10, 50_000)] * 100
    assert judged(*many, *usual(5)[1:], ("X", 100_000, 50_000)) == [(105, "volume", "high", 100)]
    assert judged(*[("X", 10, 50_000)] * 100, *usual(4)) == []


def test_volume_is_per_inhabitant_and_unknown_populations_do_not_count() -> None:
    assert judged(*usual(), ("X", 100_000, 50_000), populations={**POPULATIONS, "X": 10_000_000}) == []
    assert judged(*usual(), ("X", 100_000, 50_000), populations={**POPULATIONS, "X": None}) == []
    assert judged(*usual(), ("X", 100_000, 50_000), populations={**POPULATIONS, "P0": None}) == []
    assert judged(*usual(), ("X", 100_000, 50_000), populations={}) == []


def test_the_line_that_makes_the_total_too_high_is_the_one_flagged() -> None:
    entries = [*usual(), ("X", 500, 50_000), ("X", 100_000, 50_000)]
    assert judged(*entries) == [(7, "volume", "high", 100)]
    spread = [*usual(), ("X", 5_000, 50_000), ("X", 5_000, 50_000)]
    assert judged(*spread) == [(6, "volume", "high", 10), (7, "volume", "high", 10)]


def test_a_price_is_judged_line_by_line_against_the_others_weighted_price() -> None:
    entries = [*usual(), ("X", 1_000, 50_000), ("X", 10, 5_000_000)]
    assert judged(*entries) == [(7, "price", "high", 100)]


def test_a_flag_tells_no_figure_of_the_peers() -> None:
    found = lines(*usual(), ("X", 100_000, 5_000_000))
    limits = flags.suspects(flags.totals(found), POPULATIONS)
    assert flags.flagged(found, limits).columns == ["line", "kind", "direction", "likely_pack_factor"]


def test_categories_are_judged_apart() -> None:
    other = lines(("X", 100_000, 5_000_000)).with_columns(category=pl.lit("drapes"))
    both = pl.concat([lines(*usual()), other])
    assert flags.suspects(flags.totals(both), POPULATIONS).height == 0


def test_totals_of_parts_are_the_totals_of_the_whole() -> None:
    whole = lines(*usual(), ("X", 5, 7), ("X", 6, 8))
    parts = flags.merged([flags.totals(part) for part in whole.iter_slices(3)])
    assert parts.equals(flags.totals(whole).sort(flags.PAIR))
    assert flags.merged([]).height == 0


@pytest.mark.parametrize(
    ("ratio", "factor"),
    [(10, 10), (0.1, 10), (22, 10), (23, 50), (70, 50), (71, 100), (250, 100), (251, None), (0, None)],
)
def test_the_pack_factor_is_the_nearest_on_the_log_scale(ratio: float, factor: int | None) -> None:
    assert flags.likely_pack_factor(ratio) == factor
