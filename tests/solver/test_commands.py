"""The command line: what each command writes, how it refuses, and what Ctrl-C does to it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from solver.__main__ import _parser, main
from solver.check import check
from solver.instance import Instance
from solver.risk.ranges import read_ranges
from solver.running.interrupts import ONE_KEYSTROKE_S, until_interrupted
from solver.running.workers import GRACE_S
from solver.scenarios.grids import settings
from solver.whatif.changes import KINDS, read_changes
from tests.solver.instances import Document, category, instance, line, offer
from tests.solver.many_families import families

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small instance ``i.json`` with its plan ``p.json``: two families, one line left out."""
    made = tmp_path_factory.mktemp("commands")
    lines = [line(f"{c}-{p}", p, category=c) for c in ("c", "d") for p in ("SE-A", "DK-B", "FI-C")]
    lines.append(line("late", "SE-A", category="c", earliest_start="2029-01", latest_start="2029-06"))
    offers = [offer("o", (1000, 90.0), (1500, 85.0)), offer("q", (900, 80.0), category="d", criteria=["ecolabel"])]
    document = instance(lines, offers, categories=[category("c"), category("d", family="g")], confidence=0.8)
    put(made / "i.json", document)
    assert main(["solve", str(made / "i.json"), "--out", str(made / "p.json")]) == 0
    return made


def put(path: Path, document: object) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def get(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    capsys.readouterr()
    code = main(arguments)
    return code, *capsys.readouterr()


# Solving and checking


def test_solve_writes_a_plan_that_the_judge_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(["solve", str(folder / "i.json")], capsys)
    assert code == 0
    assert check(get(folder / "i.json"), json.loads(out)) == []
    assert "done: " in err
    assert "best " in err
    assert "bound " in err
    assert "gap " in err
    assert told(["check", str(folder / "i.json"), str(folder / "p.json")], capsys) == (0, "", "")


def test_check_tells_each_violation_and_exits_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = get(folder / "p.json")
    plan["pools"][0]["lots"][0]["lines"].append("\ud800")
    plan["objective_eur"] += 1000
    code, out, _ = told(["check", str(folder / "i.json"), put(folder / "bad.json", plan)], capsys)
    assert code == 1
    assert r"'\ud800'" in out
    assert len(out.splitlines()) >= 2


def test_workers_and_seed_are_taken(folder: Path) -> None:
    arguments = ["--workers", "2", "--seed", "5", "--time-limit", "30", "--out", str(folder / "p2.json")]
    assert main(["solve", str(folder / "i.json"), *arguments]) == 0
    first, second = get(folder / "p.json"), get(folder / "p2.json")
    assert (second["workers"], second["seed"]) == (2, 5)
    assert second["objective_eur"] == pytest.approx(first["objective_eur"])


def test_standard_input_and_output(folder: Path) -> None:
    command = [sys.executable, "-m", "solver", "solve", "-"]
    ran = subprocess.run(command, input=(folder / "i.json").read_bytes(), capture_output=True, cwd=ROOT, check=True)
    assert check(get(folder / "i.json"), json.loads(ran.stdout)) == []


# Asking


def test_what_if_answers_the_difference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"schema": "pooling.changes/1", "changes": [{"kind": "participant_leaves", "participant": "SE-A"}]}
    arguments = ["what-if", str(folder / "i.json"), str(folder / "p.json"), put(folder / "c.json", changes)]
    code, out, err = told(arguments, capsys)
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["schema"] == "pooling.what-if/1"
    assert answer["changes"] == changes["changes"]
    assert answer["after"]["objective_eur"] < answer["before"]["objective_eur"]


def test_scenarios_answer_every_point_of_the_grid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = put(folder / "g.json", {"confidence": [0.5, 0.9], "min_participants": [2, 3]})
    out = folder / "s.json"
    code, _, err = told(["scenarios", str(folder / "i.json"), "--grid", grid, "--out", str(out)], capsys)
    answer = get(out)
    assert code == 0
    assert "scenarios: 1/" in err
    assert answer["schema"] == "pooling.scenarios/1"
    assert len(answer["points"]) == 4
    assert answer["baselines"]["schema"] == "pooling.baselines/1"
    assert "pools" not in json.dumps(answer["points"][0].get("plan", {}))
    assert main(["scenarios", str(folder / "i.json"), "--grid", grid, "--out", str(out), "--plans"]) == 0
    assert out.stat().st_size > len(json.dumps(answer))


@pytest.mark.parametrize("given", [True, False], ids=["of a plan", "of the instance"])
def test_baselines_stand_beside_a_plan(given: bool, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = [str(folder / "p.json")] if given else []
    code, out, err = told(["baselines", str(folder / "i.json"), *plan], capsys)
    answer = json.loads(out)
    assert code == 0
    assert "plans" in err
    assert answer["plan"]["objective_eur"] == pytest.approx(get(folder / "p.json")["objective_eur"])
    assert all(baseline["plan_over_eur"] >= -1e-6 for baseline in answer["baselines"])


def test_explain_tells_near_misses_shares_and_risk(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(["explain", str(folder / "i.json"), str(folder / "p.json")], capsys)
    answer = json.loads(out)
    assert code == 0
    assert answer["schema"] == "pooling.explanation/1"
    schemas = {name: part["schema"] for name, part in answer.items() if name != "schema"}
    assert schemas == {"near_misses": "pooling.near-misses/1", "shares": "pooling.shares/1", "risk": "pooling.risk/1"}
    assert len(answer["shares"]["pools"]) == len(get(folder / "p.json")["pools"])
    assert "near misses: done" in err


@pytest.mark.parametrize("asked", [["--unlock", "late"], ["--unlock-budget", "4"]], ids=["a line", "a budget"])
def test_explain_tells_what_would_let_a_line_in(
    asked: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(["explain", str(folder / "i.json"), str(folder / "p.json"), *asked], capsys)
    answer = json.loads(out)["unlocks"]
    assert code == 0
    assert [entry["line"] for entry in answer["lines"]] == ["late"]


def test_explain_takes_ranges(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ranges = {"schema": "pooling.ranges/1", "offers": {"o": {"price_share": [-0.01, 3]}}}
    arguments = ["explain", str(folder / "i.json"), str(folder / "p.json"), "--ranges"]
    code, out, _ = told([*arguments, put(folder / "r.json", ranges)], capsys)
    assert code == 0
    assert json.loads(out)["risk"]["fragile_pools"], "a price three times as high"
    ranges["offers"]["zz"] = {}
    code, _, err = told([*arguments, put(folder / "r.json", ranges)], capsys)
    assert (code, err) == (2, f"{folder / 'r.json'}: offers.zz: 'zz': name one of offers\n")


def test_a_line_that_is_in_a_pool_needs_no_unlocking(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--unlock", "c-SE-A", "--unlock", "zz"]
    code, out, err = told(["explain", str(folder / "i.json"), str(folder / "p.json"), *asked], capsys)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 2
    assert all(text.startswith("--unlock: line: ") for text in err.splitlines())


def documented() -> list[Document]:
    """The JSON documents that the page on the commands shows."""
    text = (ROOT / "docs" / "solver.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"^( {4}\{.*?\}+\]?\}*)\n\n", text, re.MULTILINE | re.DOTALL)]


def test_the_documents_that_the_page_shows_can_be_given() -> None:
    changes, grid, ranges = documented()
    assert {type(change).kind for change in read_changes(changes)} == set(KINDS) - {"forbidden_dropped"}
    offers = [offer("c0001-o1", category="c0001")]
    lines = [line("a", "SE-A", category="c0001")]
    question = Instance.from_document(instance(lines, offers, criterion_value={"pvc-free": 0.004}))
    assert len(settings(question, grid)) == 3 * 3 * 2
    assert read_ranges(ranges, question).offers["c0001-o1"].tipping_share == (-0.1, 0.2)


# Refusing


def test_a_plan_that_breaks_a_rule_explains_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = get(folder / "p.json")
    plan["objective_eur"] += 1000
    changes = {"schema": "pooling.changes/1", "changes": [{"kind": "line_leaves", "line": "c-SE-A"}]}
    bad = put(folder / "bad.json", plan)
    code, out, err = told(["what-if", str(folder / "i.json"), bad, put(folder / "c.json", changes)], capsys)
    assert (code, out) == (2, "")
    assert any(text.startswith(f"{bad}: objective at objective_eur: ") for text in err.splitlines())
    assert all(text.startswith(f"{bad}: ") for text in err.splitlines())


def test_a_refusal_names_the_file_and_every_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = put(folder / "c.json", {"schema": "pooling.changes/1", "changes": [{"kind": "x"}, 3]})
    code, _, err = told(["what-if", str(folder / "i.json"), str(folder / "p.json"), changes], capsys)
    assert code == 2
    first, second = err.splitlines()
    assert first.startswith(f"{changes}: changes[0].kind: 'x': give one of ")
    assert second.startswith(f"{changes}: changes[1]: 3: ")


def test_changes_that_cannot_be_made_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"schema": "pooling.changes/1", "changes": [{"kind": "line_leaves", "line": "zz"}]}
    given = put(folder / "c.json", changes)
    code, _, err = told(["what-if", str(folder / "i.json"), str(folder / "p.json"), given], capsys)
    assert code == 2
    assert err.startswith(f"{given}: changes[0].line: 'zz': ")


def test_a_grid_is_refused_before_anything_is_solved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = put(folder / "g.json", {"confidence": [2], "colour": ["red"]})
    code, _, err = told(["scenarios", str(folder / "i.json"), "--grid", grid], capsys)
    assert code == 2
    assert all(text.startswith(f"{grid}: grid.") for text in err.splitlines())
    assert len(err.splitlines()) == 2


def test_an_instance_that_is_refused_is_named_where_there_are_several(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = put(folder / "bad.json", get(folder / "i.json") | {"lines": 3})
    for arguments in (["what-if", bad, str(folder / "p.json"), str(folder / "i.json")], ["baselines", bad]):
        code, _, err = told(arguments, capsys)
        assert code == 2
        assert f"{bad}: lines: 3: give a list" in err.splitlines()
    assert told(["solve", bad], capsys)[2].splitlines()[0].startswith("lines: 3: give a list")


def test_standard_input_can_be_read_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(["check", "-", "-"], capsys)
    assert code == 2
    assert "once" in err


@pytest.mark.parametrize(
    "out", ["no-such-folder/p.json", "", "."], ids=["no folder", "a folder by no name", "a folder"]
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    out: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    code, _, err = told(["solve", "i.json", "--out", out], capsys)
    assert code == 2
    assert "cannot be written" in err
    assert "families" not in err, "nothing was solved"


def test_a_reader_that_has_gone_is_no_traceback(folder: Path) -> None:
    command = [sys.executable, "-m", "solver", "solve", str(folder / "i.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 2
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_cluster_that_is_not_there_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.running.cluster.CONNECTING_S", 0.3)
    for command in (["solve", str(folder / "i.json")], ["baselines", str(folder / "i.json")]):
        code, out, err = told([*command, "--cluster", "tcp://127.0.0.1:1"], capsys)
        assert (code, out) == (2, "")
        assert "cluster tcp://127.0.0.1:1: cannot be reached" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sove"],
        ["solve"],
        ["check", "x"],
        ["what-if", "x", "y"],
        ["scenarios", "x"],
        ["solve", "x", "--workers", "0"],
        ["solve", "x", "--workers", "²"],
        ["solve", "x", "--seed", "-1"],
        ["solve", "x", "--time-limit", "nan"],
        ["solve", "x", "--time-limit", "soon"],
        ["solve", "x", "--time-limit", "0"],
    ],
)
def test_wrong_use_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(arguments)
    assert ended.value.code == 2
    assert "usage: " in capsys.readouterr().err


# Ctrl-C


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance that takes longer to solve than any of these tests looks on."""
    path = tmp_path_factory.mktemp("long") / "i.json"
    put(path, families(120, 16))
    return path


def begun(arguments: list[str]) -> subprocess.Popen[str]:
    """The command, once it has told of progress; in a process group of its own, as in a terminal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "solver", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "families" in process.stderr.readline()
    return process


def ended(process: subprocess.Popen[str], within_s: float) -> tuple[int, str, str]:
    """Exit code and what it still said; killed where it does not end."""
    try:
        out, err = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"did not end within {within_s} s: {err[-500:]}")
    return process.returncode, out, err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_writes_the_best_plan_with_a_true_bound(workers: str, long: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    process = begun(["solve", str(long), "--out", str(out), "--time-limit", "300", "--workers", workers])
    for _ in range(2):  # as `timeout` does, which signals the process and then its group
        os.killpg(process.pid, signal.SIGINT)
    code, _, err = ended(process, within_s=60)
    assert code == 0
    assert "stopping: " in err
    assert "Traceback" not in err
    document, plan = get(long), get(out)
    assert check(document, plan) == []
    assert 0 <= plan["objective_eur"] <= plan["bound_eur"] < float("inf")
    assert plan["runtime_s"] < 60


STUBBORN = """
import sys
from solver import commands
from solver.__main__ import main
from solver.running.tasks import runner
from tests.solver.test_running import deaf

def stubborn(_instance, *, workers, **_):
    with runner(workers=workers) as running:
        running.map(deaf, [(number + 1, sys.argv[1]) for number in range(workers)])

if __name__ == "__main__":
    commands.solve = stubborn
    sys.exit(main(sys.argv[2:]))
"""
"""The command line with a solver that hears nothing."""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_interrupt_ends_at_once(workers: int, folder: Path, tmp_path: Path) -> None:
    script, out = tmp_path / "stubborn.py", tmp_path / "p.json"
    script.write_text(STUBBORN, encoding="utf-8")
    arguments = ["solve", str(folder / "i.json"), "--out", str(out), "--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while len(list(tmp_path.glob("began-*"))) < workers:
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert "stopping: " in process.stderr.readline()
    time.sleep(2 * ONE_KEYSTROKE_S)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = ended(process, within_s=3)
    assert code == 130
    assert "ended at once: nothing is written" in err
    assert "Traceback" not in err
    assert not out.exists()
    _, left = psutil.wait_procs(children, timeout=GRACE_S + 3)
    assert left == [], "workers end with their parent"


LATE = """
import atexit, os, signal, sys
from solver import commands
from solver.__main__ import run

class Last:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGINT):
        kill(process, number)

def interrupted(path, document, write=commands.write):
    if sys.argv[1] == "solve":
        os.kill(os.getpid(), signal.SIGINT)
    write(path, document)

commands.write = interrupted
atexit.register(os.kill, os.getpid(), signal.SIGINT)
last = Last()
run()
"""
"""The command line, interrupted before a plan is written, after that, and when the interpreter is all but gone."""


@pytest.mark.parametrize("command", ["solve", "baselines"])
def test_an_interrupt_at_the_end_spoils_no_answer(command: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.json"
    done = subprocess.run(
        [sys.executable, "-c", LATE, command, str(folder / "i.json"), "--out", str(out)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert get(out)["schema"].startswith("pooling.")


def test_a_command_inside_another_program_leaves_interrupts_to_it(folder: Path, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["solve", str(folder / "i.json"), "--out", str(tmp_path / "p.json")]) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_of_what_has_nothing_to_show_ends_it(long: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.json"
    command = [sys.executable, "-m", "solver", "baselines", str(long), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process, within_s=3)
    assert code == 130
    assert "nothing is written" in err
    assert "Traceback" not in err
    assert not out.exists()


def test_the_first_interrupt_is_heard_and_the_handler_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    heard: list[str] = []

    def work(stop: Any) -> str:
        assert not stop()
        for _ in range(3):  # as from a wrapper that hands on what the process group has had already
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        deadline = time.monotonic() + 10
        while not stop() and time.monotonic() < deadline:
            time.sleep(0.01)
        return "best so far" if stop() else "never told"

    first, second = lambda: heard.append("first"), lambda: heard.append("second")
    assert until_interrupted(work, first=first, second=second) == "best so far"
    assert heard == ["first"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_exception_of_the_work_is_raised() -> None:
    def work(_stop: object) -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        until_interrupted(work, first=lambda: None, second=lambda: None)


def test_in_another_thread_the_work_is_never_told() -> None:
    said: list[bool] = []
    ask = lambda: until_interrupted(lambda stop: said.append(stop()), first=print, second=print)  # noqa: E731
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert said == [False]
