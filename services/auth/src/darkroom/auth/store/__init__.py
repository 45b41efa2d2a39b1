"""Accounts, sessions and keys in PostgreSQL."""
