"""Contract suites: one for each port, run over every implementation."""
