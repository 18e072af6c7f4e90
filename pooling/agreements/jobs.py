"""Jobs of agreements: call-offs follow their buyers to a successor."""

from datetime import timedelta

from pooling.agreements import taking_over
from pooling.jobs import JobContext, Kind, Recurring


def take_over(context: JobContext) -> None:
    """Call-offs of participants that ended, to whoever has their place in the agreement now."""
    with context.reading() as session:
        if not taking_over.to_take_over(session):
            return
    with context.written() as opened:
        moved = taking_over.take_over(opened.session)
        context.finish({"call_offs": len(moved)})


HANDLERS: dict[str, Kind] = {"agreements.take-over": Kind(take_over)}
SCHEDULE: tuple[Recurring, ...] = (Recurring("agreements.take-over", every=timedelta(hours=1)),)
