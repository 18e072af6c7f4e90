"""What the handlers of all subjects take as parameters."""

from litestar.di import NamedDependency

from pooling.handling import Cursor, Handling, Limit

__all__ = ["Cursor", "Handled", "Limit"]

Handled = NamedDependency[Handling]
