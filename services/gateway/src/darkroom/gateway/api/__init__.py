"""The wire side: the front door itself, what it forwards, and its own few answers."""
