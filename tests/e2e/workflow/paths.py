"""All there is to look at on a random walk."""

import re
from collections.abc import Sequence
from uuid import UUID

from tests.e2e.workflow.model import Seen
from tests.e2e.workflow.world import BUYERS, CYCLE, SOURCE

BYS = ("participant", "country", "category", "cycle", "year")
PARTS = ("", "/changes", "/report")
"""Of a submission."""
LISTS = (
    "/v1/tenders",
    "/v1/call-offs?cancelled=true",
    "/v1/lines?live=false",
    "/v1/forecasts",
    "/v1/submissions",
    "/v1/uploads",
    "/v1/notices",
    "/v1/plans",
    "/v1/runs",
    "/v1/scenarios",
    "/v1/operations",
    "/v1/audit",
    "/v1/audit/readings",
)


def paths(state: Seen, plans: Sequence[UUID], key: UUID, code: str) -> list[str]:
    """What can be seen of a tender and a region, the latest of everything else, and lists."""
    tender, forecast = f"/v1/tenders/{key}", f"/v1/forecasts/{SOURCE}/{code}.{sorted(BUYERS)[0][:5]}"
    of_tender = ("", "/history", "/invitation", "/allowances", "/standing", "/consequences", "/repairs")
    both = {*plans[:1], *plans[-1:]}
    return [
        *(f"{tender}{part}" for part in of_tender),
        f"{tender}/invitation?participant={code}",
        f"{tender}/answers/{code}",
        *(f"/v1/call-offs/{each}" for each in list(state.call_offs)[-1:]),
        *(f"/v1/uploads/{each}{part}" for each in list(state.uploads)[-1:] for part in ("", "/report")),
        *(f"/v1/submissions/{each}{part}" for each in list(state.submissions)[-1:] for part in PARTS),
        *(f"/v1/plans/{each}{part}" for each in both for part in ("", "/lines")),
        *(f"/v1/pools?plan={each}" for each in both),
        *(f"/v1/plan-differences?from={plans[0]}&to={each}" for each in plans[-1:]),
        *(f"/v1/effect?by={by}" for by in BYS),
        *(f"/v1/public/effect?by={by}" for by in BYS[1:]),
        *(f"/v1/cycles/{CYCLE}{part}" for part in ("", "/coverage")),
        f"/v1/notices?participant={code}",
        forecast,
        *LISTS,
    ]


def shape(path: str) -> str:
    """A path without what is named in it."""
    plain = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)
    plain = re.sub(r"/answers/.*|(?<=/forecasts/).*|(?<=participants/).*|(?<=cycles/)[a-z]+", "{code}", plain)
    return re.sub(r"\?.*", "", plain)
