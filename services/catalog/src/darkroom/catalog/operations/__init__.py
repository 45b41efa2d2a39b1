"""The catalog's verbs: load, decide, save, record."""
