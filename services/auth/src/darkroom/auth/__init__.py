"""Accounts, sessions and API keys."""
