"""Single-source capacitated facility location as published: files and optima."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[3] / "shared/data/sscflp"
OPTIMA = {
    "Lib_1-p1": 2014.0,
    "Lib_1-p18": 15607.0,
    "Lib_1-p33": 39463.0,
    "Lib_2-p1": 8848.0,
    "Lib_2-p40": 13024.0,
    "Lib_3-p3": 1014099.6125,
    "Lib_3-p25": 19241056.93,
    "Lib_4-p1": 30181.0,
}
"""Published optima (Delmaire and Diaz-Fernandez, Holmberg, OR-Library, Yang), as told beside the files."""


def read_sscflp(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Demands (n,), capacities (m,), opening costs (m,), costs (n, m) of an instance in either layout."""
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=float)
    first, second, rest = int(numbers[0]), int(numbers[1]), numbers[2:]
    if path.name.startswith("Lib_1"):
        customers, facilities = first, second
        cost, demand, opening, capacity = np.split(rest, np.cumsum([customers * facilities, customers, facilities]))
        return demand, capacity[:facilities], opening, cost.reshape(customers, facilities)
    facilities, customers = first, second
    pairs, demand, cost = np.split(rest, np.cumsum([2 * facilities, customers]))
    capacity, opening = pairs.reshape(facilities, 2).T
    return demand, capacity, opening, cost[: customers * facilities].reshape(facilities, customers).T
