"""Names of the members of objects in ROOT files."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["by_name"]

Branch = TypeVar("Branch")


def by_name(entries: Iterable[tuple[str, Branch]]) -> dict[str, Branch]:
    """Return branches by name; members of objects also by names with underscores.

    A name that two members share stands for none of them.
    """
    entries = list(entries)
    often = Counter(name for name, _ in entries)
    found = {name: branch for name, branch in entries if often[name] == 1}
    flat = [(re.sub(r"[./]+", "_", name), branch) for name, branch in found.items()]
    often = Counter(name for name, _ in flat)
    return {name: branch for name, branch in flat if often[name] == 1} | found
