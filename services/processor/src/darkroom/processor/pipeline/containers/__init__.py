"""Containers walked by their own structure, before any decoder sees them.

A decoder reserves memory and spends time while it opens a file; these readers only follow
lengths, so that counts and sizes are known, and judged, at no cost.
"""

from darkroom.processor.pipeline.containers.outline import read_outline
from darkroom.processor.pipeline.containers.parts import Outline

__all__ = ["Outline", "read_outline"]
