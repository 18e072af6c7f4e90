"""What members may know of each other, attacked: wholes of tenders that follow on each other, by plain arithmetic."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from pooling.access.rules import Visible
from pooling.database import connect
from pooling.schema import migrate
from pooling.tenders import invitation
from pooling.tenders.tables import Tender, TenderLot
from tests import copies
from tests.e2e.story import Story, got, told
from tests.e2e.story_given import BY_SYSTEM, GLOVES, OFFERS, POLICY, SPRING, file_of, row, skane
from tests.pooling.agreements.given import FROZEN, Bought, Given, LotGiven, agreement
from tests.pooling.planning.conftest import here
from tests.pooling.planning.demand import add_lines, line, submission

__all__ = ["here"]
CODES = ("SE-M", "SE-AB", "DK-82", "NO-HV", "IS", "FO")
TERMS = {"tiers": [{"from_quantity": 1, "unit_price_eur": 0.05}], "co2_saved_kg_per_unit": 0.0, "criteria": []}
SEEDS = range(12)


def gloves_of(story: Story, status: str) -> str:
    found = got(story.planner.get(f"/v1/tenders?cycle=spring&status={status}"))["items"]
    (key,) = [each["id"] for each in found if each["family"] == "gloves"]
    return str(key)


def invite(story: Story, key: str) -> None:
    got(story.changes_tender(key, facts={"environment_weight": 0.3}))
    got(story.decides(key, "review"))
    got(story.decides(key, "invite", due="2026-05-22"))


def whole_of(story: Story, code: str, key: str) -> tuple[int | None, str | None]:
    (lot,) = got(story.coordinator(code).get(f"/v1/tenders/{key}/invitation"))["lots"]
    return lot.get("total_per_year"), lot["withheld"]


@pytest.mark.usefixtures("here")
def test_two_tenders_in_a_row_do_not_tell_who_left_between_them(database_url: str) -> None:
    """Invited again without anybody having left, the whole is told again; without FI-11 it is not."""
    with told(database_url) as story:
        got(story.planner.put("/v1/policies/pilot", json=POLICY), 201)
        got(story.planner.put("/v1/cycles/spring", json=SPRING), 201)
        got(story.planner.put("/v1/offers/gloves-green", json=OFFERS["gloves-green"]), 201)
        story.until(2026, 4, 1)
        story.sends(story.coordinator("SE-M"), skane(650_000))
        story.sends(story.coordinator("FI-11"), file_of(row("FI-11", GLOVES, 300_000, "0.05")))
        for code, lines in BY_SYSTEM.items():
            body = {"source": f"erp-{code.lower()}", "cycle": "spring", "lines": lines[:1]}
            got(story.system(code).post("/v1/forecasts", json=body))
        story.until(2026, 5, 4)
        keys = []
        for _ in range(2):
            story.proposes("spring", story.plans("spring")["plan"])
            keys.append(gloves_of(story, "proposed"))
            invite(story, keys[-1])
            assert whole_of(story, "SE-M", keys[-1]) == (2_900_000, None)
            story.app.clock.now += timedelta(hours=1)
            if len(keys) > 1:
                got(story.answers(keys[-1], "FI-11", answer="decline", reason="a contract of our own"))
            got(story.decides(keys[-1], "reject", reason="anew"))
        story.proposes("spring", story.plans("spring")["plan"])
        last = gloves_of(story, "proposed")
        assert "FI-11" not in {each["participant"] for each in story.tender(last)["members"]}
        invite(story, last)
        for code in ("SE-M", "NO-HSO"):
            assert whole_of(story, code, last) == (None, "changed-since-the-invitation")
            assert [whole_of(story, code, key)[0] for key in keys] == [2_900_000, 2_900_000]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database with reference data, in which nothing is kept."""
    made = connect(f"sqlite:///{tmp_path_factory.mktemp('wholes') / 'pooling.sqlite'}")
    migrate(made)
    copies.install_reference(made)
    yield made
    made.dispose()


@dataclass(slots=True)
class World:
    """Tenders that follow on each other, with the lines in each; of each line whose it is, and its volume."""

    lines: dict[int, tuple[str, int]] = field(default_factory=dict)
    asked: list[tuple[UUID, tuple[int, ...]]] = field(default_factory=list)

    def send(self, session: Session, code: str, quantity: int) -> int:
        (number,) = add_lines(session, submission(session, str(uuid4()), status="superseded"), [line(code, quantity)])
        self.lines[number] = code, quantity
        return number

    def invite(self, session: Session, lines: tuple[int, ...]) -> None:
        buyers = {code: Bought(quantity) for code, quantity in (self.lines[each] for each in lines)}
        at = FROZEN + timedelta(days=len(self.asked))
        key = agreement(session, Given((LotGiven(buyers),), status="rejected", lines=lines, start="2027-01"))
        session.get_one(Tender, key).invited_at = at
        for lot in session.exec(select(TenderLot).where(col(TenderLot.tender) == key)):
            lot.offer_terms = TERMS
        session.flush()
        self.asked.append((key, lines))

    def wholes(self, session: Session, code: str) -> list[tuple[int, ...]]:
        """The lines in each sum that this member can ask for, now that all was done."""
        found = []
        for key, lines in self.asked:
            if code in {self.lines[each][0] for each in lines}:
                shown = invitation.invitation(session, Visible(participants=frozenset({code})), key, None).lots[0]
                if isinstance(shown.total_per_year, int):
                    assert shown.total_per_year == sum(self.lines[each][1] for each in lines)
                    found.append(lines)
        return found


def made(session: Session, seed: int) -> World:
    """Each keeps its line, sends it again with another or the same volume, leaves, or comes."""
    dice, world, now = random.Random(seed), World(), dict[str, int]()
    for _ in range(dice.randint(2, 4)):
        for code in CODES:
            if code not in now or dice.random() < 0.15:
                now[code] = world.send(session, code, dice.choice((300, 400, 500, 1500)))
        stays = 0.3 if dice.random() < 0.5 else 1.0
        inside = [code for code in CODES if dice.random() < max(stays, 0.7)]
        if len(inside) > 1:
            world.invite(session, tuple(now[code] for code in inside))
    return world


def rank(rows: list[list[Fraction]]) -> int:
    left, found = [list(each) for each in rows], 0
    for place in range(len(left[0]) if left else 0):
        pivot = next((each for each in left if each[place]), None)
        if pivot is not None:
            found += 1
            left.remove(pivot)
            for each in left:
                share = each[place] / pivot[place]
                each[:] = [mine - share * its for mine, its in zip(each, pivot, strict=True)]
    return found


def leaks(session: Session, world: World) -> list[str]:
    """What a member works out who knows its own lines: a sum, or difference of two, that is nearly one other's; or a
    combination of all it was told that is one other's alone."""
    found = []
    for code in CODES:
        sums = world.wholes(session, code)
        others = [number for number, (whose, _) in world.lines.items() if whose != code]
        for one, other in [*((each, ()) for each in sums), *combinations(sums, 2)]:
            for more, less in ((one, other), (other, one)):
                rest = [world.lines[each] for each in set(more) - set(less) if each in others]
                if set(less) < set(more) and rest and 10 * max(size for _, size in rest) > 8 * sum(s for _, s in rest):
                    found.append(f"{code}: {more} less {less}")
        rows = [[Fraction(number in each) for number in others] for each in sums]
        for victim in {world.lines[number][0] for number in others}:
            kept = [place for place, number in enumerate(others) if world.lines[number][0] != victim]
            if rank([[each[place] for place in kept] for each in rows]) < rank(rows):
                found.append(f"{code} works out {victim}")
    return found


def attacked(engine: Engine) -> tuple[list[str], int]:
    """What follows in small random worlds, and how many sums were told in them."""
    found, said = [], 0
    for seed in SEEDS:
        with Session(engine) as session:
            world = made(session, seed)
            found += [f"world {seed}: {each}" for each in leaks(session, world)]
            said += sum(len(world.wholes(session, code)) for code in CODES)
            session.rollback()
    return found, said


def test_no_member_works_out_another_from_all_it_was_ever_told(engine: Engine) -> None:
    found, said = attacked(engine)
    assert found == []
    assert said > len(SEEDS)


def test_the_attack_finds_wholes_judged_one_by_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitation, "asked_before", lambda *_: frozenset[int]())
    found, _ = attacked(engine)
    assert found
