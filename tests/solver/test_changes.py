"""Each kind of change against the same change made to the document by hand; every refusal names place and remedy."""

import copy
import json
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance
from solver.instance import Offer, Participant, Policy, Tier
from solver.whatif.changes import (
    KINDS,
    CriterionAccepted,
    CriterionRequired,
    ForbiddenAdded,
    ForbiddenDropped,
    LineLeaves,
    OfferChanged,
    ParticipantChanged,
    ParticipantLeaves,
    PolicyChanged,
    VolumeChanged,
    WindowMoved,
    apply,
    read_changes,
    to_document,
    touched,
)
from tests.solver.instances import Document, category, instance, instances, line, offer, participant


def document() -> Document:
    """Two families, a decided pool of SE-A and DK-B in the first, an entry of forbidden and one of previous."""
    rows = [
        line("a", "SE-A", required=["x"]),
        line("b", "DK-B", refused=["y"]),
        line("c", "SE-A", category="d", quantity=100, quantity_low=80, quantity_high=130),
        line("decided1", "SE-A"),
        line("decided2", "DK-B"),
        line("e", "FI-E"),
    ]
    decided = {"family": "f", "start": "2027-05", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["decided1"]}]}
    decided["lots"][0]["lines"].append("decided2")
    return instance(
        rows,
        [offer("o", criteria=["x"]), offer("p", category="d")],
        categories=[category("c"), category("d", family="g")],
        participants=[participant(name) for name in ("SE-A", "DK-B", "FI-E")],
        fixed=[decided],
        forbidden=[{"line": "e", "start": "2027-03"}, {"participant": "FI-E", "offer": "o"}],
        previous=[{"line": "e", "offer": "o", "start": "2027-02"}],
    )


def row(rows: list[Document], name: str) -> Document:
    return next(entry for entry in rows if entry["id"] == name)


def by_hand(change: Document) -> Document:
    """The document with the change made by the simplest means."""
    made = copy.deepcopy(document())
    HANDS[change["kind"]](made, change)
    return made


def _participant_leaves(made: Document, change: Document) -> None:
    made["lines"] = [entry for entry in made["lines"] if entry["participant"] != "FI-E"]
    made["participants"] = made["participants"][:2]
    made["forbidden"], made["previous"] = [], []


def _line_leaves(made: Document, change: Document) -> None:
    made["lines"] = [entry for entry in made["lines"] if entry["id"] != "e"]
    made["forbidden"], made["previous"] = made["forbidden"][1:], []


def _forbidden_added(made: Document, change: Document) -> None:
    blank = dict.fromkeys(("participant", "line", "family", "offer", "start"))
    made["forbidden"].append(blank | {name: value for name, value in change.items() if name != "kind"})


def _criterion_required(made: Document, change: Document) -> None:
    for entry in made["lines"]:
        if entry["participant"] == "SE-A" and "x" not in entry["required"]:
            entry["required"].append("x")


def _offer_changed(made: Document, change: Document) -> None:
    tiers = [{"from_quantity": 10, "unit_price_eur": 80.0}]
    made["offers"][1].update(max_quantity=5000, criteria=["y", "z"], tiers=tiers)


HANDS = {
    "participant_leaves": _participant_leaves,
    "line_leaves": _line_leaves,
    "forbidden_added": _forbidden_added,
    "forbidden_dropped": lambda made, _: made["forbidden"].pop(0),
    "criterion_required": _criterion_required,
    "criterion_accepted": lambda made, _: row(made["lines"], "a").update(required=[]),
    "volume_changed": lambda made, _: row(made["lines"], "c").update(quantity=150, quantity_low=120, quantity_high=195),
    "window_moved": lambda made, _: row(made["lines"], "b").update(earliest_start="2026-11", latest_start="2028-01"),
    "policy_changed": lambda made, _: made["policy"].update(
        min_participants=3, green_floor=["x"], criterion_value={"x": 0.1}
    ),
    "participant_changed": lambda made, _: made["participants"][1].update(max_leads=2, may_lead=False),
    "offer_changed": _offer_changed,
}

CHANGES = (
    {"kind": "participant_leaves", "participant": "FI-E"},
    {"kind": "line_leaves", "line": "e"},
    {"kind": "forbidden_added", "family": "g", "start": "2027-07"},
    {"kind": "forbidden_added", "line": "a"},
    {"kind": "forbidden_dropped", "line": "e", "start": "2027-03"},
    {"kind": "criterion_required", "participant": "SE-A", "criterion": "x"},
    {"kind": "criterion_accepted", "line": "a", "criterion": "x"},
    {"kind": "volume_changed", "line": "c", "factor": 1.5},
    {"kind": "volume_changed", "line": "c", "quantity": 150.0},
    {"kind": "volume_changed", "line": "c", "quantity": 150, "quantity_low": 120, "quantity_high": 195},
    {"kind": "volume_changed", "category": "d", "factor": 1.5},
    {"kind": "volume_changed", "family": "g", "participant": "SE-A", "factor": 1.5},
    {"kind": "window_moved", "line": "b", "earliest_months": -2, "latest_months": 1},
    {
        "kind": "policy_changed",
        "values": {"min_participants": 3.0, "green_floor": ["x"], "criterion_value": {"x": 0.1}},
    },
    {"kind": "participant_changed", "participant": "DK-B", "values": {"max_leads": 2, "may_lead": False}},
    {
        "kind": "offer_changed",
        "offer": "p",
        "values": {
            "max_quantity": 5000,
            "criteria": ["y", "z"],
            "tiers": [{"from_quantity": 10, "unit_price_eur": 80.0}],
        },
    },
)


def read(*rows: Document) -> tuple:
    return read_changes({"schema": "pooling.changes/1", "changes": list(rows)})


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_is_what_the_document_changed_by_hand_reads_as(change):
    changed = apply(Instance.from_document(document()), read(change))
    assert changed == Instance.from_document(by_hand(change))


def test_the_cases_above_name_every_kind():
    assert {change["kind"] for change in CHANGES} == set(KINDS)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_survives_being_written_and_read(change):
    changes = read(change)
    assert read_changes(json.loads(json.dumps(to_document(changes)))) == changes


def test_changes_are_made_one_after_another():
    before = Instance.from_document(document())
    changes = [VolumeChanged(line="c", factor=2), VolumeChanged(line="c", quantity=100), LineLeaves(line="b")]
    after = apply(before, changes)
    assert [entry.id for entry in after.lines] == ["a", "c", "decided1", "decided2", "e"]
    assert after.lines[1] == before.lines[2]


def test_what_a_change_does_not_touch_is_the_same_object():
    before = Instance.from_document(document())
    after = apply(before, [VolumeChanged(line="c", quantity=7)])
    assert [new is old for new, old in zip(after.lines, before.lines)] == [True, True, False, True, True, True]
    assert after.offers is before.offers
    assert after.policy is before.policy


def test_decided_lines_stay_when_their_participant_leaves():
    after = apply(Instance.from_document(document()), [ParticipantLeaves(participant="SE-A")])
    assert [entry.id for entry in after.lines] == ["b", "decided1", "decided2", "e"]
    assert [entry.id for entry in after.participants] == ["SE-A", "DK-B", "FI-E"]


def test_scaled_volumes_keep_their_order_after_rounding():
    after = apply(Instance.from_document(document()), [VolumeChanged(line="c", factor=0.001)])
    assert (after.lines[2].quantity_low, after.lines[2].quantity, after.lines[2].quantity_high) == (0, 1, 1)


@pytest.mark.parametrize(
    ("changes", "families"),
    [
        ([VolumeChanged(line="c", factor=2)], {"g"}),
        ([ParticipantLeaves(participant="SE-A")], {"f", "g"}),
        ([ForbiddenAdded(family="g", start="2027-01")], {"g"}),
        ([ForbiddenAdded(start="2027-01")], {"f", "g"}),
        ([ForbiddenAdded(offer="p")], {"g"}),
        ([ForbiddenAdded(participant="DK-B")], {"f"}),
        ([OfferChanged(offer="p", values={"max_quantity": 9})], {"g"}),
        ([PolicyChanged(values={"pool_cost_eur": 9})], {"f", "g"}),
        ([ParticipantChanged(participant="FI-E", values={"may_lead": False})], {"f"}),
        ([LineLeaves(line="c"), LineLeaves(line="a")], {"f", "g"}),
    ],
)
def test_a_change_tells_whose_lots_it_can_touch(changes, families):
    assert touched(Instance.from_document(document()), changes) == families


REFUSED = (
    ({"kind": "participant_leaves", "participant": "nobody"}, "changes[0].participant", "nobody"),
    ({"kind": "line_leaves", "line": "nothing"}, "changes[0].line", "nothing"),
    ({"kind": "line_leaves", "line": "decided1"}, "changes[0].line", "decided1"),
    ({"kind": "forbidden_added", "line": "decided1"}, "changes[0].line", "decided1"),
    ({"kind": "forbidden_added"}, "changes[0]", None),
    ({"kind": "forbidden_added", "family": "h"}, "changes[0].family", "h"),
    ({"kind": "forbidden_added", "start": "2027-7"}, "changes[0].start", "2027-7"),
    ({"kind": "forbidden_added", "offer": "q"}, "changes[0].offer", "q"),
    ({"kind": "criterion_required", "line": "b", "criterion": "y"}, "changes[0].refused of line b", ["y"]),
    ({"kind": "criterion_required", "line": "b", "criterion": ""}, "changes[0].criterion", ""),
    ({"kind": "criterion_required", "criterion": "x"}, "changes[0].line", None),
    ({"kind": "criterion_required", "line": "b"}, "changes[0].criterion", None),
    ({"kind": "criterion_accepted", "line": "b", "criterion": "x"}, "changes[0].criterion", "x"),
    ({"kind": "volume_changed", "line": "a"}, "changes[0].factor", None),
    ({"kind": "volume_changed", "line": "a", "factor": 0}, "changes[0].factor", 0),
    ({"kind": "volume_changed", "line": "a", "factor": float("nan")}, "changes[0].factor", None),
    ({"kind": "volume_changed", "line": "a", "factor": 1e14}, "changes[0].factor of line a", 1e14),
    ({"kind": "volume_changed", "line": "a", "quantity": 1.5}, "changes[0].quantity", 1.5),
    ({"kind": "volume_changed", "category": "c", "quantity": 5}, "changes[0].line", None),
    ({"kind": "volume_changed", "line": "a", "factor": 2, "quantity_low": 5}, "changes[0].quantity_low", 5),
    (
        {"kind": "volume_changed", "line": "a", "quantity": 5, "quantity_low": 9},
        "changes[0].quantity_low of line a",
        9,
    ),
    ({"kind": "window_moved", "line": "a"}, "changes[0].earliest_months", 0),
    ({"kind": "window_moved", "line": "a", "earliest_months": 1.5}, "changes[0].earliest_months", 1.5),
    (
        {"kind": "window_moved", "line": "a", "earliest_months": 12},
        "changes[0].earliest_start of line a",
        "2028-01",
    ),
    ({"kind": "policy_changed", "values": {}}, "changes[0].values", {}),
    ({"kind": "policy_changed", "values": {"colour": 1}}, "changes[0].values.colour", 1),
    ({"kind": "policy_changed", "values": {"confidence": 2}}, "changes[0].values.confidence", 2),
    ({"kind": "participant_changed", "participant": "SE-A", "values": {"id": "X"}}, "changes[0].values.id", "X"),
    ({"kind": "participant_changed", "participant": "X", "values": {"max_leads": 1}}, "changes[0].participant", "X"),
    ({"kind": "offer_changed", "offer": "o", "values": {"tiers": []}}, "changes[0].values.tiers", []),
    ({"kind": "offer_changed", "offer": "o", "values": {"tiers": [1]}}, "changes[0].values.tiers[0]", 1),
    ({"kind": "earthquake"}, "changes[0].kind", "earthquake"),
    ({"kind": "line_leaves", "line": "a", "when": "now"}, "changes[0].when", "now"),
    (17, "changes[0]", 17),
)


@pytest.mark.parametrize(("change", "path", "value"), REFUSED, ids=lambda entry: str(entry)[:60])
def test_a_change_that_cannot_be_made_is_refused_by_place_and_value(change, path, value):
    before = Instance.from_document(document())
    with pytest.raises(InvalidInstance) as refused:
        apply(before, read(change))
    fault = refused.value.faults[0]
    assert fault.path == path
    assert value is None or fault.value == value
    assert len(fault.remedy) > 5


def test_every_change_that_cannot_be_made_is_told():
    rows = [
        {"kind": "participant_leaves", "participant": "nobody"},
        {"kind": "line_leaves", "line": "a"},
        {"kind": "volume_changed", "line": "a", "factor": 2},
        {"kind": "policy_changed", "values": {"confidence": 2}},
    ]
    with pytest.raises(InvalidInstance) as refused:
        apply(Instance.from_document(document()), read(*rows))
    places = [fault.path.partition(".")[0] for fault in refused.value.faults]
    assert places == ["changes[0]", "changes[2]", "changes[3]"], "the third changes a line that has left"


ODD: tuple[object, ...] = (
    None, "", "x", "xy", 0, -1, 5, 1.5, 10**400, float("nan"), float("inf"), True, [], [[]], [{}], [None], ["x", "x"],
    {}, {"x": 1}, {"from_quantity": 1}, [{"from_quantity": 1}], [{"from_quantity": 5, "unit_price_eur": "x"}], "2027-1",
)  # fmt: skip


def odd_changes():
    """Every change above with one field of it, or of its values, that holds something odd."""
    for change in CHANGES:
        for value in ODD:
            yield from (change | {name: value} for name in change)
    for kind, of, names in (
        ("policy_changed", {}, {entry.name for entry in fields(Policy)}),
        ("participant_changed", {"participant": "SE-A"}, {entry.name for entry in fields(Participant)}),
        ("offer_changed", {"offer": "o"}, {entry.name for entry in fields(Offer)}),
    ):
        yield from ({"kind": kind, **of, "values": {name: value}} for name in sorted(names) for value in ODD)


def test_whatever_a_change_holds_is_made_or_refused():
    before = Instance.from_document(document())
    refusals = 0
    for change in odd_changes():
        try:
            after = apply(before, read(change))
            assert Instance.from_document(after.to_document()) == after, change
        except InvalidInstance as refused:
            refusals += 1
            assert all(fault.path.startswith("changes[0]") for fault in refused.faults), change  # noqa: PT017
            assert len({str(fault) for fault in refused.faults}) == len(refused.faults), change  # noqa: PT017
    assert refusals > 1000


@pytest.mark.parametrize("tiers", ["x", "xy", 5, None, {"from_quantity": 1}], ids=str)
def test_tiers_that_are_no_list_are_refused_by_place_and_value(tiers):
    with pytest.raises(InvalidInstance) as refused:
        apply(
            Instance.from_document(document()),
            read({"kind": "offer_changed", "offer": "o", "values": {"tiers": tiers}}),
        )
    (fault,) = refused.value.faults
    assert (fault.path, fault.value, fault.remedy) == ("changes[0].values.tiers", tiers, "give a list")


def test_every_wrong_value_of_a_change_is_named():
    tiers = [{"from_quantity": 0, "unit_price_eur": -1}, 3]
    values = {"tiers": tiers, "co2_saved_kg_per_unit": "x", "max_quantity": -1}
    with pytest.raises(InvalidInstance) as refused:
        apply(Instance.from_document(document()), read({"kind": "offer_changed", "offer": "o", "values": values}))
    assert sorted(fault.path for fault in refused.value.faults) == [
        "changes[0].values.co2_saved_kg_per_unit",
        "changes[0].values.max_quantity",
        "changes[0].values.tiers[0].from_quantity",
        "changes[0].values.tiers[0].unit_price_eur",
        "changes[0].values.tiers[1]",
    ]


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"schema": "pooling.changes/1"}, {"schema": "pooling.changes/1", "changes": []}]
    + [{"schema": "x", "changes": [CHANGES[0]]}, {"schema": "pooling.changes/1", "changes": [CHANGES[0]], "more": 1}],
)
def test_a_document_that_is_none_of_the_format_is_refused(document):
    with pytest.raises(InvalidInstance):
        read_changes(document)


def test_every_wrong_change_of_a_document_is_named():
    with pytest.raises(InvalidInstance) as refused:
        read({"kind": "x"}, CHANGES[0], {"kind": "line_leaves"})
    assert [fault.path for fault in refused.value.faults] == ["changes[0].kind", "changes[2].line"]


def test_every_wrong_field_of_a_change_is_named():
    with pytest.raises(InvalidInstance) as refused:
        read(
            {"kind": "volume_changed", "line": 5, "factor": -1, "when": "now"},
            {"kind": "criterion_required", "line": ""},
            {"kind": "offer_changed", "offer": "", "values": {"colour": 1}},
        )
    assert [fault.path for fault in refused.value.faults] == [
        "changes[0].when",
        "changes[0].line",
        "changes[0].factor",
        "changes[1].criterion",
        "changes[1].line",
        "changes[2].offer",
        "changes[2].values.colour",
    ]


def test_a_tier_may_be_given_as_such():
    change = OfferChanged(offer="p", values={"tiers": (Tier(10, 80.0),)})
    after = apply(Instance.from_document(document()), [change])
    assert after.offers[1].tiers == (Tier(10, 80.0),)
    assert read_changes(to_document([change])) == (
        OfferChanged(offer="p", values={"tiers": [{"from_quantity": 10, "unit_price_eur": 80.0}]}),
    )


@st.composite
def changed_instances(draw):
    """A random instance and some changes of all kinds that can be made to it."""
    before = draw(instances(max_lines=6))
    return before, [draw(st.sampled_from(possible(before))) for _ in range(draw(st.integers(1, 3)))]


def possible(before: Document) -> list:
    """Changes that the instance allows, of every kind that bears on it."""
    one = before["lines"][0]
    decided = {name for pool in before["fixed"] for lot in pool["lots"] for name in lot["lines"]}
    found = [
        ParticipantLeaves(participant=one["participant"]),
        ForbiddenAdded(participant=one["participant"]),
        ForbiddenAdded(family=before["categories"][0]["family"], start=one["latest_start"]),
        CriterionRequired(category=one["category"], criterion="new"),
        VolumeChanged(line=one["id"], factor=1.7),
        VolumeChanged(participant=one["participant"], factor=0.6),
        WindowMoved(line=one["id"], earliest_months=-1, latest_months=2),
        PolicyChanged(values={"pool_cost_eur": 100, "min_participants": 1}),
        PolicyChanged(values={"carbon_price_eur_per_tonne": 500, "max_countries_per_pool": 2}),
        ParticipantChanged(participant=one["participant"], values={"max_leads": 1, "max_pools_per_quarter": 1}),
    ]
    found += [LineLeaves(line=r["id"]) for r in before["lines"] if r["id"] not in decided][:1]
    found += [
        CriterionAccepted(line=r["id"], criterion=name)
        for r in before["lines"]
        for name in (*r["required"], *r["refused"])
    ][:2]
    found += [ForbiddenDropped(**entry) for entry in before["forbidden"][:1]]
    found += [OfferChanged(offer=row["id"], values={"max_quantity": 10**6}) for row in before["offers"][:1]]
    return found


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=changed_instances())
def test_a_changed_instance_is_one_that_reading_accepts(drawn):
    before, changes = drawn
    try:
        after = apply(Instance.from_document(before), changes)
    except InvalidInstance as refused:
        assert all(fault.path.startswith("changes[") for fault in refused.faults)  # noqa: PT017
        return
    assert Instance.from_document(after.to_document()) == after
