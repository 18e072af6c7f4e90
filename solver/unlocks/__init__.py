"""The cheapest single change that lets a line in, confirmed by solving."""
