"""What the lead of a tender is shown once it runs the procedure, and nobody else."""

from typing import Any

import pytest

from tests.pooling.tenders.conftest import MEMBERS, Round, planned

__all__ = ["planned"]
LEAD = "SE-M"
FIGURES = ("estimate_quantity", "maximum_quantity", "estimate_value_cents", "maximum_value_cents")


@pytest.fixture
def handed(planned: Round) -> str:
    """Nobody but planners reads it before the hand-over, and they neither: there is nothing to publish yet."""
    key = planned.confirmed()
    assert planned.tender(key)["lead"] == LEAD
    for client in (planned.planner, planned.coordinator(LEAD)):
        assert client.get(f"/v1/tenders/{key}/notice").status_code == 404
    assert planned.do(key, "hand-over").status_code == 200
    return key


def test_the_lead_has_what_its_notice_states(planned: Round, handed: str) -> None:
    shown: dict[str, Any] = planned.coordinator(LEAD).get(f"/v1/tenders/{handed}/notice").json()
    tender = planned.tender(handed)
    assert [each["participant"] for each in shown["buyers"]] == list(MEMBERS)
    parts = {each["participant"]: each["volumes"] for each in tender["members"]}
    for buyer in shown["buyers"]:
        assert buyer["name"]
        assert [[each[name] for name in FIGURES] for each in buyer["lots"]] == [
            [each[name] for name in FIGURES] for each in parts[buyer["participant"]]
        ]
    assert [[lot[name] for name in FIGURES] for lot in shown["lots"]] == [
        [lot[name] for name in FIGURES] for lot in tender["lots"]
    ]
    assert shown["maximum_value_cents"] == sum(lot["maximum_value_cents"] for lot in tender["lots"])
    assert shown["estimate_value_cents"] < shown["maximum_value_cents"]
    asked = planned.planner.get(f"/v1/tenders/{handed}/consequences").json()["items"]
    assert shown["consequences"] == asked
    assert shown["lots"][0]["cpv"]
    assert planned.planner.get(f"/v1/tenders/{handed}/notice").json() == shown
    system = planned.api.client("partner", participants=[LEAD], scopes=["pools:read"])
    assert system.get(f"/v1/tenders/{handed}/notice").json() == shown


def test_nobody_else_is_shown_more_than_before(planned: Round, handed: str) -> None:
    others = [code for code in MEMBERS if code != LEAD]
    for codes in ([code] for code in (*others, "IS")):
        refused = planned.coordinator(*codes).get(f"/v1/tenders/{handed}/notice")
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    for code in others:
        seen = planned.coordinator(code).get(f"/v1/tenders/{handed}").json()
        assert seen["lots"] == []
        assert [each["participant"] for each in seen["members"]] == [code]
        assert planned.coordinator(code).get(f"/v1/tenders/{handed}/consequences").status_code == 404
    blind = planned.api.client("partner", participants=[LEAD], scopes=["forecasts:read"])
    assert blind.get(f"/v1/tenders/{handed}/notice").status_code == 403


def test_the_notice_tells_nothing_of_the_offer_and_of_what_is_paid_today(planned: Round, handed: str) -> None:
    answer = planned.coordinator(LEAD).get(f"/v1/tenders/{handed}/notice")
    shown, (lot,) = answer.json(), planned.tender(handed)["lots"]
    assert set(shown["lots"][0]) == {"lot", "category", "cpv", "unit", "criteria", "term_months", *FIGURES}
    about = {"participant", "name", "country", "role", "signing_body", "lead", "lots"}
    assert all((set(each), set(each["lots"][0])) == (about, {"lot", *FIGURES}) for each in shown["buyers"])
    assert lot["offer"] not in answer.text
    assert lot["offer_name"] not in answer.text
