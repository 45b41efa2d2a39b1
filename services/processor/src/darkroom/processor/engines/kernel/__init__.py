"""The kernel's own fences, called directly: no library for them is small enough to trust here."""

from darkroom.processor.engines.kernel.calls import refuse_calls
from darkroom.processor.engines.kernel.files import restrict_files
from darkroom.processor.engines.kernel.network import leave_network
from darkroom.processor.engines.kernel.parent import end_with_parent

__all__ = ["end_with_parent", "leave_network", "refuse_calls", "restrict_files"]
