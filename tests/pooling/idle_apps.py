"""Applications that tests hand on: making one reads the signatures of all its handlers, a sixth of a second."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar.types import ControllerRouterHandler

from pooling.app import Service, create_app, utc_now
from pooling.handling import Clock
from pooling.settings import Settings

_IDLE: list[Service] = []


@contextmanager
def app_over(settings: Settings, *more: ControllerRouterHandler, clock: Clock = utc_now) -> Iterator[Service]:
    """The application over one database; one with ``more`` handlers is made for this test alone."""
    if more:
        app = create_app(settings, clock=clock)
        for handler in more:
            app.register(handler)
    elif _IDLE:
        app = _IDLE.pop()
        app.over(settings, clock=clock)
    else:
        app = create_app(settings, clock=clock)
    yield app
    if not more:
        _IDLE.append(app)
