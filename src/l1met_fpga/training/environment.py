"""What a result depends on besides its configuration: versions, git state, seeds, machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

from l1met_fpga.results.run import Environment, GitState

__all__ = ["environment"]

PACKAGES: Final = (
    "l1met_fpga", "numpy", "tensorflow", "tf_keras", "qkeras", "tensorflow-model-optimization",
    "hls4ml", "da4ml",
)  # fmt: skip


def environment(*, seed: int, command: str) -> Environment:
    """Return the content of ``environment.json``.

    Args:
        seed: Seed of the training.
        command: What was run.
    """
    return Environment(
        command=command,
        seed=seed,
        python=platform.python_version(),
        software={name: version(name) for name in PACKAGES},
        git=_git_state(),
        platform=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )


def _git_state() -> GitState | None:
    """Commit of the package's checkout and whether files differ; None outside a checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            encoding="utf-8",
        )
        return done.stdout.strip()

    try:
        return GitState(
            commit=git("rev-parse", "HEAD"),
            changed=bool(git("status", "--porcelain", "--untracked-files=no")),
        )
    except (OSError, subprocess.SubprocessError):
        return None
