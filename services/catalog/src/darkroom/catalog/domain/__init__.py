"""Nouns and rules of the catalog; pure, no wire and no store."""
