"""The benchmark's peer is a fair one: its plans are lawful, and where no volume is uncertain they are the best."""

import json
from pathlib import Path

import pytest

from solver import Instance
from tests.benchmarks import attempt, plain
from tests.benchmarks.solver import judged
from tests.solver.brute import best
from tests.solver.instances import THEMES, Document, instance, line, offer, random_instance
from tests.solver.larger import larger_instance


def peer(document: Document, folder: Path, who: str) -> tuple[dict[str, object], float, tuple[str, ...]]:
    """What the peer says of its plan, and the judge's total and violations."""
    question, plan = folder / "question.json", folder / "plan.json"
    question.write_text(json.dumps(document), encoding="utf-8")
    told = attempt.peer(who, Instance.from_document(document), plan, limit_s=60.0, gap=1e-9, threads=1)
    return told, *judged(question, plan, whole=False)


@pytest.mark.parametrize("form", ["plain", "tight"])
def test_certain_volumes_give_the_best_plan(form: str, tmp_path: Path) -> None:
    filled = 0
    for theme in THEMES:
        for seed in range(3):
            document = random_instance(seed, theme=theme) | {"fixed": [], "forbidden": [], "previous": []}
            document["policy"]["confidence"] = 0.5
            total, pools = best(document)
            told, worth, violations = peer(document, tmp_path, f"{form}-highs")
            assert violations == (), (theme, seed)
            assert told["objective"] == pytest.approx(total, rel=1e-6, abs=0.01), (theme, seed)
            assert worth == pytest.approx(total, rel=1e-6, abs=0.01), (theme, seed)
            filled += bool(pools)
    assert filled >= 15


@pytest.mark.parametrize("who", ["plain-highs", "tight-highs", "plain-scip", "plain-cp-sat"])
def test_uncertain_volumes_give_a_lawful_plan(who: str, tmp_path: Path) -> None:
    document = larger_instance(3, families=1, participants=16)
    told, worth, violations = peer(document, tmp_path, who)
    assert violations == ()
    assert 0 < told["objective"] <= worth + 0.01


def test_what_it_does_not_know_it_refuses() -> None:
    rows = [line("a", "SE-A"), line("b", "DK-B")]
    document = instance(rows, [offer("o")], forbidden=[{"line": "a"}])
    with pytest.raises(ValueError, match="forbidden"):
        plain.Plain(Instance.from_document(document))
