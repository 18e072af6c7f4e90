"""After a load: flags for all lines of the categories it touched, and demand that may have been sent twice."""

from uuid import UUID

import polars as pl
from sqlmodel import Session

from pooling.demand import flags, store
from pooling.demand.results import MAX_LISTED, Flag
from pooling.demand.tables import Submission
from pooling.errors import counted
from pooling.reference import service as reference

MAX_WARNINGS = 20


def renew_flags(
    session: Session, categories: list[str], submission: UUID, *, added: pl.DataFrame | None = None
) -> tuple[tuple[Flag, ...], int]:
    """Judge all accepted lines of ``categories`` anew; answers the flags of this submission's lines.

    ``added``: the totals (flags.TOTALS) of all the submission's lines, where they are at hand.
    """
    without = submission if added is not None else None
    others = store.other_totals(session, categories, without=without)
    everyone = others if added is None else flags.merged([added, others])
    populations = {code: record.population for code, record in reference.participants(session).items()}
    limits = flags.suspects(everyone, populations)
    lines = store.lines_of_pairs(session, limits)
    found = flags.flagged(lines, limits)
    store.replace_flags(session, categories, found)
    ours = found.join(lines.filter(pl.col("submission") == submission.hex), left_on="line", right_on="id")
    columns = ("row", "participant", "category", "kind", "direction", "likely_pack_factor")
    listed = ours.sort("row", "kind").select(columns).head(MAX_LISTED)
    return tuple(Flag(*each) for each in listed.iter_rows()), ours.height


def sent_twice(session: Session, totals: pl.DataFrame, submission: UUID) -> tuple[str, ...]:
    """Warnings where another accepted submission has lines of the same participant, category, item and time."""
    others = store.other_accepted(session, submission)
    if not others:
        return ()
    categories = totals["category"].unique().sort().to_list()
    theirs = store.other_totals(session, categories, without=submission)
    pairs = totals.join(theirs, on=list(flags.PAIR), how="semi").sort(flags.PAIR)
    if not pairs.height:
        return ()
    told = [submission, *(other.id for other in others)]
    doubled = pl.concat(
        _doubled(store.line_windows(session, str(category), group["participant"].to_list(), told), submission)
        for (category,), group in pairs.group_by("category", maintain_order=True)
    )
    by_submission = doubled.group_by("submission").agg(pl.len(), pl.col("participant").unique().sort())
    return tuple(_twice(others, *each) for each in by_submission.sort("submission").head(MAX_WARNINGS).iter_rows())


def _doubled(found: pl.DataFrame, submission: UUID) -> pl.DataFrame:
    """Of one category's lines: the other submissions' participants and items whose months meet ours, each once."""
    keys = ["participant", "item_code"]
    mine = found.filter(pl.col("submission") == submission.hex)
    theirs = found.filter(pl.col("submission") != submission.hex)
    both = theirs.join(mine, on=keys, nulls_equal=True, suffix="_mine").filter(
        (pl.col("earliest_start") <= pl.col("latest_start_mine"))
        & (pl.col("earliest_start_mine") <= pl.col("latest_start"))
    )
    return both.select("submission", *keys).unique()


def _twice(others: list[Submission], key: str, demands: int, participants: list[str]) -> str:
    other = next(each for each in others if each.id.hex == key)
    said, verb = counted(demands, "demand"), "is" if demands == 1 else "are"
    return (
        f"{said} of {', '.join(participants)} {verb} also in submission"
        f" {other.id} (series {other.series!r}, {other.file_name}) for the same category, item and months; if they are"
        " the same, load both files in one series, or leave them out of one"
    )
