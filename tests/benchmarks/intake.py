"""Intake of a million-line CSV: checked and stored, against storing the same rows when they are ready tuples.

Each measurement is a process of its own. The raw side takes the very rows that the load stored, in the same order, and
puts them by one `executemany` into the same table with the same indexes and pragmas, in one transaction.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

import pooling.tables  # noqa: F401
from pooling.database import connect, reading, transaction
from pooling.demand import service
from pooling.demand.mapping import FileMapping
from pooling.demand.settle import LINE_COLUMNS
from pooling.reference import service as reference
from pooling.schema import migrate
from tests.benchmarks.processes import measured

ROWS = 1_000_000
PAIRS = 3
SEED = 20270101
TARGET_RATIO = 0.60
TARGET_BYTES = 1_200_000_000
COLUMNS = ("submission", "mapping", *LINE_COLUMNS)


def mapping() -> FileMapping:
    """The mapping of the file below: Swedish headers, packs with sizes in a column or in the name, decimal comma."""
    document = {
        "name": "benchmark-intake",
        "columns": {
            "participant": "Region",
            "item_code": "Artikelnummer",
            "item_name": "Benämning",
            "category": "Varugrupp",
            "quantity": "Antal per år",
            "unit": "Enhet",
            "pack_size": "Antal per förpackning",
            "unit_price": "Pris exkl. moms",
            "currency": "Valuta",
            "contract_end": "Avtalsslut",
            "extension_months": "Option månader",
        },
        "units": {"words": {"FRP": "pack"}, "patterns": [{"find": r"(?P<n>\d+)-pack"}]},
        "price": {"basis": "ex-vat"},
        "currency": {"day": "2026-10-29"},
        "window": {"rule": "contract-end", "source": "contract register of the benchmark (made up)"},
        "uncertainty": {"spread": Decimal("0.1")},
    }
    return service.mapping_from_document(document, Path())


def write_file(path: Path, rows: int, categories: list[str]) -> None:
    """A made-up demand file of so many rows, always the same for the same seed."""
    chance = random.Random(SEED)
    regions = {"SE-M": 14, "SE-AB": 25, "SE-O": 18, "SE-C": 4, "SE-D": 3, "SE-E": 5, "Region Kalmar län": 3}
    regions |= {"FI-19": 5, "DK-82": 14, "NO-HSO": 32}
    worth = {category: chance.randint(2, 300) for category in categories}
    items = []
    for number in range(40_000):
        category = categories[number % len(categories)]
        packed, size = number % 3 == 0, chance.choice((10, 50, 100))
        unit, in_column = ("FRP", "" if number % 2 else str(size)) if packed else ("st", "")
        name = f"artikel {number}" + (f", {size}-pack" if packed and number % 2 else "")
        price = worth[category] * chance.randint(70, 140) * (size if packed else 1)
        text = f"{price // 100},{price % 100:02d}"
        items.append((f"A{number:06d};{name};{category};%d;{unit};{in_column};{text}", size if packed else 1))
    ends = [f"{year}-{month:02d}-{day}" for year in (2027, 2028) for month, day in ((3, 31), (6, 30), (12, 31))]
    with path.open("w", encoding="utf-8") as out:
        out.write(
            "Region;Artikelnummer;Benämning;Varugrupp;Antal per år;Enhet;Antal per förpackning;Pris exkl. moms;Valuta;"
            "Avtalsslut;Option månader\n"
        )
        for _ in range(rows):
            (item, size), region = chance.choice(items), chance.choice(list(regions))
            amount = 1 + chance.randint(500, 1500) * regions[region] // size
            line = item % amount
            if chance.random() < 0.0001:  # now and then the price of a hundred, to be flagged
                line = f"{line[:-3]}00{line[-3:]}"
            out.write(f"{region};{line};SEK;{chance.choice(ends)};{chance.choice((0, 12, 24))}\n")


def prepare(folder: Path, rows: int) -> None:
    """A migrated database with the reference data, and the file."""
    engine = connect(f"sqlite:///{folder / 'empty.db'}")
    migrate(engine)
    with transaction(engine) as session:
        reference.install(session)
        categories = [record.name for record in reference.categories(session).values() if record.base_unit == "H87"]
    engine.dispose()
    write_file(folder / "demand.csv", rows, categories)


def load(folder: Path) -> dict[str, float]:
    """Check and store the file; seconds from opening it to the commit."""
    engine = connect(f"sqlite:///{folder / 'loaded.db'}")
    begun = time.perf_counter()
    with transaction(engine) as session:
        answer = service.load(
            session,
            folder / "demand.csv",
            mapping(),
            series=None,
            partial=False,
            received_at=datetime(2026, 11, 1, tzinfo=UTC),
        )
    seconds = time.perf_counter() - begun
    engine.dispose()
    return {"seconds": seconds, "lines": answer.lines_made, "flags": answer.flags_found}


def raw(folder: Path) -> dict[str, float]:
    """Store the lines of the loaded database as ready tuples; seconds from BEGIN to the commit."""
    names = ", ".join(COLUMNS)
    loaded = connect(f"sqlite:///{folder / 'loaded.db'}")
    with reading(loaded) as session:
        connection = session.connection()
        lines = [tuple(row) for row in connection.exec_driver_sql(f"SELECT {names} FROM line ORDER BY id")]
        before = {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]
            for table in ("mapping_version", "submission")
        }
    loaded.dispose()
    engine = connect(f"sqlite:///{folder / 'raw.db'}")
    begun = time.perf_counter()
    with transaction(engine) as session:
        cursor = session.connection().connection.cursor()
        for table, rows in before.items():
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        cursor.executemany(f"INSERT INTO line ({names}) VALUES ({', '.join('?' * len(COLUMNS))})", lines)
    seconds = time.perf_counter() - begun
    engine.dispose()
    return {"seconds": seconds, "lines": len(lines)}


def fresh(folder: Path, name: str) -> None:
    """A new copy of the empty database under ``name``."""
    for end in ("-wal", "-shm"):
        (folder / f"{name}{end}").unlink(missing_ok=True)
    shutil.copy(folder / "empty.db", folder / name)


def run(rows: int = ROWS, pairs: int = PAIRS) -> bool:
    """Print rate, ratio and memory; whether both targets are met."""
    with tempfile.TemporaryDirectory(prefix="intake-") as name:
        folder = Path(name)
        prepare(folder, rows)
        ratios, peaks = [], []
        for number in range(1, pairs + 1):
            fresh(folder, "loaded.db")
            fresh(folder, "raw.db")
            loaded, peak = measured("tests.benchmarks.intake", "load", str(folder))
            stored, _ = measured("tests.benchmarks.intake", "raw", str(folder))
            if loaded["lines"] != rows or stored["lines"] != rows:
                raise SystemExit(
                    f"intake benchmark: {loaded['lines']} lines loaded, {stored['lines']} raw, {rows} rows"
                )
            ratios.append(stored["seconds"] / loaded["seconds"])
            peaks.append(peak)
            print(
                f"intake pair {number}: checked and stored {rows / loaded['seconds']:,.0f} rows/s"
                f" ({loaded['seconds']:.2f} s), raw {rows / stored['seconds']:,.0f} rows/s ({stored['seconds']:.2f} s),"
                f" ratio {ratios[-1]:.2f}, peak memory {peak / 1e6:,.0f} MB, {loaded['flags']:.0f} flags",
                flush=True,
            )
    ratio, peak = median(ratios), max(peaks)
    met = ratio >= TARGET_RATIO and peak <= TARGET_BYTES
    print(
        f"intake: median ratio {ratio:.2f} (target {TARGET_RATIO:.2f} or more), highest peak memory"
        f" {peak / 1e6:,.0f} MB (target {TARGET_BYTES / 1e6:,.0f} MB or less): {'met' if met else 'MISSED'}"
    )
    return met


if __name__ == "__main__":
    print(json.dumps({"load": load, "raw": raw}[sys.argv[1]](Path(sys.argv[2]))))
