"""Exact arithmetic on columns of 128-bit integers: fractions are numerator and denominator, rounded once."""

import polars as pl

POWERS = pl.Series("powers", [10**k for k in range(39)], dtype=pl.Int128)


def power_of_ten(exponents: pl.Series) -> pl.Series:
    """10 ** exponent, for exponents 0 to 38."""
    highest = exponents.max()
    if highest == exponents.min() and isinstance(highest, int):
        return POWERS.slice(highest, 1).new_from_index(0, len(exponents))
    return POWERS.gather(exponents.cast(pl.UInt32))


def half_even(numerator: str, denominator: str) -> pl.Expr:
    """numerator / denominator as a whole number, halves to the even one; both 0 or more, 128 bit, columns by name."""
    quotient = pl.col(numerator) // pl.col(denominator)
    twice = (pl.col(numerator) % pl.col(denominator)) * 2
    up = (twice > pl.col(denominator)) | ((twice == pl.col(denominator)) & (quotient % 2 == 1))
    return quotient + up.cast(pl.Int128)
