"""The best totals ever found on instances of the benchmark, EUR by preset and seed: no bound may lie below them.

Totals are of judged plans. A run that finds a better one says so; its total belongs here then.
"""

BEST_KNOWN_EUR: dict[str, dict[int, float]] = {
    "nordic": {1: 190_451_754.19},
    "large-family": {1: 14_008_524.50},
}
