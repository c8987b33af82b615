"""How many processors this process may use."""

import os

__all__ = ["allowed_processors"]


def allowed_processors() -> int:
    """Return the number of processors this process may run on, at least 1.

    On a batch slot this is what the slot allows, not what the machine has. Where the operating
    system cannot say (macOS), it is the number of processors.
    """
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
