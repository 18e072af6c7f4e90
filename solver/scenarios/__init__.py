"""A grid over policy and its frontier, every plan of it judged."""
