"""The page on adding an operation does what it says: its change is applied to a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from require import require

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/add-an-operation.md"


@pytest.fixture
def changed(tmp_path):
    """A copy of the package with the change of the page."""
    require("git", shutil.which("git") is not None, install="install git")
    (tmp_path / "src").mkdir()
    shutil.copytree(ROOT / "src/l1met_fpga", tmp_path / "src/l1met_fpga", symlinks=True)
    blocks = re.findall(r"```diff\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        command = ["git", "apply", "--recount", "-"]
        subprocess.run(command, input=block, text=True, cwd=tmp_path, check=True)
    return tmp_path / "src"


def test_every_file_of_the_table_is_changed_and_no_other(changed):
    table = PAGE.read_text(encoding="utf-8").split("\n\n")[2]
    named = set(re.findall(r"(\w+\.(?:py|h))`", table))
    different = {
        path.name
        for path in changed.rglob("*.*")
        if path.suffix in (".py", ".h")
        if not (old := ROOT / "src" / path.relative_to(changed)).is_file()
        or old.read_bytes() != path.read_bytes()
    }
    assert different == named | {"build.py", "contrast.py", "model.py"}


@pytest.mark.slow
def test_all_forms_agree_on_the_new_operation(changed):
    search = os.pathsep.join([str(changed), str(ROOT / "tests")])
    arguments = ["-q", "-p", "no:cacheprovider", "-m", "slow or not slow", "-k", "contrast"]
    contract = ROOT / "tests/models/test_architecture_contract.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, contract],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": search}, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
