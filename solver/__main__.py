"""``python -m solver COMMAND``: ``solve`` an instance, ``check`` a plan, and ask about both.

Exit codes: 0 done (check: no violation), 1 violations, 2 an input that is refused, 3 workers lost, 130 ended by hand
with nothing written. ``-`` reads standard input or writes standard output.
"""

import argparse
import os
import sys
import threading

from solver import commands
from solver.documents import say
from solver.errors import SolverError, WorkerLost
from solver.running.interrupts import ignored, put_back

COMMANDS = {
    "solve": commands.run_solve,
    "check": commands.run_check,
    "explain": commands.run_explain,
    "what-if": commands.run_what_if,
    "scenarios": commands.run_scenarios,
    "baselines": commands.run_baselines,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    with put_back():
        return _run(arguments)


def _run(arguments: list[str] | None) -> int:
    """As `main`; where an answer is written, Ctrl-C is ignored from then on."""
    try:
        options = _parser().parse_args(arguments)
        return COMMANDS[options.command](options)
    except SolverError as refused:
        say(sys.stderr, str(refused))
        return 3 if isinstance(refused, WorkerLost) else 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads what is still to be flushed
        return 2
    except KeyboardInterrupt:
        say(sys.stderr, "ended by hand: nothing is written")
        return commands.STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m solver", description="Solve pooling instances and ask about plans."
    )
    adding = parser.add_subparsers(dest="command", required=True)
    solving = adding.add_parser("solve", help="find a plan")
    solving.add_argument("instance", help="pooling.instance/1 as JSON; - for standard input")
    _add_out(solving, "the plan")
    _add_effort(solving, 60.0)
    checking = adding.add_parser("check", help="judge a plan by the raw instance")
    checking.add_argument("instance")
    checking.add_argument("plan")
    explaining = adding.add_parser("explain", help="near misses, shares, risk, and what would let lines in")
    explaining.add_argument("instance")
    explaining.add_argument("plan", help="pooling.plan/1 as JSON")
    explaining.add_argument(
        "--unlock", action="append", default=[], metavar="LINE", help="a line left out (repeatable)"
    )
    explaining.add_argument("--unlock-budget", type=_at_least_one, metavar="N", help="solve families so often at most")
    explaining.add_argument("--ranges", help="pooling.ranges/1 as JSON: how far price, volume and CO2e may be off")
    _add_out(explaining, "the explanation")
    _add_limits(explaining, 60.0)
    asking = adding.add_parser("what-if", help="what changes would do to a plan")
    asking.add_argument("instance")
    asking.add_argument("plan", help="pooling.plan/1 as JSON")
    asking.add_argument("changes", help="pooling.changes/1 as JSON")
    _add_out(asking, "the answer")
    _add_limits(asking, 2.0)
    gridding = adding.add_parser("scenarios", help="a plan for every policy of a grid, and the frontiers among them")
    gridding.add_argument("instance")
    gridding.add_argument("--grid", required=True, help="JSON: fields of the policy, each with a list of values")
    gridding.add_argument("--plans", action="store_true", help="write every plan in whole, not only its figures")
    _add_out(gridding, "the scenarios")
    _add_effort(gridding, 600.0)
    comparing = adding.add_parser("baselines", help="a plan beside going alone and simple rules")
    comparing.add_argument("instance")
    comparing.add_argument("plan", nargs="?", help="pooling.plan/1 as JSON (default: solve the instance)")
    _add_out(comparing, "the comparison")
    _add_effort(comparing, 60.0)
    return parser


def _add_out(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--out", default="-", help=f"where {what} goes (default: standard output)")


def _add_limits(parser: argparse.ArgumentParser, seconds: float) -> None:
    told = f"seconds (default {seconds:g})"
    parser.add_argument("--time-limit", type=_positive, default=seconds, metavar="S", help=told)
    parser.add_argument("--seed", type=_whole, default=0, metavar="K")


def _add_effort(parser: argparse.ArgumentParser, seconds: float) -> None:
    _add_limits(parser, seconds)
    parser.add_argument("--workers", type=_at_least_one, metavar="N", help="processes (default 1; all of a cluster)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler, such as tcp://127.0.0.1:8786")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 2**31 - 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to 2^31-1")
    return int(text)


def _at_least_one(text: str) -> int:
    if _whole(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def run() -> None:
    """Run one command and end the process with its exit code."""
    code = _run(None)
    ignored()  # the code stands: a signal while the process ends would put its own in its place
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:  # work left behind in another library: the usual end would pull that from under it
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
