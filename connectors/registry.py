"""The kinds of source there are, by the name that settings and mappings use."""

from connectors.errors import BadPlan
from connectors.files import FileSource
from connectors.source import DemandSource

SOURCES: dict[str, type[DemandSource]] = {
    "files": FileSource,
}


def source_class(name: str) -> type[DemandSource]:
    """The class of a kind of source. Raises ``BadPlan`` naming the kinds there are."""
    if name not in SOURCES:
        raise BadPlan("unknown-source", f"there is no source {name!r}; known are {', '.join(SOURCES)}")
    return SOURCES[name]
