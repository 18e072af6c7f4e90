"""Planning over HTTP: every controller, for the application."""

from litestar.types import ControllerRouterHandler

from pooling.planning.api_differences import DifferenceController
from pooling.planning.api_explanations import ExplanationController, PoolExplanationController, VolumeController
from pooling.planning.api_plans import PlanController, PoolController
from pooling.planning.api_runs import PolicyController, RunController
from pooling.planning.api_scenarios import ScenarioController, WhatIfController

ROUTES: tuple[ControllerRouterHandler, ...] = (
    PolicyController,
    RunController,
    PlanController,
    PoolController,
    ExplanationController,
    PoolExplanationController,
    VolumeController,
    WhatIfController,
    ScenarioController,
    DifferenceController,
)
