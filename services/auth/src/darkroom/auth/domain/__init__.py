"""What an account, a key and a session are, and the rules they follow; pure."""
