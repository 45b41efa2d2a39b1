"""`darkroom up`: the whole platform from wheels, in the foreground, without containers."""
