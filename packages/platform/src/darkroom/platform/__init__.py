"""How a Darkroom service talks to the outside: HTTP, PostgreSQL, NATS, S3, telemetry."""
