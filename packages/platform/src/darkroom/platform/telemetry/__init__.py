"""Logs, traces and metrics: set up once by a process entry, used everywhere."""
