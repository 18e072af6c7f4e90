"""A mixed-integer model built from arrays and solved by HiGHS inside MathOpt.

The arrays go straight into MathOpt's model message: a variable at a time through its Python classes costs more than
the solve on the models here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ortools.math_opt import callback_pb2, model_parameters_pb2, model_pb2, parameters_pb2, result_pb2
from ortools.math_opt.core.python import solver as core
from pybind11_abseil.status import StatusNotOk

from solver.arrays import Floats, Ints

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a solve may do. ``time_limit_s`` is the clock, the rest counts work and keeps runs repeatable."""

    time_limit_s: float
    relative_gap: float = 1e-6
    nodes: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out: ``values`` is None without a solution; ``bound`` holds for every solution.

    ``proven``: the solve ended by its gap, not by a limit. ``by_clock``: the time limit ended it.
    """

    values: Floats | None
    objective: float
    bound: float
    row_duals: Floats | None
    proven: bool
    by_clock: bool


class Milp:
    """Maximise over columns under rows; both are added in blocks and numbered from 0."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats, NDArray[np.bool_]]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._bounds: list[tuple[Floats, Floats]] = []
        self.column_count = 0
        self.row_count = 0

    def columns(self, value: ArrayLike, *, upper: ArrayLike = 1.0, integer: bool = True) -> Ints:
        """Add columns from 0 to ``upper`` with objective ``value``; returns their numbers."""
        value = np.atleast_1d(np.asarray(value, dtype=float))
        size = len(value)
        bounds = np.broadcast_to(np.asarray(upper, dtype=float), (size,))
        self._columns.append((value, np.zeros(size), bounds, np.full(size, integer)))
        first = self.column_count
        self.column_count += size
        return np.arange(first, first + size)

    def rows(self, count: int, *, lower: ArrayLike = -INFINITY, upper: ArrayLike = INFINITY) -> Ints:
        """Add empty rows; returns their numbers."""
        low = np.broadcast_to(np.asarray(lower, dtype=float), (count,))
        high = np.broadcast_to(np.asarray(upper, dtype=float), (count,))
        self._bounds.append((low, high))
        first = self.row_count
        self.row_count += count
        return np.arange(first, first + count)

    def entries(self, rows: ArrayLike, columns: ArrayLike, coefficients: ArrayLike = 1.0) -> None:
        """Put coefficients into the matrix; each (row, column) once at most."""
        row, column, coefficient = np.broadcast_arrays(rows, columns, np.asarray(coefficients, dtype=float))
        self._entries.append((row.ravel().astype(np.int64), column.ravel().astype(np.int64), coefficient.ravel()))

    def solve(self, effort: Effort, *, relaxed: bool = False) -> Answer:
        """Solve it, or with ``relaxed`` its linear relaxation (which alone has row duals)."""
        parameters = parameters_pb2.SolveParametersProto()
        parameters.time_limit.FromTimedelta(timedelta(seconds=max(0.0, effort.time_limit_s)))
        options = parameters.highs
        options.string_options["parallel"] = "off"
        options.int_options["threads"] = 1
        options.int_options["random_seed"] = effort.seed
        if not relaxed:
            options.double_options["mip_rel_gap"] = effort.relative_gap
            options.double_options["mip_abs_gap"] = 1e-6
            options.double_options["mip_feasibility_tolerance"] = 1e-7
            options.double_options["primal_feasibility_tolerance"] = 1e-7
            if effort.nodes is not None:
                options.int_options["mip_max_nodes"] = effort.nodes
        try:
            result = self._solved(parameters, relaxed=relaxed)
        except StatusNotOk:  # figures too large for the solver: it says so instead of answering
            return Answer(None, -INFINITY, INFINITY, None, proven=False, by_clock=False)
        return self._answer(result, relaxed=relaxed)

    def _solved(self, parameters: Any, *, relaxed: bool) -> Any:
        return core.solve(
            self._message(relaxed=relaxed),
            parameters_pb2.SOLVER_TYPE_HIGHS,
            parameters_pb2.SolverInitializerProto(),
            parameters,
            model_parameters_pb2.ModelSolveParametersProto(),
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )

    def _message(self, *, relaxed: bool) -> Any:
        message = model_pb2.ModelProto()
        value, lower, upper, integer = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        ids = np.arange(self.column_count)
        message.variables.ids.extend(ids)
        message.variables.lower_bounds.extend(lower)
        message.variables.upper_bounds.extend(upper)
        message.variables.integers.extend(integer & (not relaxed))
        message.objective.maximize = True
        message.objective.linear_coefficients.ids.extend(ids[value != 0])
        message.objective.linear_coefficients.values.extend(value[value != 0])
        if self.row_count:
            low, high = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
            message.linear_constraints.ids.extend(np.arange(self.row_count))
            message.linear_constraints.lower_bounds.extend(low)
            message.linear_constraints.upper_bounds.extend(high)
            row, column, coefficient = (np.concatenate(part) for part in zip(*self._entries, strict=True))
            order = np.lexsort((column, row))
            matrix = message.linear_constraint_matrix
            matrix.row_ids.extend(row[order])
            matrix.column_ids.extend(column[order])
            matrix.coefficients.extend(coefficient[order])
        return message

    def _answer(self, result: Any, *, relaxed: bool) -> Answer:
        termination = result.termination
        reason = termination.reason
        by_clock = termination.limit == result_pb2.LIMIT_TIME
        bound = termination.objective_bounds.dual_bound
        values, objective, duals = None, -INFINITY, None
        if result.solutions:
            solution = result.solutions[0]
            if solution.HasField("primal_solution") and solution.primal_solution.feasibility_status == 2:
                values = np.zeros(self.column_count)
                sparse = solution.primal_solution.variable_values
                values[np.asarray(sparse.ids, dtype=np.int64)] = sparse.values
                objective = solution.primal_solution.objective_value
            if relaxed and solution.HasField("dual_solution"):
                duals = np.zeros(self.row_count)
                sparse = solution.dual_solution.dual_values
                duals[np.asarray(sparse.ids, dtype=np.int64)] = sparse.values
        proven = reason == result_pb2.TERMINATION_REASON_OPTIMAL
        return Answer(values, objective, bound, duals, proven, by_clock)
