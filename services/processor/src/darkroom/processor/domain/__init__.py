"""Nouns and rules of developing: verdicts and budgets."""
