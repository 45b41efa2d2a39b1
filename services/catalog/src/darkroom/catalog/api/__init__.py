"""What the catalog answers over HTTP."""
