"""The outside tools that tests hold ours against: where they are, and which version they say.

A test names what it needs by ``@pytest.mark.oracle(...)``; ``conftest.py`` looks for it before the
test runs and says the versions at the end. Python packages that must not stand beside ours live in
environments of their own, which ``make test-oracles`` makes.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from require import require

from l1met_fpga.packages import FOLDER_VARIABLE

__all__ = ["TOOLS", "environment_python", "need"]

ENVIRONMENTS = Path(__file__).parents[1] / "build" / "oracles"
MADE_BY = "run `make test-oracles`, which installs it"


@dataclass(frozen=True)
class Tool:
    """A program, or a package in an environment of its own.

    Attributes:
        find: Returns its path, None where it is missing.
        ask: Arguments after the path that make it say its version.
        install: How to get it.
    """

    find: Callable[[], str | None]
    ask: tuple[str, ...]
    install: str


def program(*names: str, ask: str, package: str) -> Tool:
    def find() -> str | None:
        return next(filter(None, map(shutil.which, names)), None)

    return Tool(find, (ask,), f"apt-get install {package}, or {MADE_BY}")


def environment_python(name: str) -> str:
    """Return the interpreter of an environment; it may be missing."""
    return str(ENVIRONMENTS / name / "bin" / "python")


def package(distribution: str, environment: str) -> Tool:
    def find() -> str | None:
        python = environment_python(environment)
        return python if Path(python).exists() else None

    return Tool(find, _say_version(distribution), MADE_BY)


def beside_ours(distribution: str, module: str) -> Tool:
    """A package that is imported together with ours, or from the folder of ``L1MET_PACKAGES``."""

    def find() -> str | None:
        folder = os.environ.get(FOLDER_VARIABLE)
        there = find_spec(module) or (folder and (Path(folder) / module).is_dir())
        return sys.executable if there else None

    return Tool(find, _say_version(distribution), MADE_BY)


def _say_version(distribution: str) -> tuple[str, str]:
    say = "import os, sys; from importlib.metadata import version; "
    say += f"sys.path.append(os.environ.get({FOLDER_VARIABLE!r}, '')); "
    return "-c", say + f"print(version({distribution!r}))"


TOOLS = {
    "g++": program("g++", ask="--version", package="g++"),
    "clang++": program("clang++", ask="--version", package="clang"),
    "ghdl": program("ghdl", ask="--version", package="ghdl"),
    "iverilog": program("iverilog", ask="-V", package="iverilog"),
    "make": program("make", ask="--version", package="make"),
    "xrootd": program("xrootd", ask="-v", package="xrootd-server"),
    "chromium": program(
        "chromium", "chromium-browser", "google-chrome", "chrome", ask="--version", package="chromium"
    ),
    "ROOT": package("ROOT", "root"),
    "fsspec-xrootd": beside_ours("fsspec-xrootd", "fsspec_xrootd"),
    "alkaid": package("alkaid", "alkaid"),
    "fastjet": package("fastjet", "fastjet"),
    "hepdata_lib": beside_ours("hepdata_lib", "hepdata_lib"),
    "hgq2": beside_ours("hgq2", "hgq"),
    "qonnx": beside_ours("qonnx", "qonnx"),
}  # fmt: skip


def need(name: str) -> str:
    """Skip the test, or fail it where ``L1MET_REQUIRE`` says so, if a tool is missing.

    Returns:
        The tool and the version that it says.
    """
    tool = TOOLS[name]
    path = tool.find()
    require(name, path is not None, install=tool.install)
    return f"{name} {_version(str(path), tool.ask)}"


@functools.cache
def _version(path: str, ask: tuple[str, ...]) -> str:
    done = subprocess.run(
        [path, *ask], capture_output=True, text=True, errors="replace", check=False, timeout=60
    )
    found = re.search(r"\d+(\.\w+)+", done.stdout + done.stderr)
    assert found, f"{path} says no version: {done.stdout} {done.stderr}"
    return found.group()
