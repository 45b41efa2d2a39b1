"""Where an upload goes: the spool on local disk, and the catalog that keeps the record."""
