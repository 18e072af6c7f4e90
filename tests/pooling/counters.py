"""A small resource to try the frame on: counters with a version, in a table of their own beside the schema."""

from typing import Annotated, Any
from uuid import uuid4

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, insert, select, update
from sqlmodel import Session

from pooling import audit, feed
from pooling.access.projection import OPEN
from pooling.calls import Asked, Call, Reply, accepted, created, gone
from pooling.errors import NotFound
from pooling.handling import Handling
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Limit
from pooling.problems import ACCEPTED, NO_CONTENT, RESPONSES

COUNTERS = Table(
    "counter",
    MetaData(),
    Column("id", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
READ, LIST, CREATE, WRITE, REMOVE = "offers.read", "offers.list", "dialogues.create", "offers.write", "offers.withdraw"
"""Operations of the matrix that a planner may make; the counters borrow them."""


def install(engine: Engine) -> None:
    """Make the table."""
    COUNTERS.create(engine)


class Counter(msgspec.Struct, frozen=True):
    """A counter as it is shown."""

    id: str
    value: Annotated[int, OPEN]


class CounterPage(msgspec.Struct, frozen=True):
    """Counters by id."""

    items: list[Counter]
    next_cursor: str | None


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counter is to show."""

    value: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    marks: Annotated[list[Annotated[str, msgspec.Meta(max_length=5)]], msgspec.Meta(max_length=3)] = []


def add(session: Session, value: int) -> Counter:
    """A new counter, announced and entered."""
    counter = Counter(str(uuid4()), value)
    session.connection().execute(insert(COUNTERS), {"id": counter.id, "value": value, "version": 1})
    feed.changed(session, "offer", counter.id, version=1, action="created")
    audit.acted(session, CREATE, resource=("offer", counter.id), details={"marks": 0})
    return counter


def row(session: Session, counter: str, *, lock: bool = False) -> Any:
    """The row; raises NotFound."""
    statement = select(COUNTERS).where(COUNTERS.c.id == counter)
    found = session.connection().execute(statement.with_for_update() if lock else statement).first()
    if found is None:
        raise NotFound(f"counter {counter!r} is not known")
    return found


def change(call: Call, counter: str, value: int) -> Reply:
    """Set a counter that the client has seen."""
    found = row(call.session, counter, lock=True)
    call.expect(found.version)
    version = found.version + 1
    statement = update(COUNTERS).where(COUNTERS.c.id == counter).values(value=value, version=version)
    call.session.connection().execute(statement)
    feed.changed(call.session, "offer", counter, version=version)
    return Reply(Counter(counter, value), version=version)


class CounterController(Controller):
    """Everything a controller does."""

    path = "/v1/counters"

    @get("/", operation_id=LIST, sync_to_thread=True, responses=RESPONSES)
    def list_counters(
        self,
        request: Asked,
        handling: NamedDependency[Handling],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        least: FromQuery[Annotated[int, QueryParameter(ge=0, le=1_000_000)]] = 0,
    ) -> Response[CounterPage]:
        """Those that show ``least`` or more."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            statement = select(COUNTERS).where(COUNTERS.c.value >= least, window.clause(COUNTERS.c.id))
            rows = call.session.connection().execute(statement.order_by(COUNTERS.c.id).limit(window.fetch)).all()
            page = page_of(rows, window, lambda each: (each.id,))
            return call.page(page, CounterPage, view=lambda each: Counter(each.id, each.value))

        return handling.read(request, work)

    @get("/{counter:str}", operation_id=READ, sync_to_thread=True, responses=RESPONSES)
    def read(self, request: Asked, handling: NamedDependency[Handling], counter: FromPath[str]) -> Response[Counter]:
        """One."""

        def work(call: Call) -> Reply:
            found = row(call.session, counter)
            return Reply(Counter(found.id, found.value), version=found.version)

        return handling.read(request, work)

    @post("/", operation_id=CREATE, sync_to_thread=True, responses=RESPONSES)
    def create(self, request: Asked, handling: NamedDependency[Handling], data: JSONBody[Count]) -> Response[Counter]:
        """A new one."""

        def work(call: Call) -> Reply:
            counter = add(call.session, data.value)
            return created(counter, location=f"/v1/counters/{counter.id}", version=1)

        return handling.write(request, work)

    @put("/{counter:str}", operation_id=WRITE, sync_to_thread=True, responses=RESPONSES)
    def change(
        self, request: Asked, handling: NamedDependency[Handling], counter: FromPath[str], data: JSONBody[Count]
    ) -> Response[Counter]:
        """Set one."""
        return handling.write(request, lambda call: change(call, counter, data.value))

    @delete("/{counter:str}", operation_id=REMOVE, sync_to_thread=True, status_code=NO_CONTENT, responses=RESPONSES)
    def remove(self, request: Asked, handling: NamedDependency[Handling], counter: FromPath[str]) -> Response[None]:
        """Take one away."""

        def work(call: Call) -> Reply:
            call.expect(row(call.session, counter, lock=True).version)
            call.session.connection().execute(COUNTERS.delete().where(COUNTERS.c.id == counter))
            feed.changed(call.session, "offer", counter, version=None, action="deleted")
            return gone()

        return handling.write(request, work)


@post("/v1/counts", operation_id="dialogues.write", sync_to_thread=True, status_code=ACCEPTED, responses=RESPONSES)
def count_later(request: Asked, handling: NamedDependency[Handling], data: JSONBody[Count]) -> Response[Counter]:
    """Work that goes on as an operation."""
    return handling.write(request, lambda _: accepted(Counter("later", data.value), operation="job-1"))
