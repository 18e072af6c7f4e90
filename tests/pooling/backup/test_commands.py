"""Backup and restore as commands, from one kind of database into the other."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from pooling.__main__ import pooling
from pooling.backup.service import NotEmpty
from pooling.database import connect, transaction
from pooling.errors import BadSetting
from tests.conftest import fresh_database
from tests.pooling.backup.filling import fill, tables_of


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(pooling, ["--database", url, *words])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_moves_to_the_other_kind(
    engine: Engine, database_url: str, request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    fill(engine)
    file = str(tmp_path / "all.zip")
    saved = run(database_url, "backup", file)
    assert saved.exit_code == 0, saved.output
    assert "read again and whole" in saved.stdout
    with fresh_database(request, kind, tmp_path / "target.db") as url:
        back = run(url, "restore", file)
        assert back.exit_code == 0, back.output
        assert "read back and the same" in back.stdout
        again = run(url, "restore", file)
        assert isinstance(again.exception, NotEmpty)
        assert run(url, "restore", file, "--force").exit_code == 0
        target = connect(url)
        assert tables_of(target) == tables_of(engine)
        target.dispose()


def test_a_restore_makes_the_database_and_leaves_it_empty_before(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    fill(engine)
    file = str(tmp_path / "all.zip")
    assert run(database_url, "backup", file).exit_code == 0
    new = f"sqlite:///{tmp_path}/folder/new.db"
    assert run(new, "restore", file).exit_code == 0


def test_a_backup_makes_no_database_and_migrates_none(engine: Engine, database_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "no.db"
    for words in (["backup", str(tmp_path / "a.zip")], ["check"]):
        refused = run(f"sqlite:///{missing}", *words)
        assert isinstance(refused.exception, BadSetting)
        assert "is not there" in str(refused.exception)
    assert not missing.exists()
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    older = run(database_url, "backup", str(tmp_path / "a.zip"))
    assert isinstance(older.exception, BadSetting)
    assert "the schema is at 0001" in str(older.exception)
