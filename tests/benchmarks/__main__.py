"""`./run bench [NAME]`: runs the named benchmark, or all of them; exit code 1 where a target is missed."""

import sys
from importlib import import_module

NAMES = ("intake",)


def main(names: list[str]) -> int:
    """Run the benchmarks; how the process ends."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"bench: no benchmark {unknown[0]!r}; known: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    met = [import_module(f"tests.benchmarks.{name}").run() for name in names or NAMES]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
