"""The stores, started from the wheels: PostgreSQL, NATS and an S3 server."""
