"""The HTTP edge: the pichr account and key endpoints, and what the gateway asks."""
