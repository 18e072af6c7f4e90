"""The outermost command: refusals in one line, and nothing opened for those who only ask for help."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pooling.__main__ import pooling

ROOT = Path(__file__).parents[2]


def run(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pooling", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **settings}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_help_opens_no_database(tmp_path: Path) -> None:
    done = run("plan", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert run("submissions", folder=tmp_path).returncode == 0
    assert (tmp_path / "pooling.db").exists()


def test_a_word_imports_what_it_needs_alone() -> None:
    dear = "{'litestar', 'ortools', 'polars', 'uvicorn'}"
    said = "from pooling.__main__ import pooling; import sys; pooling(['admin', 'list', '-h'], standalone_mode=False);"
    done = subprocess.run(
        [sys.executable, "-c", f"{said} sys.exit(str({dear} & {{*sys.modules}}))"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines() == ["set()"]
    assert "admin list [OPTIONS]" in done.stdout


def test_a_misspelt_word_is_told_the_nearest() -> None:
    said = CliRunner().invoke(pooling, ["loda", "file.csv"])
    assert said.exit_code == 2
    assert "No such command 'loda'. Did you mean 'load'?" in said.output


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://x/y", "no database we know"),
        ("postgresql+psycopg://u@host:notaport/x", "cannot be read"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/x?connect_timeout=2", "cannot be used"),
        ("sqlite:///:memory:", "bad-setting"),
        ("sqlite:///text.db", "not a database"),
        ("sqlite:////proc/no/such/folder/x.db", "file:"),
    ],
)
def test_an_unusable_database_is_one_message(url: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is a text, not a database; " * 40, encoding="utf-8")
    done = run("--database", url, "submissions", folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    done = run("template", "--participant", "SE-M", "--out", "nofolder/form.xlsx", folder=tmp_path)
    assert done.returncode == 2
    assert "nofolder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_names_its_code(tmp_path: Path) -> None:
    done = run("show", "abcd1234", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("pooling: not-found: ")


def test_a_new_database_knows_the_packaged_categories(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "offers.md").read_text(encoding="utf-8")
    toml = text.split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "offers.toml").write_text(toml, encoding="utf-8")
    done = run("offers", "load", "offers.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "added" in done.stdout


def test_an_index_in_per_cent_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "offers.md").read_text(encoding="utf-8")
    toml = text.split("```toml\n", 1)[1].split("```", 1)[0]
    wrong = toml.replace("1.02", "102").replace("1.05", "105").replace("0.98", "98")
    assert wrong != toml
    (tmp_path / "offers.toml").write_text(wrong, encoding="utf-8")
    done = run("offers", "load", "offers.toml", folder=tmp_path)
    assert done.returncode == 2
    assert "per cent" in done.stderr


def test_a_misspelt_setting_is_warned_of(tmp_path: Path) -> None:
    done = run("submissions", folder=tmp_path, POOLING_DATABSE_URL="sqlite:///other.db")
    assert done.returncode == 0
    said = "POOLING_DATABSE_URL is no setting and is not read; did you mean POOLING_DATABASE_URL?"
    assert done.stderr == f"pooling: warning: {said}\n"
