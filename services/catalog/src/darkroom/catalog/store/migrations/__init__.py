"""The catalog's schema, revision by revision."""
