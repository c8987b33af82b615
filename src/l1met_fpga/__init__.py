"""Quantized set networks that regress missing transverse energy at the CMS Phase-2 Level-1 trigger.

Importing the package is free: TensorFlow, hls4ml and matplotlib are imported by the rooms that
use them (see ``docs/architecture.md``).
"""

from importlib.metadata import version

__all__ = ["__version__"]
__version__ = version("l1met_fpga")
