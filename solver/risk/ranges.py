"""``pooling.ranges/1``: how far price, volumes asked for and CO2e may turn out from what offers state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from solver.errors import Fault, InvalidInstance
from solver.instance import Instance
from solver.reading import NO_SUCH_FIELD
from solver.risk.fragility import Ranges

SCHEMA = "pooling.ranges/1"
FIELDS = tuple(entry.name for entry in fields(Ranges))


@dataclass(frozen=True, slots=True)
class StatedRanges:
    """Ranges by offer, and those of all other offers; what is not stated has the defaults of `Ranges`."""

    default: Ranges = field(default_factory=Ranges)
    offers: Mapping[str, Ranges] = field(default_factory=dict)


def read_ranges(document: object, instance: Instance) -> StatedRanges:
    """Read ``{"schema": ..., "default": {"price_share": [low, high], ...}, "offers": {OFFER: {...}}}``.

    Ends are shares of the stated figure; both parts may be left out. Raises `InvalidInstance` naming every fault.
    """
    if not isinstance(document, Mapping):
        raise InvalidInstance([Fault("", document, f"give an object with schema {SCHEMA}, default and offers")])
    known = ("schema", "default", "offers")
    faults = [Fault(str(name), document[name], NO_SUCH_FIELD) for name in document if name not in known]
    if document.get("schema") != SCHEMA:
        faults.append(Fault("schema", document.get("schema"), f'give "{SCHEMA}"'))
    default = _ranges(document.get("default", {}), "default", faults)
    rows = document.get("offers", {})
    if not isinstance(rows, Mapping):
        faults.append(Fault("offers", rows, "give an object: offer to its ranges"))
        rows = {}
    offers = {offer.id for offer in instance.offers}
    faults += [Fault(f"offers.{name}", name, "name one of offers") for name in rows if name not in offers]
    read = {name: _ranges(row, f"offers.{name}", faults) for name, row in rows.items()}
    if faults:
        raise InvalidInstance(faults)
    return StatedRanges(default, read)


def _ranges(row: Any, path: str, faults: list[Fault]) -> Ranges:
    """Those of one row; of a row with faults the defaults."""
    if not isinstance(row, Mapping):
        faults.append(Fault(path, row, f"give an object with some of {', '.join(FIELDS)}"))
        return Ranges()
    faults += [Fault(f"{path}.{name}", row[name], NO_SUCH_FIELD) for name in row if name not in FIELDS]
    given = {name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in FIELDS if name in row}
    try:
        return Ranges(**given)
    except InvalidInstance as refused:
        faults += [Fault(f"{path}.{fault.path}", fault.value, fault.remedy) for fault in refused.faults]
        return Ranges()
