"""Changes to an instance, the families they touch solved again, and what would differ."""
