"""The one place that decides: may this principal make this request? The rows are in matrix.py."""

from pooling.access.matrix import MATRIX, Answer, Cell, Row
from pooling.access.rules import Principal, Role
from pooling.errors import NotAllowed, NotFound

ONCE = frozenset({"keys.create", "me.read"})
"""All that a one-time secret is good for."""

__all__ = ["MATRIX", "Answer", "Cell", "Row", "permit"]


def permit(principal: Principal, operation: str) -> Row:
    """The row of ``operation``, where ``principal`` may make it on some resource; which ones, its service decides.

    Raises NotAllowed, or NotFound where not even its existence may be seen. An operation without a row is a fault of
    ours: KeyError, and a test that fails first.
    """
    row = MATRIX[operation]
    if principal.once and operation not in ONCE:
        raise NotAllowed("a one-time secret is for making a key: POST /v1/keys, then come with the key")
    cells = [row.cell(role) for role in principal.roles]
    if not any(Answer.ALLOW in cell.answers for cell in cells):
        if any(Answer.HIDDEN in cell.answers for cell in cells):
            raise NotFound("nothing is here")
        raise NotAllowed(f"{operation} is for {_who(row)}; ask an administrator for the role")
    _scoped(principal, row, operation)
    return row


def _scoped(principal: Principal, row: Row, operation: str) -> None:
    if Role.PARTNER in principal.roles and row.scope and row.scope not in principal.scopes:
        raise NotAllowed(f"{operation} needs the scope {row.scope}; ask an administrator for a key that has it")


def _who(row: Row) -> str:
    return " and ".join(role for role in Role if Answer.ALLOW in row.cell(role).answers) or "nobody"
