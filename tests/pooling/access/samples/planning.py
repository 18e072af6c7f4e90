"""Planning: two pools, one with a line of the coordinator's region and one without, lines left out, and all that is
found out about their plan. Volumes and prices of lines and offers are the figures that must not travel."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlmodel import Session

from pooling.access.rules import EVERYONE
from pooling.database import reading
from pooling.market import service as market
from pooling.market.rules import Figure, OfferRecord, TierRecord
from pooling.planning import findings, policies, runs, scenario_sets, service, showing, whatifs, work
from pooling.planning.policy import policy_of
from pooling.planning.solving import Effort
from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.planning.demand import add_lines, line, offer, submission

if TYPE_CHECKING:
    from tests.pooling.access.world import World

BOTH = "surgical-gowns-reinforced-high-performance"
THEIRS = "blood-gas-syringes"
NOBODY_OFFERS = "vascular-coronary-stents"
THIRD = "NO-HV"
DAY = date(2026, 11, 1)
ANY_VERSION = {"If-Match": "*"}
WINDOW = {"earliest_start": "2028-06", "latest_start": "2028-06"}
CHEAP: dict[str, Any] = {"as_of": DAY, "forecast_correlation": 0.0}


def plant(world: "World") -> None:
    """Lines, offers, the plan of them, and what explains it."""
    with world.written() as opened:
        _offers(world, opened.session)
        _lines(world, opened.session)
    world.planted["policy"] = policy_of(CHEAP, today=DAY)
    plan = world.planted["plan"] = service.make_plan(world.engine, world.planted["policy"], now=world.now).plan
    _explain(world, plan)
    with reading(world.engine) as session:
        pools = showing.pools(session, EVERYONE, showing.Window(), plan=plan, family=None).items
    for pool in pools:
        own = world.participant("own") in (pool.members or [])
        world.planted.setdefault(("pool", "own" if own else "others"), pool.id)
    with world.written() as opened:
        document = {"pool_cost_eur": float(world.canary("none"))}
        policies.keep_policy(opened.session, "kept", document, now=opened.now, expect=lambda _: None)
    world.planted["run"] = _run(world)
    world.planted["what_if"] = _what_if(world, plan)
    world.planted["scenarios"] = _scenarios(world)


def _figure(world: "World") -> Figure:
    low, value, high = (world.canary("none") for _ in range(3))
    return Figure(value, low, high, "made up", DAY)


def _offers(world: "World", session: Session) -> None:
    """Their figures come first and are therefore below those of the lines: the volume is there, the price is lower."""
    made: list[OfferRecord] = [
        offer(f"{category}-o", category, tiers=(TierRecord(_figure(world), _figure(world)),), criteria=())
        for category in (BOTH, THEIRS)
    ]
    market.store_offers(session, made, file=("planning-samples.csv", "d" * 64), loaded_at=world.now)


def _lines(world: "World", session: Session) -> None:
    """Own and another's line in one pool, another's with a third's in a second, and a line of each that stays out."""
    of = submission(session, "planning-samples")
    places: tuple[tuple[Place, str], ...] = (
        ("own", BOTH),
        ("others", BOTH),
        ("others", THEIRS),
        ("own", NOBODY_OFFERS),
        ("others", NOBODY_OFFERS),
    )
    made = [_line(world, place, category) for place, category in places]
    made.append(line(THIRD, world.canary("none"), THEIRS, **WINDOW, unit_price_eur_micro=world.canary("none")))
    ids = add_lines(session, of, made)
    world.planted["pooled", "own"], world.planted["pooled", "others"] = ids[0], ids[2]
    world.planted["left", "own"], world.planted["left", "others"] = ids[3], ids[4]


def _line(world: "World", place: Place, category: str) -> dict[str, Any]:
    spread = {}
    if category != NOBODY_OFFERS:
        spread["quantity_low"] = world.canary(place)
    quantity = world.canary(place)
    if spread:
        spread["quantity_high"] = world.canary(place)
        spread["unit_price_eur_micro"] = world.canary(place)
    return line(str(world.participant(place)), quantity, category, **spread, **WINDOW)


def _explain(world: "World", plan: UUID) -> None:
    with reading(world.engine) as session:
        question = findings.question(session, plan)
    left = world.planted["left", "own"]
    nothing: dict[str, Any] = {"on_progress": lambda _: None, "stop": lambda: False}
    found = {kind: find(question) for kind, find in work.FIND.items()}
    found[findings.OF_BASELINES] = work.find_baselines(question, 5.0, **nothing)
    unlock = work.find_unlock(question, str(left), 5.0, **nothing)
    with world.written() as opened:
        for kind, document in found.items():
            findings.keep(opened.session, plan, kind, document, now=opened.now)
        findings.keep_unlock(opened.session, plan, left, unlock, now=opened.now)


def _run(world: "World") -> UUID:
    with world.written() as opened:
        made = runs.ask(
            opened.session, world.planted["policy"], effort=Effort(), now=opened.now, by=world.principals["planner"]
        )
    return made.id


def _what_if(world: "World", plan: UUID) -> UUID:
    with world.written() as opened:
        key = whatifs.later(
            opened.session, plan, CHANGES, time_limit_s=2.0, now=opened.now, by=world.principals["planner"]
        ).id
    with reading(world.engine) as session:
        question, changes, limit = whatifs.asked_in(session, key)
    document = work.find_difference(question, changes, limit)
    with world.written() as opened:
        whatifs.finish(opened.session, key, document)
    return key


def _scenarios(world: "World") -> UUID:
    effort = Effort(time_limit_s=10.0)
    with world.written() as opened:
        key = scenario_sets.ask(
            opened.session,
            world.planted["policy"],
            GRID,
            name="planted",
            effort=effort,
            now=opened.now,
            by=world.principals["planner"],
            policy_name=None,
        ).id
    with reading(world.engine) as session:
        frozen = service.take_snapshot(session, world.planted["policy"])
    document = work.find_scenarios(frozen.instance, GRID, effort, on_progress=lambda _: None)
    with world.written() as opened:
        scenario_sets.finish(opened.session, key, frozen, document, now=opened.now)
    return key


CHANGES = [{"kind": "participant_leaves", "participant": THIRD}]
GRID = {"min_participants": [2, 3]}


def _of_plan(path: str = "", **more: Any) -> Callable[["World", Place], Sent]:
    return lambda world, place: Sent(f"/v1/plans/{world.planted['plan']}{path}", **more)


def _of_pool(path: str = "") -> Callable[["World", Place], Sent]:
    return lambda world, place: Sent(f"/v1/pools/{world.planted['pool', place]}{path}")


def _of_line(kind: str, path: str = "", **more: Any) -> Callable[["World", Place], Sent]:
    return lambda world, place: Sent(
        f"/v1/plans/{world.planted['plan']}/lines/{world.planted[kind, place]}{path}", **more
    )


def _unlock(world: "World", place: Place) -> Sent:
    return Sent(f"/v1/plans/{world.planted['plan']}/lines/{world.planted['left', 'own']}/unlock")


def _ask_unlock(world: "World", place: Place) -> Sent:
    return Sent(_unlock(world, place).path, json={})


def _kept_policy(world: "World") -> str:
    name = f"p-{uuid4().hex}"
    with world.written() as opened:
        policies.keep_policy(opened.session, name, {}, now=opened.now, expect=lambda _: None)
    return name


PLACES: tuple[Place, ...] = ("own", "others")
SAMPLES = (
    Sample("policies.list", "GET", lambda world, place: Sent("/v1/policies")),
    Sample("policies.read", "GET", lambda world, place: Sent("/v1/policies/kept")),
    Sample(
        "policies.write",
        "PUT",
        lambda world, place: Sent(f"/v1/policies/{_kept_policy(world)}", json={}, headers=ANY_VERSION),
    ),
    Sample(
        "policies.delete",
        "DELETE",
        lambda world, place: Sent(f"/v1/policies/{_kept_policy(world)}", headers=ANY_VERSION),
    ),
    Sample("runs.list", "GET", lambda world, place: Sent("/v1/runs")),
    Sample("runs.read", "GET", lambda world, place: Sent(f"/v1/runs/{world.planted['run']}")),
    Sample("runs.create", "POST", lambda world, place: Sent("/v1/runs", json={"policy_name": "kept"})),
    Sample(
        "runs.cancel",
        "POST",
        lambda world, place: Sent(f"/v1/runs/{_run(world)}/cancel", json={"plan": "discard"}),
    ),
    Sample("plans.list", "GET", lambda world, place: Sent("/v1/plans")),
    Sample("plans.read", "GET", _of_plan()),
    Sample("pools.list", "GET", lambda world, place: Sent(f"/v1/pools?plan={world.planted['plan']}")),
    Sample("pools.read", "GET", _of_pool(), places=PLACES),
    Sample("shares.read", "GET", _of_pool("/shares"), places=PLACES),
    Sample("pool-risk.read", "GET", _of_pool("/risk"), places=PLACES),
    Sample("outcomes.list", "GET", _of_plan("/lines?limit=500")),
    Sample("outcomes.read", "GET", _of_line("left"), places=PLACES),
    Sample("near-misses.list", "GET", _of_plan("/near-misses")),
    Sample("risk.read", "GET", _of_plan("/risk")),
    Sample("plan-volume.list", "GET", _of_plan("/volume?limit=500")),
    Sample("volume.list", "GET", lambda world, place: Sent("/v1/volume?limit=500")),
    Sample("baselines.read", "GET", _of_plan("/baselines")),
    Sample("baselines.create", "POST", _of_plan("/baselines", json={})),
    Sample("explanations.read", "GET", _of_plan("/explanations")),
    Sample("explanations.create", "POST", _of_plan("/explanations")),
    Sample("unlocks.read", "GET", _unlock),
    Sample("unlocks.create", "POST", _ask_unlock),
    Sample(
        "what-ifs.create", "POST", _of_plan("/what-if", json={"changes": CHANGES}, headers={"Prefer": "respond-async"})
    ),
    Sample("what-ifs.read", "GET", lambda world, place: Sent(f"/v1/what-ifs/{world.planted['what_if']}")),
    Sample("scenarios.list", "GET", lambda world, place: Sent("/v1/scenarios")),
    Sample("scenarios.read", "GET", lambda world, place: Sent(f"/v1/scenarios/{world.planted['scenarios']}")),
    Sample(
        "scenario-plans.create",
        "POST",
        lambda world, place: Sent(f"/v1/scenarios/{world.planted['scenarios']}/plans", json={"number": 0}),
    ),
    Sample(
        "plan-differences.read",
        "GET",
        lambda world, place: Sent(f"/v1/plan-differences?from={world.planted['plan']}&to={world.planted['plan']}"),
    ),
    Sample("scenarios.create", "POST", lambda world, place: Sent("/v1/scenarios", json={"name": "more", "grid": GRID})),
)
