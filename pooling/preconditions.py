"""Conditional requests: strong ETags made of a resource's version and what its reader may see (RFC 9110, 6585)."""

import hashlib
import re

from pooling.errors import PoolingError

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_VERSION = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)


class PreconditionMissing(PoolingError):
    """The change needs the header If-Match with the ETag last seen, so that nobody's change is lost."""

    code = "precondition-missing"


class PreconditionFailed(PoolingError):
    """The resource has changed since it was seen; ``current`` is its ETag now, None where it is gone."""

    code = "precondition-failed"

    def __init__(self, message: str, current: str | None) -> None:
        super().__init__(message)
        self.current = current


def etag(version: int | str, mark: str) -> str:
    """The tag of a resource at ``version`` for readers of ``mark``; never of the credential."""
    if not _VERSION.fullmatch(str(version)):
        raise ValueError(f"a version has 1 to 80 letters, digits, hyphens and underscores, got {version!r}")
    return f'"{version}.{mark}"'


def etag_of(content: bytes, mark: str) -> str:
    """The tag of an answer without a version of its own, such as a list: it changes with its bytes."""
    return etag(version_of(content), mark)


def version_of(content: bytes) -> str:
    """The version of what keeps none of its own."""
    return hashlib.sha256(content).hexdigest()[:24]


def matches(header: str | None, current: str) -> bool:
    """Whether an If-None-Match names the current tag; there a weak tag is as good as a strong one."""
    if header is None:
        return False
    return header.strip() == "*" or any(f'"{tag}"' == current for _, tag in _TAG.findall(header))


def expect(header: str | None, *, version: str, current: str) -> None:
    """Raises where an If-Match does not name ``version``; tags of other readers of this version name it too."""
    if header is None:
        raise PreconditionMissing("header If-Match is missing; read the resource and send its ETag")
    if header.strip() == "*":
        return
    if version not in {tag.rpartition(".")[0] for weak, tag in _TAG.findall(header) if not weak}:
        raise PreconditionFailed(f"the resource is at {current} now; read it again and repeat the change", current)


def expect_absent(header: str | None) -> None:
    """Raises where an If-Match was sent for something that is not there."""
    if header is not None:
        raise PreconditionFailed("nothing is here yet; leave If-Match out to create it", None)


def preferences(header: str | None) -> frozenset[str]:
    """The preferences in a Prefer header, without their values (RFC 7240)."""
    if header is None:
        return frozenset()
    return frozenset(part.partition(";")[0].partition("=")[0].strip().lower() for part in header.split(","))
