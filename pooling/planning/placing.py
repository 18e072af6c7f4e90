"""Who holds each line at the starts that are left to it, as participants end and are succeeded. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pooling.errors import BadInput
from pooling.planning.live import Excluded, Known, LiveLine
from pooling.planning.policy import Policy
from pooling.planning.rules import first_day, month_after, shifted
from pooling.reference.rules import ParticipantRecord, rehome
from solver.checks import LARGEST_WHOLE

MOST_NAMED = 5  # lines that a warning names
Pair = tuple[LiveLine, LiveLine]  # as sent, as held


def placed_lines(lines: Sequence[LiveLine], *, known: Known, policy: Policy) -> tuple[list[Pair], list[Excluded]]:
    """The lines as sent and as held at their start, and those that nobody holds or that contradict themselves."""
    placed, excluded = [], []
    for line in lines:
        fault = _contradiction(line, known)
        if fault:
            excluded.append(Excluded("line", str(line.id), *fault))
            continue
        try:
            placed.append((line, _held(line, participants=known.participants, policy=policy)))
        except BadInput as nobody:
            excluded.append(Excluded("line", str(line.id), "no_participant", str(nobody)))
    return placed, excluded


def _held(line: LiveLine, *, participants: Mapping[str, ParticipantRecord], policy: Policy) -> LiveLine:
    """The line under the one participant that holds it at every start that is left to it.

    Where a participant ends among the possible starts, the line is its successor's and starts no earlier than the
    first month that is wholly after: the lead time makes starts before it exceptional. Without a successor the line
    starts before that month. Raises BadInput where nobody holds it.
    """
    earliest, latest = line.earliest_start, line.latest_start
    last = min(latest, shifted(policy.horizon_start, policy.horizon_months - 1))
    holder = rehome(line.participant, first_day(max(earliest, policy.horizon_start)), participants)
    while (end := participants[holder].valid_to) and (border := month_after(end, 0)) <= last:
        if participants[holder].successor is None:
            latest = shifted(border, -1)
            break
        holder, earliest = rehome(holder, first_day(border), participants), border
    if (holder, earliest, latest) == (line.participant, line.earliest_start, line.latest_start):
        return line
    return replace(line, participant=holder, earliest_start=earliest, latest_start=latest)


def moved(pairs: Sequence[Pair]) -> Iterator[str]:
    """A sentence for each change of window that `_held` made, with the lines it concerns."""
    found: dict[tuple[str, str], list[int]] = {}
    for sent, held in pairs:
        words = []
        if held.earliest_start != sent.earliest_start:
            words.append(f"as {held.participant}'s, from {held.earliest_start} on")
        if held.latest_start != sent.latest_start:
            words.append(f"up to {held.latest_start}")
        if words:
            found.setdefault((sent.participant, " and ".join(words)), []).append(held.id)
    for (sender, change), ids in sorted(found.items()):
        named = ", ".join(map(str, ids[:MOST_NAMED])) + (" and others" if len(ids) > MOST_NAMED else "")
        lines = "line" if len(ids) == 1 else "lines"
        yield f"{sender} ends while {len(ids)} of its lines could start: they are planned {change} ({lines} {named})."


def _contradiction(line: LiveLine, known: Known) -> tuple[str, str] | None:
    both = set(line.required) & set(line.refused)
    if both:
        return "required_and_refused", f"it both requires and refuses {' '.join(sorted(both))}"
    if line.category not in known.categories:
        return "no_category", f"category {line.category!r} is not known; add it to the reference data"
    in_order = line.quantity >= 1 and 0 <= line.quantity_low <= line.quantity <= line.quantity_high <= LARGEST_WHOLE
    if not in_order:
        return "not_a_quantity", f"low {line.quantity_low}, quantity {line.quantity}, high {line.quantity_high}"
    if line.earliest_start > line.latest_start:
        return "not_a_window", f"earliest start {line.earliest_start} after latest {line.latest_start}"
    return None
