"""NATS JetStream: the outbox that feeds it, the workers that drain it."""
