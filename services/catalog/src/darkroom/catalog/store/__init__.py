"""What the catalog keeps in PostgreSQL."""
