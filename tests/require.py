"""An oracle that a test needs: skipped where it is missing, a failure where it must be there."""

import os

import pytest

__all__ = ["require"]


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
    pytest.skip(f"{name} is not there; {install}")
