"""Turns originals into renditions in sandboxed children."""
