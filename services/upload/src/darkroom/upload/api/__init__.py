"""The ways in: each surface's requests and replies around the same operations."""
