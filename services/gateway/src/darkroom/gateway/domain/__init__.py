"""The rules of the front door: routes, paths, headers, framing; pure."""
