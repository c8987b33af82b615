"""An oracle that a test needs: skipped where it is missing, a failure where it must be there."""

import os
from importlib.util import find_spec

import pytest

__all__ = ["require", "require_module"]


def require(name: str, present: bool, *, install: str) -> None:
    """Skip the test if ``name`` is not there; fail if ``L1MET_REQUIRE`` names it or says ``all``.

    Args:
        name: Tool, package or data, for example ``g++`` or ``reference-data``.
        present: Whether it was found.
        install: How to get it.
    """
    if present:
        return
    demanded = {word.strip() for word in os.environ.get("L1MET_REQUIRE", "").split(",")}
    if demanded & {name, "all"}:
        pytest.fail(f"L1MET_REQUIRE demands {name}, which is not there; {install}")
    pytest.skip(f"{name} is not there; {install}", allow_module_level=True)


def require_module(name: str, *, extra: str) -> None:
    """Do the same for a Python module that comes with an extra of the package."""
    require(name, find_spec(name) is not None, install=f"install l1met_fpga[{extra}]")
