"""After a load: flags for all lines of the categories it touched, and demand that may have been sent twice."""

from uuid import UUID

import polars as pl
from sqlmodel import Session

from pooling.demand import flags, store
from pooling.demand.results import MAX_LISTED, Flag
from pooling.demand.sender import ANYONE, Sender
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


def sent_twice(
    session: Session, totals: pl.DataFrame, submission: UUID, *, sender: Sender = ANYONE, source: str | None = None
) -> tuple[str, ...]:
    """Warnings where another submission that counts has lines of the same participant, category, item and time.

    Only submissions that the sender might replace are named. ``source``: the system whose forecasts these are; two
    forecasts of one system are two by their ids.
    """
    categories = totals["category"].unique().sort().to_list()
    theirs = store.other_totals(session, categories, without=submission)
    pairs = totals.join(theirs, on=list(flags.PAIR), how="semi").sort(flags.PAIR)
    if not pairs.height:
        return ()
    doubled = pl.concat(
        _doubled(store.line_windows(session, str(category), group["participant"].to_list()), submission, source)
        for (category,), group in pairs.group_by("category", maintain_order=True)
    )
    by_submission = doubled.group_by("submission").agg(pl.len(), pl.col("participant").unique().sort())
    shown = by_submission.sort("submission").head(MAX_WARNINGS)
    others = store.named(session, shown["submission"])
    own = {key for key, other in others.items() if _is_own(session, other, sender)}
    return tuple(_twice(others[key], *rest) for key, *rest in shown.iter_rows() if key in own)


def _is_own(session: Session, other: Submission, sender: Sender) -> bool:
    return sender.may_replace(store.senders_of(session, other), known=other.senders_known)


def _doubled(found: pl.DataFrame, submission: UUID, source: str | None) -> pl.DataFrame:
    """Of one category's lines: the other submissions' participants and items whose months meet ours, each once."""
    keys = ["participant", "item_code"]
    mine = found.filter(pl.col("submission") == submission.hex)
    theirs = found.filter(pl.col("submission") != submission.hex)
    if source is not None:
        theirs = theirs.filter(pl.col("source").ne_missing(source))
    both = theirs.join(mine, on=keys, nulls_equal=True, suffix="_mine").filter(
        (pl.col("earliest_start") <= pl.col("latest_start_mine"))
        & (pl.col("earliest_start_mine") <= pl.col("latest_start"))
    )
    return both.select("submission", *keys).unique()


def _twice(other: Submission, demands: int, participants: list[str]) -> str:
    said, verb = counted(demands, "demand"), "is" if demands == 1 else "are"
    where = f"series {other.series!r}, {other.file_name}" if other.source is None else f"forecasts of {other.source}"
    return (
        f"{said} of {', '.join(participants)} {verb} also in submission {other.id} ({where}) for the same category,"
        " item and months; if they are the same, load both files in one series, or leave them out of one"
    )
