"""HTTP for services: the app defaults, problem bodies, health, and calls to neighbours."""
