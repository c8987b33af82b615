"""What earlier work was made from: named digests by content, compared before work goes on.

Whatever continues or reuses earlier work (a resume, a scan, a cache, stored predictions, vendor
figures, a comparison) keeps an identity beside it and calls :func:`require_same` first.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l1met_fpga.errors import L1MetError

__all__ = ["Identity", "content_digest", "differing_parts", "file_digest", "require_same"]

Identity = Mapping[str, Any]
"""Named parts of what something was made from: digests, numbers, names; all JSON values."""


def content_digest(content: Any) -> str:
    """Return the SHA-256 (32 hexadecimal digits) of a JSON value, whatever the order of its keys.

    Raises:
        ValueError: If the value holds NaN or infinity, which are not JSON.
        TypeError: If it is no JSON value.
    """
    text = json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """Return the SHA-256 (32 hexadecimal digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def differing_parts(recorded: Identity, current: Identity) -> dict[str, tuple[Any, Any]]:
    """Return the parts that differ, with the recorded and the present value.

    A part that only one of the two has differs: what was not recorded cannot be called the same.
    """
    names = sorted({*recorded, *current})
    both = {name: (recorded.get(name), current.get(name)) for name in names}
    return {name: (was, now) for name, (was, now) in both.items() if was != now}


def require_same(
    recorded: Identity, current: Identity, *, what: str, next_step: str, error: type[L1MetError]
) -> None:
    """Refuse to go on from earlier work that was made from something else.

    Args:
        recorded: Identity kept beside the earlier work.
        current: Identity of what is there now.
        what: The earlier work in words, with its path ("checkpoints of runs/a").
        next_step: What the user can do about it.
        error: Kind of error to raise.

    Raises:
        L1MetError: As ``error``; it names every part that differs.
    """
    parts = differing_parts(recorded, current)
    if parts:
        told = "; ".join(f"{name} was {was!r}, is {now!r}" for name, (was, now) in parts.items())
        raise error(f"{what} belongs to other inputs: {told}. {next_step}")
