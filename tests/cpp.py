"""Compile C++ against the ``ap_fixed`` headers that hls4ml ships, and run it on numbers."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from require import require


def ap_types_folder() -> Path:
    spec = importlib.util.find_spec("hls4ml")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "templates" / "vivado" / "ap_types"


def compile_cpp(source: str, folder: Path, optimize: str = "-O0") -> Path:
    """Return the program made from ``source``; skips visibly where there is no compiler."""
    require("g++", shutil.which("g++") is not None, install="it compiles the ap_fixed oracle")
    code, program = folder / "oracle.cpp", folder / "oracle"
    code.write_text(source)
    command = ["g++", optimize, "-std=c++17", "-w", f"-isystem{ap_types_folder()}", "-o"]
    done = subprocess.run(
        [*command, str(program), str(code)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return program


def run_numbers(program: Path, numbers: str) -> list[int]:
    """Give numbers on standard input, return the integers printed."""
    done = subprocess.run([str(program)], input=numbers, check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]
