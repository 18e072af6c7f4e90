"""What the handlers of all subjects take as parameters."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from pooling.handling import Handling
from pooling.paging import MAX_LIMIT

Handled = NamedDependency[Handling]
Cursor = FromQuery[
    Annotated[
        str | None, QueryParameter(max_length=1000, description="next_cursor of the page before; none: first page")
    ]
]
Limit = FromQuery[Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="how many items at most")]]
"""Parameters of every list: ``cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT``."""
