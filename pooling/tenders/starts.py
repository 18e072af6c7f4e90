"""The months in which a tender of a plan can still start. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pooling.planning.rules import Timetable, milestones, shifted


def plannable(policy: Mapping[str, Any], *, today: date) -> list[str]:
    """The months of the horizon whose notice is not due before ``today``, in order; ``policy`` is the snapshot's."""
    lead, timetable = policy["lead_time_months"], Timetable(**policy["timetable"])
    months = (shifted(policy["horizon_start"], number) for number in range(policy["horizon_months"]))
    return [each for each in months if milestones(each, lead_time_months=lead, timetable=timetable).notice_by >= today]
