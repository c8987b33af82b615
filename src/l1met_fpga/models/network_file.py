"""The form of ``network.json``: version 2 has heads; version 1 had one output, its last node."""

import json
import shlex
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.heads import Head

__all__ = ["VERSION", "is_version_1", "require_version", "upgraded"]

VERSION: Final = 2
"""Of the files that are written and read."""


def require_version(content: bytes, path: Path) -> None:
    """Refuse a file of another version; what is no network at all is told elsewhere.

    Raises:
        ConversionError: Says which command converts it, or that a newer program wrote it.
    """
    if is_version_1(content):
        file = shlex.quote(str(path))
        raise ConversionError(
            f"{path} is a network.json of version 1, which has no named heads; convert it with "
            f"`l1met import {file} --output {file}`"
        )
    version = _object(content).get("version")
    if isinstance(version, int) and version > VERSION:
        raise ConversionError(
            f"{path} is a network.json of version {version}, this program reads version {VERSION}; "
            "use the newer program that wrote it"
        )


def is_version_1(content: bytes) -> bool:
    """Whether this is a network of version 1."""
    found = _object(content)
    return "nodes" in found and not {"version", "heads"} & set(found)


def upgraded(content: bytes, head: Head) -> bytes:
    """Return a file of version 1 as version 2; nodes that the result does not need are left out.

    Args:
        content: The file (:func:`is_version_1`).
        head: What its last node gives.

    Raises:
        ConversionError: If its nodes are no list of named nodes.
    """
    found = _object(content)
    try:
        nodes = {node["name"]: node for node in found["nodes"]}
        last = found["nodes"][-1]["name"]
        used, waiting = set[str](), [last]
        while waiting:
            name = waiting.pop()
            if name not in used:
                used.add(name)
                waiting.extend(nodes[name]["inputs"])
    except (IndexError, KeyError, TypeError) as err:
        raise ConversionError(f"the nodes of this network.json cannot be read: {err!r}") from None
    kept = [node for name, node in nodes.items() if name in used]
    heads = [head.of_node(last).model_dump()]
    rest = {key: value for key, value in found.items() if key != "nodes"}
    return json.dumps({"version": VERSION, **rest, "heads": heads, "nodes": kept}).encode()


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
