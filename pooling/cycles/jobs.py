"""Jobs of cycles: opening by the clock. Closing by the clock is demand's, which freezes the lines."""

from datetime import timedelta

from pooling.cycles import service
from pooling.jobs import JobContext, Kind, Recurring


def open_due(context: JobContext) -> None:
    """Open the cycle whose first day has come, unless another is still open."""
    with context.reading() as session:
        if not _next(service.due_to_open(session, context.means.clock()), service.current(session)):
            return
    with context.written() as opened:
        due = _next(service.due_to_open(opened.session, opened.now), service.current(opened.session))
        for record in due:
            service.open_cycle(opened.session, record.code, now=opened.now)
        context.finish({"opened": [record.code for record in due]})


def _next(due: list[service.CycleRecord], current: service.CycleRecord | None) -> list[service.CycleRecord]:
    """The one to open."""
    return [] if current is not None else sorted(due, key=lambda record: (record.opens_on, record.code))[:1]


HANDLERS: dict[str, Kind] = {"cycles.open-due": Kind(open_due)}
SCHEDULE: tuple[Recurring, ...] = (Recurring("cycles.open-due", every=timedelta(minutes=1)),)
