#!/usr/bin/env bash
# One would think: hgq2 and qkeras are two packages and can be installed beside one another.
# What happens: the wheel of hgq2 brings a top-level folder qkeras and writes it over QKeras's files; pip says nothing and
# pip check is content. Install hgq2 into an environment or folder of its own.
# Seen with hgq2 0.2.0, qkeras 0.9.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps qkeras==0.9.0
env/bin/python - <<'PYTHON'
import hashlib
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

init = Path(distribution("qkeras").locate_file("qkeras/__init__.py"))
before = hashlib.sha256(init.read_bytes()).hexdigest()
install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "hgq2==0.2.0"]
subprocess.run(install, check=True)
after = hashlib.sha256(init.read_bytes()).hexdigest()
owners = {
    name: sum(str(file).startswith("qkeras/") for file in distribution(name).files or ())
    for name in ("qkeras", "hgq2")
}
print("files below qkeras/:", owners, "__init__.py replaced:", before != after)
assert before != after, "changed: hgq2 leaves QKeras's files alone"
assert owners["hgq2"] > 0
PYTHON
