"""What can be done with accounts, sessions and keys."""
