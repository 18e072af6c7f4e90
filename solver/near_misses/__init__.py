"""Lots just short of a volume, and who could close the gap with what."""
