"""``python -m solver solve INSTANCE.json --out PLAN.json`` and ``python -m solver check INSTANCE.json PLAN.json``.

Exit codes: 0 done (check: no violation), 1 violations, 2 an input that is refused. ``-`` reads standard input or
writes standard output.
"""

import argparse
import json
import sys
from pathlib import Path

from solver.check import check
from solver.errors import SolverError
from solver.instance import Instance
from solver.plan import Plan, Progress
from solver.solve import solve


class _Unreadable(SolverError):
    """A file that cannot be read or written, or is no JSON."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _solve(options) if options.command == "solve" else _check(options)
    except SolverError as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m solver", description="Solve and check pooling instances.")
    commands = parser.add_subparsers(dest="command", required=True)
    solving = commands.add_parser("solve", help="find a plan")
    solving.add_argument("instance", help="pooling.instance/1 as JSON; - for standard input")
    solving.add_argument("--out", default="-", help="where the plan goes (default: standard output)")
    solving.add_argument("--time-limit", type=_positive, default=60.0, metavar="S", help="seconds (default 60)")
    solving.add_argument("--workers", type=_at_least_one, default=1, metavar="N", help="processes (default 1)")
    solving.add_argument("--seed", type=_whole, default=0, metavar="K")
    checking = commands.add_parser("check", help="judge a plan by the raw instance")
    checking.add_argument("instance")
    checking.add_argument("plan")
    return parser


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


def _solve(options: argparse.Namespace) -> int:
    instance = Instance.from_document(_read(options.instance))
    if options.out != "-" and not Path(options.out).absolute().parent.is_dir():
        raise _Unreadable(f"{options.out}: cannot be written: its folder does not exist")
    plan = solve(
        instance,
        time_limit_s=options.time_limit,
        workers=options.workers,
        seed=options.seed,
        on_progress=_show,
    )
    _write(options.out, plan)
    return 0


def _show(progress: Progress) -> None:
    parts = [f"{progress.stage}: {progress.families_done}/{progress.families} families"]
    if progress.best_total_eur is not None:
        parts.append(f"best {progress.best_total_eur:,.0f} EUR")
    if progress.bound_eur is not None:
        parts.append(f"bound {progress.bound_eur:,.0f} EUR")
    if progress.gap is not None:
        parts.append(f"gap {progress.gap:.3%}")
    print(", ".join(parts), file=sys.stderr)  # noqa: T201


def _check(options: argparse.Namespace) -> int:
    instance = _read(options.instance)
    Instance.from_document(instance)
    plan = _read(options.plan)
    violations = check(instance, plan)  # type: ignore[arg-type]
    for violation in violations:
        print(violation)  # noqa: T201
    return 1 if violations else 0


def _read(path: str) -> object:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as unread:
        raise _Unreadable(f"{path}: cannot be read: {unread}") from unread
    except (ValueError, RecursionError) as wrong:
        raise _Unreadable(f"{path}: not JSON: {wrong}") from wrong


def _write(path: str, plan: Plan) -> None:
    text = json.dumps(plan.to_document(), indent=1) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as unwritten:
        raise _Unreadable(f"{path}: cannot be written: {unwritten}") from unwritten


if __name__ == "__main__":
    sys.exit(main())
