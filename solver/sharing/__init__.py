"""A pool's gain shared by four rules, and whether anyone would do better apart."""
