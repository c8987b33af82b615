"""The tutorial and the how-to pages as a reader types them, with trainings of a moment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_doc_commands import FENCE, ROOT

from l1met_fpga.shipped import copy_shipped

SHORT = (
    " --set training.epochs=2 --set training.events_per_epoch=2000"
    " --set training.float_twin=false --set training.unpruned_twin=false"
)
NOT_HERE = ("git ", "source ", "cd ")


def typed(page):
    """Yield the commands of a page's blocks; `make train` is what it calls."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for line in "\n".join(FENCE.findall(text)).replace("\\\n", " ").splitlines():
        command = line.split(" #")[0].strip()
        if command.startswith("make train"):
            command = "l1met train models/deepset.yaml " + command.split('"')[1]
        if command and not command.startswith(NOT_HERE):
            yield command + (SHORT if command.startswith("l1met train") else "")


@pytest.mark.slow
def test_the_first_hour_and_an_input_feature(tmp_path):
    copy_shipped(tmp_path)
    source = "import sys; sys.argv[0] = 'l1met'; from l1met_fpga.cli.app import main; main()"
    program = tmp_path / "bin" / "l1met"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{source}" "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for command in (*typed("first-hour.md"), *typed("how-to/input-feature.md")):
        done = subprocess.run(
            ["bash", "-c", command], check=False, cwd=tmp_path, env={**os.environ, "PATH": path},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    for made in ("runs/deepset/report.html", "event.html", "runs/compared/compare.html",
                 "runs/narrow/rtl/resources.json", "runs/displaced/bit_exactness.json"):  # fmt: skip
        assert (Path(tmp_path) / made).is_file(), made
