"""PostgreSQL: one engine a process, one transaction a request or message."""
