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

from solver.arrays import Flags, Floats, Ints

INFINITY = float("inf")
COSTLY_HEURISTICS = ("mip_heuristic_run_rins", "mip_heuristic_run_rens")
"""Neighbourhood searches of HiGHS that cost more here than they find: models come narrowed down, often with a start."""
PRIMAL_SIMPLEX = 4
"""HiGHS's number for it."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a solve may do. ``time_limit_s`` is the clock, the rest counts work and keeps runs repeatable."""

    time_limit_s: float
    relative_gap: float = 1e-6
    nodes: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out: ``values`` is None without a solution; ``bound`` holds for every solution over the columns kept.

    ``row_duals`` and ``reduced_costs`` come with relaxations only.
    ``proven``: the solve ended by its gap, not by a limit. ``by_clock``: the time limit ended it.
    ``impossible``: proven that no solution exists.
    """

    values: Floats | None
    objective: float
    bound: float
    row_duals: Floats | None
    reduced_costs: Floats | None
    proven: bool
    by_clock: bool
    impossible: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A model as arrays: values and upper bounds of columns, bounds of rows, entries."""

    value: Floats
    upper: Floats
    low: Floats
    high: Floats
    row: Ints
    column: Ints
    coefficient: Floats


class Milp:
    """Maximise over columns under rows; both are added in blocks and numbered from 0."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats, NDArray[np.bool_]]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._bounds: list[tuple[Floats, Floats]] = []
        self.column_count = 0
        self.row_count = 0

    def columns(self, value: ArrayLike, *, upper: ArrayLike = 1.0, integer: ArrayLike = True) -> Ints:
        """Add columns from 0 to ``upper`` with objective ``value``; returns their numbers."""
        value = np.atleast_1d(np.asarray(value, dtype=float))
        size = len(value)
        bounds = np.broadcast_to(np.asarray(upper, dtype=float), (size,))
        self._columns.append((value, np.zeros(size), bounds, np.full(size, integer, dtype=bool)))
        first = self.column_count
        self.column_count += size
        return np.arange(first, first + size)

    @property
    def integer(self) -> Flags:
        """Which columns are whole numbers."""
        return np.concatenate([part[3] for part in self._columns])

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

    def arrays(self) -> Matrix:
        """All that was added so far."""
        value, _, upper, _ = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        low, high = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        row, column, coefficient = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return Matrix(value, upper, low, high, row, column, coefficient)

    def solve(
        self,
        effort: Effort,
        *,
        relaxed: bool = False,
        kept: Flags | None = None,
        forced: Flags | None = None,
        start: Floats | None = None,
        small: bool = False,
    ) -> Answer:
        """Solve it, or with ``relaxed`` its linear relaxation (which alone has duals); what is not ``kept`` stays 0,
        what is ``forced`` is at its upper bound.

        ``start``: a known solution over the columns kept, from which the solver goes on.
        ``small``: dense with some hundred entries a column, where presolve costs more than the simplex method.
        """
        parameters = parameters_pb2.SolveParametersProto()
        parameters.time_limit.FromTimedelta(timedelta(seconds=max(0.0, effort.time_limit_s)))
        options = parameters.highs
        options.string_options["parallel"] = "off"
        options.int_options["threads"] = 1
        options.int_options["random_seed"] = effort.seed
        if small:
            options.string_options["presolve"] = "off"
            options.int_options["simplex_strategy"] = PRIMAL_SIMPLEX
        if not relaxed:
            for heuristic in COSTLY_HEURISTICS:
                options.bool_options[heuristic] = False
            options.double_options["mip_rel_gap"] = effort.relative_gap
            options.double_options["mip_abs_gap"] = 1e-6
            options.double_options["mip_feasibility_tolerance"] = 1e-7
            options.double_options["primal_feasibility_tolerance"] = 1e-7
            if effort.nodes is not None:
                options.int_options["mip_max_nodes"] = effort.nodes
        try:
            result = self._solved(
                parameters, self._message(relaxed=relaxed, kept=kept, forced=forced), kept=kept, start=start
            )
        except StatusNotOk:  # figures too large for the solver: it says so instead of answering
            return Answer(None, -INFINITY, INFINITY, None, None, proven=False, by_clock=False)
        return self._answer(result, relaxed=relaxed)

    def _solved(self, parameters: Any, message: Any, *, kept: Flags | None, start: Floats | None) -> Any:
        known = model_parameters_pb2.ModelSolveParametersProto()
        if start is not None:
            ids = np.arange(self.column_count) if kept is None else np.flatnonzero(kept)
            hint = known.solution_hints.add()
            hint.variable_values.ids.extend(ids)
            hint.variable_values.values.extend(start[ids])
        return core.solve(
            message,
            parameters_pb2.SOLVER_TYPE_HIGHS,
            parameters_pb2.SolverInitializerProto(),
            parameters,
            known,
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )

    def _message(self, *, relaxed: bool, kept: Flags | None, forced: Flags | None) -> Any:
        message = model_pb2.ModelProto()
        value, lower, upper, integer = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        lower = lower if forced is None else np.where(forced, upper, lower)
        inside = np.ones(self.column_count, dtype=bool) if kept is None else kept
        ids = np.flatnonzero(inside)
        message.variables.ids.extend(ids)
        message.variables.lower_bounds.extend(lower[ids])
        message.variables.upper_bounds.extend(upper[ids])
        message.variables.integers.extend(integer[ids] & (not relaxed))
        message.objective.maximize = True
        ids = ids[value[ids] != 0]
        message.objective.linear_coefficients.ids.extend(ids)
        message.objective.linear_coefficients.values.extend(value[ids])
        if self.row_count:
            self._write_rows(message, inside)
        return message

    def _write_rows(self, message: Any, inside: Flags) -> None:
        """The rows that still have an entry, or that ask for more than nothing."""
        low, high = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        row, column, coefficient = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        alive = inside[column]
        row, column, coefficient = row[alive], column[alive], coefficient[alive]
        written = (low > 0) | (high < 0)
        written[row] = True
        rows = np.flatnonzero(written)
        message.linear_constraints.ids.extend(rows)
        message.linear_constraints.lower_bounds.extend(low[rows])
        message.linear_constraints.upper_bounds.extend(high[rows])
        order = np.lexsort((column, row))
        matrix = message.linear_constraint_matrix
        matrix.row_ids.extend(row[order])
        matrix.column_ids.extend(column[order])
        matrix.coefficients.extend(coefficient[order])

    def _answer(self, result: Any, *, relaxed: bool) -> Answer:
        termination = result.termination
        reason = termination.reason
        by_clock = termination.limit == result_pb2.LIMIT_TIME
        bound = termination.objective_bounds.dual_bound
        values, objective, duals, reduced = None, -INFINITY, None, None
        if result.solutions:
            solution = result.solutions[0]
            if solution.HasField("primal_solution") and solution.primal_solution.feasibility_status == 2:
                values = _dense(solution.primal_solution.variable_values, self.column_count)
                objective = solution.primal_solution.objective_value
            if relaxed and solution.HasField("dual_solution"):
                duals = _dense(solution.dual_solution.dual_values, self.row_count)
                reduced = _dense(solution.dual_solution.reduced_costs, self.column_count)
        proven = reason == result_pb2.TERMINATION_REASON_OPTIMAL
        impossible = reason == result_pb2.TERMINATION_REASON_INFEASIBLE
        return Answer(values, objective, bound, duals, reduced, proven, by_clock, impossible)


def _dense(sparse: Any, size: int) -> Floats:
    full = np.zeros(size)
    full[np.asarray(sparse.ids, dtype=np.int64)] = sparse.values
    return full
