"""Where connections are accepted: the guarded public port and the service port."""
