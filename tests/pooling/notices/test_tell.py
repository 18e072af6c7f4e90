"""Telling: once for a key, kept with what it tells of, to those it is for and to nobody else."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from pooling.access import contacts, people
from pooling.access.people import Rights
from pooling.access.rules import Role
from pooling.database import transaction
from pooling.notices.rules import FACTS, Kind
from pooling.notices.service import tell
from pooling.notices.wording import WORDS, due_line, words_of
from tests.pooling.api_client import NOW, Api, api

CYCLE = {"cycle": "2027-1", "closes_on": date(2027, 3, 31)}


def told(engine: Engine, **changes: Any) -> int:
    """A notice in a transaction of its own."""
    given: dict[str, Any] = {
        "kind": "cycle-opens",
        "subject": ("cycle", "2027-1"),
        "key": "cycle-opens:2027-1",
        "now": NOW,
        "facts": CYCLE,
        "due": date(2027, 3, 31),
    }
    with transaction(engine) as session:
        return tell(session, **{**given, **changes})


def person(engine: Engine, role: Role, *codes: str, email: str | None = None) -> UUID:
    rights = Rights(roles=frozenset({role}), participants=frozenset(codes))
    with transaction(engine) as session:
        return people.add_person(session, "Made Up", rights, now=NOW, email=email)


def mails(engine: Engine) -> list[UUID]:
    with transaction(engine) as session:
        return sorted(UUID(str(row[0])) for row in session.connection().execute(text("SELECT principal FROM outbox")))


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as made:
        yield made


def listed(app: Api, role: str, *codes: str, query: str = "") -> list[dict[str, Any]]:
    answer = app.client(role, participants=codes).get(f"/v1/notices{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_a_participants_people_and_systems_see_it_and_nobody_else(app: Api) -> None:
    assert told(app.engine, participants=["SE-M", "DK-82"]) == 2
    [own] = listed(app, "coordinator", "SE-M")
    assert (own["participant"], own["kind"], own["due"], own["read_at"]) == ("SE-M", "cycle-opens", "2027-03-31", None)
    assert own["title"] == "Cycle 2027-1 is open"
    assert own["look_at"] == "/v1/cycles/2027-1"
    assert [each["id"] for each in listed(app, "partner", "SE-M")] == [own["id"]]
    for role in ("planner", "auditor", "administrator"):
        assert listed(app, role) == []
    other = app.client("coordinator", participants=["DK-82"])
    assert other.get(f"/v1/notices/{own['id']}").status_code == 404
    assert other.post(f"/v1/notices/{own['id']}/read").status_code == 404
    assert other.get("/v1/notices?participant=SE-M").json()["items"] == []
    assert [each["id"] for each in listed(app, "planner", query="?participant=SE-M")] == [own["id"]]


def test_planners_and_single_principals_are_told_apart(app: Api) -> None:
    me = app.account("coordinator", participants=["SE-M"]).principal.id
    told(app.engine, planners=True)
    told(app.engine, principals=[me])
    assert [each["participant"] for each in listed(app, "planner")] == [None]
    assert len(listed(app, "coordinator", "SE-M")) == 1
    assert listed(app, "coordinator", "DK-82") == []


def test_the_same_key_is_told_once_to_each_audience(app: Api) -> None:
    assert told(app.engine, participants=["SE-M"]) == 1
    assert told(app.engine, participants=["SE-M", "DK-82"]) == 1
    assert told(app.engine, participants=["SE-M"], planners=True) == 1
    assert told(app.engine, participants=["SE-M"], key="another") == 1
    assert len(listed(app, "coordinator", "SE-M")) == 2


def test_what_is_undone_was_never_told(app: Api) -> None:
    with transaction(app.engine) as session:
        tell(session, kind=Kind.CYCLE_OPENS, subject=("cycle", "x"), key="k", now=NOW, planners=True, facts=CYCLE)
        session.rollback()
    assert listed(app, "planner") == []


def test_two_that_tell_the_same_at_once_tell_it_once(app: Api) -> None:
    person(app.engine, Role.COORDINATOR, "SE-M", email="one@region.example")
    news: list[int] = []
    start = threading.Barrier(4)

    def go() -> None:
        start.wait()
        news.append(told(app.engine, participants=["SE-M", "DK-82", "NO-HV"], planners=True))

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(news) == [0, 0, 0, 4]
    assert len(mails(app.engine)) == 1


def test_a_mail_for_each_person_with_an_address_that_it_is_for(app: Api) -> None:
    both = person(app.engine, Role.COORDINATOR, "SE-M", "DK-82", email="both@region.example")
    planner = person(app.engine, Role.PLANNER, email="plan@region.example")
    alone = person(app.engine, Role.AUDITOR, email="audit@region.example")
    person(app.engine, Role.COORDINATOR, "SE-M")
    person(app.engine, Role.COORDINATOR, "NO-HV", email="other@region.example")
    gone = person(app.engine, Role.COORDINATOR, "SE-M", email="gone@region.example")
    with transaction(app.engine) as session:
        people.revoke(session, gone, now=NOW)
    told(app.engine, participants=["SE-M", "DK-82"], planners=True, principals=[alone])
    assert mails(app.engine) == sorted([both, planner, alone])


def test_reading_is_each_readers_own_and_the_first_time_counts(app: Api) -> None:
    told(app.engine, participants=["SE-M"])
    mine, theirs = app.client("coordinator", participants=["SE-M"]), app.client("partner", participants=["SE-M"])
    [shown] = mine.get("/v1/notices?unread=true").json()["items"]
    path = f"/v1/notices/{shown['id']}"
    before = mine.get(path)
    first = mine.post(f"{path}/read")
    assert first.status_code == 200, first.text
    assert first.headers["ETag"] != before.headers["ETag"]
    app.clock.now += timedelta(hours=1)
    again = mine.post(f"{path}/read")
    assert again.json()["read_at"] == first.json()["read_at"] is not None
    assert mine.get("/v1/notices?unread=true").json()["items"] == []
    assert len(mine.get("/v1/notices").json()["items"]) == 1
    assert len(theirs.get("/v1/notices?unread=true").json()["items"]) == 1


def test_pages_hold_the_latest_first_and_each_once(app: Api) -> None:
    for number in range(5):
        told(app.engine, participants=["SE-M"], key=f"k{number}", now=NOW + timedelta(hours=number // 2))
    reader = app.client("coordinator", participants=["SE-M"])
    seen, path = [], "/v1/notices?limit=2"
    while path:
        page = reader.get(path).json()
        seen += [(each["created_at"], each["id"]) for each in page["items"]]
        path = f"/v1/notices?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_an_address_is_ones_own_and_goes_with_the_name(app: Api) -> None:
    coordinator = app.client("coordinator", participants=["SE-M"])
    for wrong in ("nobody", "a@b", "a b@region.example", "a@region.example\nBcc: x@y.example", "å@region.example"):
        assert coordinator.put("/v1/me/contact", json={"email": wrong}).status_code == 422, wrong
    answer = coordinator.put("/v1/me/contact", json={"email": " ada@region.example "}, headers={"If-Match": "*"})
    assert answer.json()["email"] == "ada@region.example"
    assert coordinator.get("/v1/me").json()["email"] == "ada@region.example"
    assert app.client("partner", participants=["SE-M"]).put("/v1/me/contact", json={"email": None}).status_code == 404
    me = app.account("coordinator", participants=["SE-M"]).principal.id
    administrator = app.client("administrator")
    assert "ada@" not in administrator.get(f"/v1/principals/{me}").text
    answer = administrator.delete(f"/v1/principals/{me}/name", headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text
    with transaction(app.engine) as session:
        assert contacts.email_of(session, me) is None
        assert session.connection().execute(text("SELECT count(*) FROM person WHERE email IS NOT NULL")).scalar() == 0


def test_a_person_can_be_let_in_with_an_address_and_a_system_cannot(app: Api) -> None:
    keeper = app.client("administrator")
    body = {"kind": "person", "name": "Ada", "roles": ["planner"], "email": "ada@region.example"}
    assert keeper.post("/v1/principals", json=body).status_code == 201
    with transaction(app.engine) as session:
        assert len(contacts.planners(session)) == 1
    system = {"kind": "key", "name": "ERP", "roles": ["partner"], "participants": ["SE-M"], "email": "a@region.example"}
    refused = keeper.post("/v1/principals", json=system)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-input")


# kinds, facts and words: pure


def test_every_kind_has_facts_and_words_in_every_language() -> None:
    assert set(FACTS) == set(Kind)
    for language, words in WORDS.items():
        assert set(words) == set(Kind), language
        for kind in Kind:
            made = words_of(kind, dict.fromkeys(FACTS[kind], "xyz"), language=language)
            assert "{" not in made.title + made.text
            assert 5 < len(made.title) < 120
    assert due_line(date(2027, 3, 31)) == "Due by the end of 2027-03-31."


@pytest.mark.parametrize(
    "facts",
    [
        {"cycle": "x"},
        {**CYCLE, "price": "1"},
        {**CYCLE, "cycle": 5},
        {**CYCLE, "cycle": 5.0},
        {**CYCLE, "cycle": ""},
        {**CYCLE, "cycle": "x" * 201},
        {**CYCLE, "cycle": "a\nBcc: b@c.example"},
    ],
)
def test_facts_are_those_of_the_kind_and_hold_no_figure(engine: Engine, facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="notice cycle-opens"):
        told(engine, planners=True, facts=facts)


def test_a_notice_that_was_kept_without_a_fact_is_told_all_the_same() -> None:
    facts = {"family": "gloves", "category": "nitrile", "standing": "near-estimate"}
    assert " by a buyer from " in words_of(Kind.CALL_OFF_WARNING, facts).text
