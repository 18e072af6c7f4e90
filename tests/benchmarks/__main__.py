"""`./run bench [NAME [SECTION ...]] ...`: the named benchmarks, or all; of each the named sections, or all.

The exit code is 1 where a target is missed.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

KNOWN = ("intake", "slots", "api", "questions", "solver")
"""In the order in which all of them run: the longest last."""


def main(words: list[str]) -> int:
    """Run the benchmarks; how the process ends."""
    names = [name for name in KNOWN if find_spec(f"tests.benchmarks.{name}")]
    chosen: list[tuple[str, list[str]]] = [] if words else [(name, []) for name in names]
    for word in words:
        if word in names:
            chosen.append((word, []))
        elif chosen and word in _sections(chosen[-1][0]):
            chosen[-1][1].append(word)
        else:
            known = [f"{name} {' '.join(_sections(name))}".strip() for name in names]
            print(f"bench: no benchmark or section {word!r}; known: {', '.join(known)}", file=sys.stderr)
            return 2
    met = [import_module(f"tests.benchmarks.{name}").run(*sections) for name, sections in chosen]
    return 0 if all(met) else 1


def _sections(name: str) -> tuple[str, ...]:
    """What a benchmark can run by itself; nothing where it is one piece."""
    return tuple(getattr(import_module(f"tests.benchmarks.{name}"), "SECTIONS", ()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
