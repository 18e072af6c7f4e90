"""No input ends in a traceback: anything at all, through the real command line, is answered or refused by name."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver.__main__ import main
from solver.check import check
from solver.whatif.changes import KINDS as KNOWN_KINDS
from tests.solver.instances import Document, category, instance, line, offer, participant

ROOT = Path(__file__).parents[2]
QUIET: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}
NESTED: Any = "x"
for _ in range(150):
    NESTED = [NESTED]
WILD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1.5, -0.5, 0.0, 2**53, 2**53 + 1, -(2**63), 10**300, 1e308, -1e308, 5e-324,
    float("nan"), float("inf"), float("-inf"), "", "x", "2027-01", "2027-13", "0000-01", "9999-12", "\ud800", "\x00",
    "'; DROP", "a" * 5000, [], {}, [[]], [{}], [None], {"": None}, {"id": 3}, NESTED,
)  # fmt: skip
"""Values of every type and size, in place of what belongs there."""


def sound() -> Document:
    """Two families, something of every list, and a decided pool."""
    lines = [line(f"{c}-{p}", p, category=c) for c in ("c", "d") for p in ("SE-A", "DK-B", "FI-C")]
    lines[0] |= {"required": ["ecolabel"], "refused": ["pvc-free"], "quantity_low": 400, "quantity_high": 700}
    lots = [{"offer": "q", "lines": ["d-FI-C", "d-SE-A"]}]
    return instance(
        lines,
        [
            offer("o", (900, 90.0), (1400, 85.0), criteria=["ecolabel"], max_quantity=5000, total_max_quantity=9000),
            offer("q", (900, 80.0), category="d", co2_saved_kg_per_unit=1.5),
        ],
        participants=[participant(p, max_leads=3, max_pools_per_quarter=4) for p in ("SE-A", "DK-B", "FI-C")],
        categories=[category("c", term_months=24), category("d", family="g")],
        fixed=[{"family": "g", "start": "2027-02", "lead": "FI-C", "lots": lots}],
        forbidden=[{"line": "c-DK-B", "start": "2027-03"}],
        previous=[{"line": "c-SE-A", "offer": "o", "start": "2027-01"}],
        criterion_value={"ecolabel": 0.01},
        green_floor=[],
        confidence=0.8,
        max_pools_per_quarter=9,
        max_participants_per_pool=9,
        max_countries_per_pool=9,
    )


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A plan of the sound instance."""
    folder = tmp_path_factory.mktemp("solved")
    (folder / "i.json").write_text(json.dumps(sound()), encoding="utf-8")
    assert main(["solve", str(folder / "i.json"), "--out", str(folder / "p.json")]) == 0
    document: Document = json.loads((folder / "p.json").read_text(encoding="utf-8"))
    assert check(sound(), document) == []
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("robust")


# Changes to a document


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in it, itself left out."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield (*path, key)
        yield from paths(value, (*path, key))


def holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> None:
    holder(document, path)[path[-1]] = value


def dropped(document: Any, path: tuple[Any, ...], _value: Any) -> None:
    del holder(document, path)[path[-1]]


def doubled(document: Any, path: tuple[Any, ...], _value: Any) -> None:
    place = holder(document, path)
    if isinstance(place, list):
        place.append(copy.deepcopy(place[path[-1]]))
    else:
        place[f"{path[-1]}2"] = place[path[-1]]


def swapped(document: Any, path: tuple[Any, ...], _value: Any) -> None:
    """A list for an object, an object for a list."""
    place = holder(document, path)
    value = place[path[-1]]
    if isinstance(value, list):
        place[path[-1]] = {str(k): one for k, one in enumerate(value)}
    elif isinstance(value, dict):
        place[path[-1]] = list(value.values())


CHANGES = (replaced, replaced, replaced, dropped, doubled, swapped)


def mutated(document: Document, choose: Callable[[Any], Any], times: int) -> Document:
    """The document after some changes at places of its own."""
    document = copy.deepcopy(document)
    for _ in range(times):
        places = list(paths(document))
        if places:
            choose(CHANGES)(document, choose(places), copy.deepcopy(choose(WILD)))
    return document


# What must hold of every answer


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def refused_by_name(code: int, err: str) -> bool:
    """Every line of a refusal says where, what and what to do about it."""
    lines = [text for text in err.splitlines() if "families" not in text]
    return code == 2 and bool(lines) and all(text.count(": ") >= 1 for text in lines)


def put(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


# Text that is no document


def texts() -> dict[str, bytes]:
    sound_text = json.dumps(sound()).encode()
    return {
        "empty": b"",
        "blank": b" \n\t ",
        "cut short": sound_text[:-1],
        "cut in the middle": sound_text[: len(sound_text) // 2],
        "two documents": sound_text * 2,
        "not UTF-8": sound_text.replace(b"SE-A", b"S\xc4-A"),
        "UTF-16": json.dumps(sound()).encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + sound_text,
        "binary": bytes(range(256)) * 20,
        "zeros": bytes(1000),
        "compressed": b"\x1f\x8b\x08\x00" + bytes(range(200)),
        "deeper than any reader": b"[" * 100_000,
        "deep": b"[" * 900 + b"]" * 900,
        "deep in a place": sound_text.replace(b'"2027-01"', b"[" * 800 + b"]" * 800, 1),
        "a number of many digits": sound_text.replace(b": 500", b": " + b"9" * 5000, 1),
        "a number beyond all floats": sound_text.replace(b": 500", b": 1e999", 1),
        "no quotes": b"{schema: 1}",
        "Python": repr(sound()).encode(),
        "a list": b"[]",
        "a text": b'"pooling.instance/1"',
        "a number": b"1e400",
        "nothing": b"null",
        "a comment": b"// x\n" + sound_text,
        "a name twice": sound_text.replace(b'"id": "c-SE-A"', b'"id": "c-SE-A", "id": "c-SE-A"', 1),
        "names of nothing twice": b'{"": 1, "": 2, "a": {"b": 1, "b": {"c": 0, "c": 1}}}',
    }


@pytest.mark.parametrize("name", texts())
def test_text_that_is_no_document_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound_path = put(folder / "sound.json", sound())
    bad = folder / "bad.json"
    bad.write_bytes(texts()[name])
    for arguments in placed(str(bad), sound_path):
        code, out, err = run(arguments, capsys)
        assert refused_by_name(code, err), (arguments, err)
        assert out == ""
    code, out, err = run(["check", sound_path, str(bad)], capsys)
    assert refused_by_name(code, err) or (code == 1 and out), "the judge may read it, and says what it is not"


def placed(bad: str, sound_path: str) -> list[list[str]]:
    """Commands with the bad document in each place where they take one."""
    return [
        ["solve", bad],
        ["check", bad, sound_path],
        ["what-if", bad, sound_path, sound_path],
        ["what-if", sound_path, bad, sound_path],
        ["explain", bad, sound_path],
        ["explain", sound_path, bad],
        ["explain", sound_path, sound_path, "--ranges", bad],
        ["scenarios", bad, "--grid", sound_path],
        ["scenarios", sound_path, "--grid", bad],
        ["baselines", bad],
        ["baselines", sound_path, bad],
    ]


# Instances


@settings(max_examples=400, **QUIET)
@given(data=st.data())
def test_a_changed_instance_is_solved_or_refused(
    data: st.DataObject, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    document = mutated(sound(), choose, data.draw(st.integers(1, 3)))
    target = put(folder / "i.json", document)
    code, out, err = run(["solve", target, "--time-limit", "20"], capsys)
    if code == 0:
        assert check(document, json.loads(out)) == []
    else:
        assert refused_by_name(code, err), err


LARGE: dict[type, tuple[Any, ...]] = {
    int: (0, 1, 2, 3, 1200, 10**9, 2**53),
    float: (0.0, 5e-324, 1e-9, 0.5, 0.999999999999, 1.0, 1e9, 1e15, 1e100, 1e308),
    str: ("0000-01", "0001-01", "2027-01", "2027-12", "9999-12"),
}


def enlarged(document: Document, choose: Callable[[Any], Any], times: int) -> Document:
    """The document with figures and months that are of the right kind and as far out as that allows."""
    document = copy.deepcopy(document)
    figures = [
        path
        for path in paths(document)
        if isinstance(value := holder(document, path)[path[-1]], int | float) and not isinstance(value, bool)
    ]
    months = [path for path in paths(document) if "start" in str(path[-1])]
    for _ in range(times):
        path = choose([*figures, *months])
        replaced(document, path, choose(LARGE[str] if path in months else LARGE[choose((int, float))]))
    return document


@settings(max_examples=400, **QUIET)
@given(data=st.data())
def test_an_instance_with_figures_far_out_is_solved_or_refused(
    data: st.DataObject, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    document = enlarged(sound(), choose, data.draw(st.integers(1, 4)))
    target, plan = put(folder / "i.json", document), folder / "far.json"
    code, _, err = run(["solve", target, "--time-limit", "20", "--out", str(plan)], capsys)
    if code != 0:
        assert refused_by_name(code, err), err
        return
    assert check(document, json.loads(plan.read_text(encoding="utf-8"))) == []
    code, out, err = run(["explain", target, str(plan), "--unlock-budget", "2"], capsys)
    if code == 0:
        assert json.loads(out)["schema"] == "pooling.explanation/1"
    else:
        assert refused_by_name(code, err), err


# Plans, changes and grids


@settings(max_examples=200, **QUIET)
@given(data=st.data())
def test_a_changed_plan_is_judged_read_or_refused(
    data: st.DataObject, solved: Document, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    plan = put(folder / "p.json", mutated(solved, choose, data.draw(st.integers(1, 3))))
    question = put(folder / "sound.json", sound())
    changes = put(folder / "c.json", changed_by({"kind": "line_leaves", "line": "c-DK-B"}))
    code, out, err = run(["check", question, plan], capsys)
    assert (code, bool(out), err) in ((0, False, ""), (1, True, ""))
    answered, _, err = run(["what-if", question, plan, changes], capsys)
    assert answered == 0 if code == 0 else refused_by_name(answered, err), err


def changed_by(*changes: Document) -> Document:
    return {"schema": "pooling.changes/1", "changes": list(changes)}


KINDS: tuple[Document, ...] = (
    {"kind": "line_leaves", "line": "c-DK-B"},
    {"kind": "participant_leaves", "participant": "DK-B"},
    {"kind": "forbidden_added", "participant": "SE-A", "start": "2027-02"},
    {"kind": "forbidden_dropped", "line": "c-DK-B", "start": "2027-03"},
    {"kind": "criterion_required", "line": "c-DK-B", "criterion": "ecolabel"},
    {"kind": "criterion_accepted", "category": "c", "criterion": "pvc-free"},
    {"kind": "volume_changed", "family": "f", "factor": 1.5},
    {"kind": "volume_changed", "line": "c-FI-C", "quantity": 700, "quantity_low": 600, "quantity_high": 900},
    {"kind": "window_moved", "line": "c-DK-B", "earliest_months": -1, "latest_months": 2},
    {"kind": "policy_changed", "values": {"min_participants": 3, "carbon_price_eur_per_tonne": 200}},
    {"kind": "participant_changed", "participant": "SE-A", "values": {"may_lead": False}},
    {"kind": "offer_changed", "offer": "o", "values": {"max_quantity": 1200}},
)


def test_every_kind_of_change_is_there_and_answered(
    solved: Document, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {document["kind"] for document in KINDS} == set(KNOWN_KINDS)
    question, plan = put(folder / "sound.json", sound()), put(folder / "p.json", solved)
    for document in KINDS:
        code, _, err = run(["what-if", question, plan, put(folder / "c.json", changed_by(document))], capsys)
        assert code == 0, (document, err)


@settings(max_examples=200, **QUIET)
@given(data=st.data())
def test_changed_changes_are_answered_or_refused(
    data: st.DataObject, solved: Document, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    document = mutated(changed_by(choose(KINDS), choose(KINDS)), choose, data.draw(st.integers(0, 2)))
    changes = put(folder / "c.json", document)
    question, plan = put(folder / "sound.json", sound()), put(folder / "p.json", solved)
    code, out, err = run(["what-if", question, plan, changes], capsys)
    if code == 0:
        assert json.loads(out)["schema"] == "pooling.what-if/1"
    else:
        assert refused_by_name(code, err), err


@settings(max_examples=100, **QUIET)
@given(data=st.data())
def test_a_changed_grid_is_answered_or_refused(
    data: st.DataObject, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    fields = {"confidence": [0.5, 0.9], "carbon_price_eur_per_tonne": [0, 100], "green_floor": [[], ["ecolabel"]]}
    fields |= {"criterion_value.ecolabel": [0.02], "criterion_value_scale": [2], "min_participants": [2]}
    document = mutated({choose(list(fields)): fields[choose(list(fields))]}, choose, data.draw(st.integers(0, 2)))
    grid = put(folder / "g.json", document)
    question = put(folder / "sound.json", sound())
    code, out, err = run(["scenarios", question, "--grid", grid, "--time-limit", "30"], capsys)
    if code == 0:
        assert json.loads(out)["schema"] == "pooling.scenarios/1"
    else:
        lines = [text for text in err.splitlines() if " plans" not in text]
        assert refused_by_name(code, "\n".join(lines)), err


# The same as a process of its own


@pytest.mark.parametrize("name", ["empty", "not UTF-8", "binary", "deeper than any reader", "a name twice"])
def test_a_process_ends_with_2_and_no_traceback(name: str, folder: Path) -> None:
    command = [sys.executable, "-m", "solver", "solve", "-"]
    ran = subprocess.run(command, input=texts()[name], capture_output=True, cwd=ROOT, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"Traceback" not in ran.stderr
    assert ran.stderr.startswith(b"-: ")


def test_every_fault_of_a_document_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = sound()
    document["lines"][0]["quantity"] = -1
    document["lines"][1]["category"] = "zz"
    document["offers"][0]["tiers"] = []
    document["policy"]["confidence"] = float("nan")
    document["colour"] = "red"
    code, _, err = run(["solve", put(folder / "i.json", document)], capsys)
    assert code == 2
    assert [text.partition(": ")[0] for text in err.splitlines()] == [
        "colour", "policy.confidence", "offers[0].tiers", "lines[0].quantity", "lines[1].category",
    ]  # fmt: skip


def test_a_name_twice_is_told_with_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = folder / "bad.json"
    bad.write_bytes(texts()["names of nothing twice"])
    _, _, err = run(["solve", str(bad)], capsys)
    assert [text.removeprefix(f"{bad}: ").partition(": ")[0] for text in err.splitlines()] == ["", "a.b", "a.b.c"]


def test_the_check_of_refusals_finds_what_is_not_named() -> None:
    assert not refused_by_name(2, "")
    assert not refused_by_name(2, "something is wrong")
    assert not refused_by_name(0, "lines[0].quantity: -1: give a whole number")
    assert refused_by_name(2, "lines[0].quantity: -1: give a whole number")
