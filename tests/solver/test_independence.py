"""The contract that the judge shares no code with the solver names every module of the solver."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND_LINE = "solver.__main__"
"""Uses both, and nothing uses it."""


def modules(folder: Path) -> set[str]:
    """Modules and packages of the solver beside the judge, the command line aside."""
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"check"}
    return {f"solver.{name}" for name in files | packages}


def forbidden() -> set[str]:
    """What the judge must not import."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (judge,) = (contract for contract in contracts if contract.get("source_modules") == ["solver.check"])
    return set(judge["forbidden_modules"])


def test_every_module_of_the_solver_is_out_of_the_judges_reach():
    assert forbidden() == modules(ROOT / "solver")


def test_a_new_module_would_be_missed(tmp_path):
    (tmp_path / "brand_new.py").write_text("")
    assert modules(tmp_path) - forbidden() == {"solver.brand_new"}
