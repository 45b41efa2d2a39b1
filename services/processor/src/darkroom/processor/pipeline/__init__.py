"""From a stranger's file to renditions and findings: one decode, and everything from its pixels."""

from darkroom.processor.pipeline.develop import STEPS, Developed, Request, develop, prepare

__all__ = ["STEPS", "Developed", "Request", "develop", "prepare"]
