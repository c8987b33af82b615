"""How many processors this process may use."""

import math
import os
from pathlib import Path
from typing import Final

__all__ = ["allowed_processors"]

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN_CGROUP: Final = Path("/proc/self/cgroup")


def allowed_processors() -> int:
    """Return the number of processors this process may use, at least 1.

    On a batch slot or in a container this is what the slot allows, not what the machine has: the
    least of the processors it may run on, the processor time of its control groups (versions 1 and
    2, rounded up) and, from Python 3.13 on, what ``PYTHON_CPU_COUNT`` says. Where the operating
    system cannot say (macOS), it is the number of processors.
    """
    counts = [_runnable(), *_quotas()]
    return max(1, min(counts))


def _runnable() -> int:
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> list[int]:
    """Processors that the quota of each control group around this process is worth."""
    try:
        lines = _OWN_CGROUP.read_text(encoding="utf-8").splitlines()
    except OSError:  # no control groups here
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found += [_quota_v2(folder) for folder in _and_parents(_CGROUPS, path)]
        elif "cpu" in controllers.split(","):
            mount = _CGROUPS / controllers
            mount = mount if mount.is_dir() else _CGROUPS / "cpu"
            found += [_quota_v1(folder) for folder in _and_parents(mount, path)]
    return [math.ceil(quota) for quota in found if quota is not None]


def _and_parents(mount: Path, path: str) -> list[Path]:
    """Folders of a control group and of those around it; inside a container only the mount."""
    group = mount / path.lstrip("/")
    return [group, *(parent for parent in group.parents if parent.is_relative_to(mount))]


def _quota_v2(folder: Path) -> float | None:
    words = _words(folder / "cpu.max")
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    return int(quota[0]) / int(period[0]) if quota and period and int(quota[0]) > 0 else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except OSError:
        return []
