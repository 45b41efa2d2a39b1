"""The database of auth, revision by revision."""
