"""The demonstration's folder: made anew each time, and never over a folder that is not one."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pooling.commandline import as_called
from pooling.errors import BadInput

MARKER = "demo.json"
MADE_BY = "pooling demo"
README = "README.txt"
INBOX, CORRECTED, MAPPINGS = "inbox", "corrected", "mappings"
OFFERS, POLICY = "offers.csv", "policy.toml"
DATABASE = "demo.db"
REPORT = "report.html"
LOG = "service.log"
WRITTEN = (
    README,
    INBOX,
    CORRECTED,
    MAPPINGS,
    OFFERS,
    POLICY,
    DATABASE,
    f"{DATABASE}-wal",
    f"{DATABASE}-shm",
    "plan.json",
    "instance.json",
    "pools.csv",
    "lines.csv",
    "volume-to-market.csv",
    REPORT,
    LOG,
)
ABOUT = """This folder was made by `pooling demo`. Every volume, price, contract date and offer in it is made up.

inbox/       demand files as regions would send them, one for each sender, some with slips on purpose
corrected/   the files that three of them send again when asked about figures that stand out
mappings/    how each of them is read; files on our own template need none
offers.csv   what suppliers might answer
policy.toml  what the planners decide
demo.db      the database (SQLite) they were loaded into; with --cycle also all that was done in the cycle
plan.json    the plan as the optimiser gave it; instance.json is the question
pools.csv    its pools by lot; lines.csv every line with where it went
volume-to-market.csv  what participants could buy together, with or without an offer
report.html  all of it to read, in one file
service.log  with --cycle: what the service told whoever runs it, if anything

`pooling demo` makes the folder anew and leaves other files in it alone.
"""


def prepare(folder: Path) -> None:
    """A place for the demonstration: marked as its own, what an earlier one left removed, other files as they were.

    Raises BadInput where the folder holds something and is not a demonstration's.
    """
    if "?" in str(folder):
        raise BadInput(f"{folder}: a question mark cannot stand in the address of a database; give another name")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder}: not a folder; give another place with --out")
    if folder.is_dir() and any(folder.iterdir()):
        if not _is_ours(folder):
            raise BadInput(
                f"{folder}: holds files that no demonstration wrote, so nothing was touched;"
                " give an empty or new folder with --out"
            )
        for name in (*WRITTEN, MARKER):  # the marker last: a stop in between can be repeated
            _remove(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, {})


def _mark(folder: Path, about: Mapping[str, Any]) -> None:
    """Before anything else is in the folder, so that a demonstration that was stopped can be made again."""
    marker = {"made_by": MADE_BY, "made_up": True, **about}
    (folder / MARKER).write_text(json.dumps(marker, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _is_ours(folder: Path) -> bool:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(marker, dict) and marker.get("made_by") == MADE_BY


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write(folder: Path, files: Mapping[str, bytes], about: Mapping[str, Any]) -> None:
    """Write the marker, then the files; each lies in a place of ``WRITTEN``, so that it can be removed again."""
    if strange := sorted({path.split("/")[0] for path in files} - set(WRITTEN)):
        raise ValueError(f"{strange[0]}: no place of the demonstration's folder")
    _mark(folder, about)
    (folder / README).write_text(as_called(ABOUT), encoding="utf-8")
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
