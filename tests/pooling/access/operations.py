"""The operations of the API as its own description has them."""

from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Litestar

METHODS = ("get", "post", "put", "patch", "delete")


def described(app: Litestar) -> dict[str, str]:
    """Method by operation id, for all under /v1."""
    schema = app.openapi_schema.to_schema()
    return {operation: method.upper() for operation, method, _ in of_paths(schema["paths"])}


def of_paths(paths: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Operation id, method and path of each operation under /v1; one without an id goes by its method and path."""
    for path, item in paths.items():
        for method in METHODS:
            if method in item and (path == "/v1" or path.startswith("/v1/")):
                yield item[method].get("operationId") or f"{method} {path}", method, path


def faults(found: Mapping[str, str], matrix: Mapping[str, Any], sampled: Mapping[str, Any]) -> list[str]:
    """What keeps every operation from having one row and one sample, in words."""
    return [
        *(f"operation {each} has no row in pooling/access/matrix.py" for each in sorted(found.keys() - matrix.keys())),
        *(f"row {each} of pooling/access/matrix.py is no operation" for each in sorted(matrix.keys() - found.keys())),
        *(
            f"operation {each} has no sample in tests/pooling/access/samples/"
            for each in sorted(found.keys() - sampled)
        ),
        *(f"sample {each} is no operation" for each in sorted(sampled.keys() - found.keys())),
    ]
