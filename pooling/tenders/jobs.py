"""Jobs of tenders: answers that are overdue or due soon, members that have ended, repairs."""

from datetime import date, timedelta
from uuid import UUID

from pooling.jobs import JobContext, Kind, Recurring
from pooling.tenders import deciding, queries, reminding, repair_asking, repair_search, repairs, succession


def expire(context: JobContext) -> None:
    """End tenders that come too late. Each in a transaction of its own: no planner waits for all."""
    with context.reading() as session:
        overdue = reminding.overdue(session, now=context.means.clock())
    for tender in overdue:
        with context.written() as opened:
            deciding.expire(opened.session, tender, now=opened.now)


def remind(context: JobContext) -> None:
    """Remind members whose answers are due within days; whoever was told is not told again."""
    now = context.means.clock()
    with context.reading() as session:
        due = reminding.due_soon(session, now=now)
    for tender in due:
        with context.written() as opened:
            reminding.remind(opened.session, tender, now=opened.now)


def succeed(context: JobContext) -> None:
    """Hand memberships and commitments of participants that have ended to their successors."""
    today = context.means.clock().date()
    while due := _ended(context, today):  # whoever takes over may have ended since: the next step of a chain
        for old, new in due:
            with context.written() as opened:
                succession.succeed(opened.session, old, new, now=opened.now)


def _ended(context: JobContext, today: date) -> list[tuple[str, str]]:
    with context.reading() as session:
        return succession.due(session, today=today)


def repair(context: JobContext) -> None:
    """Look for what would bring a tender back, and keep what was found; a tender that has changed meanwhile is left to
    the look at its newer version, and one that is decided is left alone."""
    tender = UUID(context.payload["tender"])
    with context.reading() as session:
        overtaken = repair_asking.overtaken(queries.row_of(session, tender), context.payload.get("version"))
    if overtaken:
        with context.written() as opened:
            repair_asking.look_where_open(opened.session, queries.row_of(opened.session, tender), now=opened.now)
            context.finish({"location": f"/v1/tenders/{tender}/repairs"})
        return
    with context.reading() as session:
        version, question = repairs.question_of(session, tender, now=context.means.clock())
    options = context.apart(repair_search.find, question, context.payload["time_limit_s"])
    with context.written() as opened:
        repairs.keep(opened.session, tender, version, options, now=opened.now)
        context.finish({"location": f"/v1/tenders/{tender}/repairs"})


HANDLERS: dict[str, Kind] = {
    "tenders.expire": Kind(expire),
    "tenders.remind": Kind(remind),
    "tenders.succeed": Kind(succeed),
    repair_asking.LOOK: Kind(repair, heavy=True),
}
SCHEDULE: tuple[Recurring, ...] = (
    Recurring("tenders.expire", every=timedelta(minutes=5)),
    Recurring("tenders.remind", every=timedelta(hours=1), offset=timedelta(minutes=11)),
    Recurring("tenders.succeed", every=timedelta(minutes=15), offset=timedelta(minutes=2)),
)
