"""Readers of picture headers: pure, bounded, without a decoder; one file per format."""
