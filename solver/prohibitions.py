"""What is forbidden: which lines may not take which offers from which months."""

from collections import defaultdict
from collections.abc import Sequence

from solver.instance import Instance, Line
from solver.months import offset


class Prohibitions:
    """Which (line, offer, start) are forbidden; entries with null fields fit any."""

    def __init__(self, instance: Instance) -> None:
        self._of_line: dict[str, list[tuple[str | None, int | None]]] = defaultdict(list)
        lines_of: dict[str, list[Line]] = defaultdict(list)
        for line in instance.lines:
            lines_of[line.participant].append(line)
        family = {category.id: category.family for category in instance.categories}
        known = {line.id: line for line in instance.lines}
        for entry in instance.forbidden:
            start = None if entry.start is None else offset(entry.start, instance.policy.horizon_start)
            if entry.line is not None:
                candidates: Sequence[Line] = [known[entry.line]]
            elif entry.participant is not None:
                candidates = lines_of[entry.participant]
            else:
                candidates = instance.lines
            for line in candidates:
                if entry.participant not in (None, line.participant):
                    continue
                if entry.family in (None, family[line.category]):
                    self._of_line[line.id].append((entry.offer, start))

    def months(self, line: str, offer: str, first: int, last: int) -> list[int]:
        """The offsets from ``first`` to ``last`` at which the line may take the offer."""
        entries = [start for named, start in self._of_line.get(line, ()) if named in (None, offer)]
        if not entries:
            return list(range(first, last + 1))
        if None in entries:
            return []
        return [month for month in range(first, last + 1) if month not in entries]
