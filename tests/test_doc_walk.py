"""The tutorial and the how-to pages as a reader types them, with trainings of a moment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_doc_commands import FENCE, ROOT

from l1met_fpga.shipped import copy_shipped

SHORT = (
    " --set training.epochs=2 --set training.events_per_epoch=2000"
    " --set training.stages.float.epochs=1 --set evaluation.bootstrap_samples=5"
)
NOT_HERE = ("git ", "source ", "cd ")


def typed(page: str) -> Iterator[str]:
    """Yield the commands of a page's blocks; `make train` is what it calls."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for line in "\n".join(FENCE.findall(text)).replace("\\\n", " ").splitlines():
        command = line.split(" #")[0].strip()
        if command.startswith("make train"):
            command = "l1met train models/deepset.yaml " + command.split('"')[1]
        if command and not command.startswith(NOT_HERE):
            yield command + (SHORT if command.startswith("l1met train") else "")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `l1met init` makes it, with a program l1met."""
    folder = tmp_path_factory.mktemp("reader")
    copy_shipped(folder)
    source = "import sys; sys.argv[0] = 'l1met'; from l1met_fpga.cli.app import main; main()"
    program = folder / "bin" / "l1met"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{source}" "$@"\n')
    program.chmod(0o755)
    return folder


def walk(page: str, here: Path) -> None:
    """Type every command of a page, one after the other."""
    path = f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in typed(page):
        done = subprocess.run(
            ["bash", "-c", command], check=False, cwd=here, env={**os.environ, "PATH": path},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.slow
def test_the_first_hour(here: Path) -> None:
    walk("first-hour.md", here)
    for made in ("runs/deepset/report.html", "event.html", "runs/compared/compare.html",
                 "runs/narrow/rtl/resources.json"):  # fmt: skip
        assert (here / made).is_file(), made


@pytest.mark.slow
def test_an_input_feature(here: Path) -> None:
    walk("how-to/input-feature.md", here)
    assert (here / "runs/with-z0/bit_exactness.json").is_file()


@pytest.mark.slow
def test_own_samples(here: Path) -> None:
    (here / "ntuples").mkdir()
    for name, like in (("HToInvisible", "ttbar"), ("SingleNeutrino", "pileup")):
        shutil.copy(here / f"data/{like}.root", here / f"ntuples/{name}_PU200.root")
    walk("how-to/own-samples.md", here)
    assert (here / "hinv-plots").is_dir()
    assert (here / "znunu-figures/metrics.json").is_file()
