"""What an upload is, and the rules a file must meet before a byte of it is kept."""
