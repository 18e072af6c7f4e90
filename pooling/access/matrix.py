"""The access matrix: for every operation of the API, what each role may do on own, other's and nobody's resources.

A resource is own where it belongs to a participant the principal is named for (for keys: to the principal), another's
where it belongs to someone else, nobody's where it belongs to no participant: a category, a plan, a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pooling.access.rules import SCOPES, Role


class Answer(StrEnum):
    """What a request gets: done, 404, or 403."""

    ALLOW = "allow"
    HIDDEN = "hidden"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a role gets on its own, on another's and on nobody's resources."""

    own: Answer
    others: Answer
    none: Answer

    @property
    def answers(self) -> frozenset[Answer]:
        """All that may come of it."""
        return frozenset({self.own, self.others, self.none})


ALL = Cell(Answer.ALLOW, Answer.ALLOW, Answer.ALLOW)
OWN = Cell(Answer.ALLOW, Answer.HIDDEN, Answer.ALLOW)
"""Own resources, and those that are nobody's (lists among them: they hold what may be seen)."""
NO = Cell(Answer.FORBIDDEN, Answer.FORBIDDEN, Answer.FORBIDDEN)
UNSEEN = Cell(Answer.HIDDEN, Answer.HIDDEN, Answer.HIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation; roles that are not named may not do it. ``scope`` is what a partner's credential must hold.

    ``public``: answered without asking who it is, since there is nothing in it to protect.
    """

    coordinator: Cell = NO
    planner: Cell = NO
    partner: Cell = NO
    auditor: Cell = NO
    administrator: Cell = NO
    scope: str | None = None
    public: bool = False

    def __post_init__(self) -> None:
        if self.scope is not None and self.scope not in SCOPES:
            raise ValueError(f"scope {self.scope!r} is not one of {sorted(SCOPES)}")
        if self.scope is None and self.partner not in (NO, UNSEEN) and self.partner != self.coordinator:
            raise ValueError("a row that gives partners more or less than coordinators needs a scope")

    def cell(self, role: Role) -> Cell:
        """What ``role`` gets."""
        found: Cell = getattr(self, role.value)
        return found


EVERYONE = Row(coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, administrator=ALL)
"""Whoever has come in: reference data, one's own account."""
PUBLIC = Row(coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, administrator=ALL, public=True)
"""Whoever asks: where the resources are."""
KEEPERS = Row(administrator=ALL)


def _own(scope: str) -> Row:
    """Read: own for coordinators and partners, all for planners and auditors."""
    return Row(coordinator=OWN, planner=ALL, partner=OWN, auditor=ALL, scope=scope)


def _change(scope: str) -> Row:
    """Write: own for coordinators and partners, all for planners."""
    return Row(coordinator=OWN, planner=ALL, partner=OWN, scope=scope)


ANSWERING = _change("pools:review")
"""Write a member's answer: its coordinators and systems whatever it is; planners decline in its place, no more."""
PLANNING = Row(coordinator=UNSEEN, planner=ALL, partner=UNSEEN, auditor=ALL, administrator=UNSEEN)
"""Read what is the planners' alone: near misses, others' shares, who could help."""
PLANNER_UNSEEN = Row(coordinator=UNSEEN, planner=ALL, partner=UNSEEN, administrator=UNSEEN)
"""Done by planners on what is theirs alone; an auditor sees it and may not."""
PLANNER = Row(planner=ALL)
"""Done by planners alone, on what others may see."""
SEEN_BY_ALL_BUYERS = Row(coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, scope="pools:read")
"""Read by all but administrators; figures in it may still be the planners' alone."""

ACCESS: Mapping[str, Row] = {
    "me.read": EVERYONE,
    "me.contact": Row(coordinator=ALL, planner=ALL, partner=UNSEEN, auditor=ALL, administrator=ALL),
    "keys.list": EVERYONE,
    "keys.read": Row(coordinator=OWN, planner=OWN, partner=OWN, auditor=OWN, administrator=ALL),
    "keys.create": Row(coordinator=OWN, planner=OWN, auditor=OWN, administrator=ALL),
    "keys.rotate": Row(coordinator=OWN, planner=OWN, partner=OWN, auditor=OWN, administrator=ALL),
    "keys.revoke": Row(coordinator=OWN, planner=OWN, partner=OWN, auditor=OWN, administrator=ALL),
    "principals.list": Row(administrator=ALL, auditor=ALL),
    "principals.read": Row(administrator=ALL, auditor=ALL),
    "principals.create": KEEPERS,
    "principals.update": KEEPERS,
    "principals.invite": KEEPERS,
    "principals.revoke": KEEPERS,
    "principals.erase": KEEPERS,
    "audit.list": Row(administrator=ALL, auditor=ALL),
    "audit.readings": Row(administrator=ALL, auditor=ALL),
    "audit.verify": Row(administrator=ALL, auditor=ALL),
}

OFFERS = Row(coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, scope="pools:read")
"""Read what is offered; prices and volumes in it are marked for planners and auditors."""
SENDERS = Row(coordinator=OWN, planner=ALL, partner=OWN, auditor=ALL, scope="forecasts:write")
"""Read what senders need to send."""
DEMAND: Mapping[str, Row] = {
    "participants.list": EVERYONE,
    "participants.read": EVERYONE,
    "participants.write": KEEPERS,
    "signing-bodies.list": EVERYONE,
    "signing-bodies.read": EVERYONE,
    "signing-bodies.write": KEEPERS,
    "categories.list": EVERYONE,
    "categories.read": EVERYONE,
    "categories.write": KEEPERS,
    "criteria.list": EVERYONE,
    "criteria.read": EVERYONE,
    "criteria.write": KEEPERS,
    "offers.list": OFFERS,
    "offers.read": OFFERS,
    "offers.write": PLANNER,
    "offers.withdraw": PLANNER,
    "dialogues.list": PLANNING,
    "dialogues.read": PLANNING,
    "dialogues.create": PLANNER,
    "dialogues.write": PLANNER,
    "risk-areas.list": EVERYONE,
    "risk-areas.read": EVERYONE,
    "risk-areas.write": PLANNER,
    "lines.list": _own("forecasts:read"),
    "lines.read": _own("forecasts:read"),
    "submissions.list": _own("forecasts:read"),
    "submissions.read": _own("forecasts:read"),
    "submissions.report": _own("forecasts:read"),
    "submissions.changes": _own("forecasts:read"),
    "submissions.withdraw": _change("forecasts:write"),
    "forecasts.list": _own("forecasts:read"),
    "forecasts.read": _own("forecasts:read"),
    "forecasts.write": _change("forecasts:write"),
    "forecasts.delete": _change("forecasts:write"),
    "forecasts.load": _change("forecasts:write"),
    "uploads.list": SENDERS,
    "uploads.read": SENDERS,
    "uploads.report": SENDERS,
    "uploads.workbook": SENDERS,
    "uploads.create": _change("forecasts:write"),
    "uploads.confirm": _change("forecasts:write"),
    "uploads.discard": _change("forecasts:write"),
    "mappings.list": Row(
        coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, administrator=ALL, scope="forecasts:write"
    ),
    "mappings.read": Row(
        coordinator=ALL, planner=ALL, partner=ALL, auditor=ALL, administrator=ALL, scope="forecasts:write"
    ),
    "mappings.write": Row(planner=ALL, administrator=ALL),
    "mappings.delete": Row(planner=ALL, administrator=ALL),
}

PLANNING_ROWS: Mapping[str, Row] = {
    "plans.list": _own("pools:read"),
    "plans.read": _own("pools:read"),
    "pools.list": _own("pools:read"),
    "pools.read": _own("pools:read"),
    "outcomes.list": _own("pools:read"),
    "outcomes.read": _own("pools:read"),
    "shares.read": _own("pools:read"),
    "policies.list": PLANNING,
    "policies.read": PLANNING,
    "policies.write": PLANNER_UNSEEN,
    "policies.delete": PLANNER_UNSEEN,
    "runs.list": PLANNING,
    "runs.read": PLANNING,
    "runs.create": PLANNER_UNSEEN,
    "runs.cancel": PLANNER_UNSEEN,
    "near-misses.list": PLANNING,
    "risk.read": PLANNING,
    "pool-risk.read": PLANNING,
    "baselines.read": PLANNING,
    "baselines.create": PLANNER_UNSEEN,
    "unlocks.read": PLANNING,
    "unlocks.create": PLANNER_UNSEEN,
    "volume.list": PLANNING,
    "plan-volume.list": PLANNING,
    "what-ifs.read": PLANNING,
    "what-ifs.create": PLANNER_UNSEEN,
    "scenarios.list": PLANNING,
    "scenarios.read": PLANNING,
    "scenarios.create": PLANNER_UNSEEN,
    "scenario-plans.create": PLANNER_UNSEEN,
    "cycle-scenarios.create": PLANNER,
    "plan-differences.read": _own("pools:read"),
    "explanations.read": PLANNING,
    "explanations.create": PLANNER_UNSEEN,
}

OPERATIONS: Mapping[str, Row] = {  # own: what the principal asked for itself
    "operations.list": EVERYONE,
    "operations.read": Row(coordinator=OWN, planner=ALL, partner=OWN, auditor=ALL, administrator=OWN),
    "operations.cancel": Row(coordinator=OWN, planner=ALL, partner=OWN, administrator=OWN),
}

TOLD = Cell(Answer.ALLOW, Answer.HIDDEN, Answer.HIDDEN)
"""What one was told oneself: neither what others were told, nor planners."""
NOTICES: Mapping[str, Row] = {
    "notices.list": EVERYONE,
    "notices.read": Row(coordinator=TOLD, planner=ALL, partner=TOLD, auditor=ALL, administrator=UNSEEN),
    "notices.mark-read": Row(coordinator=TOLD, planner=ALL, partner=TOLD, administrator=UNSEEN),
}

CYCLES: Mapping[str, Row] = {
    "cycles.list": EVERYONE,
    "cycles.read": EVERYONE,
    "cycles.write": PLANNER,
    "cycles.coverage": _own("forecasts:read"),
    "cycles.open": PLANNER,
    "cycles.close": PLANNER,
    "cycles.reopen": PLANNER,
}

TENDERS: Mapping[str, Row] = {
    "tenders.list": _own("pools:read"),
    "tenders.read": _own("pools:read"),
    "tenders.history": _own("pools:read"),
    "tenders.propose": PLANNER,
    "tenders.update": PLANNER,
    "tenders.review": PLANNER,
    "tenders.invite": PLANNER,
    "tenders.confirm": PLANNER,
    "tenders.hand-over": PLANNER,
    "tenders.reject": PLANNER,
    "cycle-runs.create": PLANNER,
    "cycles.decide": PLANNER,
    "invitations.read": _own("pools:read"),
    "answers.read": _own("pools:read"),
    "answers.write": ANSWERING,
    "answers.ask-again": PLANNER,
    "standings.read": PLANNING,
    "consequences.read": PLANNING,
    "tender-notices.read": _own("pools:read"),
    "tender-repairs.list": PLANNING,
    "tender-repairs.create": PLANNER_UNSEEN,
    "tender-repairs.apply": PLANNER_UNSEEN,
}

AGREEMENTS: Mapping[str, Row] = {
    "allowances.read": _own("pools:read"),
    "call-offs.list": _own("pools:read"),
    "call-offs.read": _own("pools:read"),
    "call-offs.create": _change("pools:review"),
    "call-offs.cancel": _change("pools:review"),
    "effect.read": _own("pools:read"),
    "public-effect.read": PUBLIC,
}

FRAME: Mapping[str, Row] = {"start.list": PUBLIC}

MATRIX: Mapping[str, Row] = {
    **FRAME,
    **ACCESS,
    **NOTICES,
    **CYCLES,
    **DEMAND,
    **PLANNING_ROWS,
    **TENDERS,
    **AGREEMENTS,
    **OPERATIONS,
}
"""Every operation of the API by its id; a test fails on an operation without a row, and on a row without one."""
