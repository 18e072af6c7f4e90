"""How much of the machine one file may take; what the tests assert to be refused, these limits enforce."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file, all inclusive. Sizes in bytes, times in seconds.

    ``memory_bytes`` bounds the reading process (its private memory, as the kernel counts it), ``cpu_s`` its processor
    time, ``wall_s`` the time others wait for it. The inflation ratio holds from 10 MB of unpacked content on:
    below that, plain style sheets of honest workbooks reach ratios above 100.
    """

    csv_bytes: int = 500_000_000
    xlsx_bytes: int = 50_000_000
    inflated_bytes: int = 1_000_000_000
    inflation_ratio: int = 100
    zip_entries: int = 5_000
    rows: int = 5_000_000
    columns: int = 512
    cell_chars: int = 32_767
    cpu_s: int = 120
    wall_s: int = 180
    memory_bytes: int = 1_000_000_000
    batch_rows: int = 50_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"limit {field.name} must be a whole number above 0, not {value!r}")
