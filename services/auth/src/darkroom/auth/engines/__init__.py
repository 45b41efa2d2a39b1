"""Machinery that is not ours: argon2."""
