"""Chances of reaching a tier, and pools that fail at the far end of a range."""
