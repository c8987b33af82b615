"""The wheel: everything that the program needs, and nothing that is not tracked."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "src", "models", "data")


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *NEEDED],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the tracked files, built outside the checkout."""
    folder = tmp_path_factory.mktemp("source")
    for path in _tracked():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_symlink():
            (folder / path).symlink_to((ROOT / path).readlink())
        else:
            shutil.copyfile(ROOT / path, folder / path)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", "dist", "."],
        cwd=folder, check=True,
    )  # fmt: skip
    with zipfile.ZipFile(next((folder / "dist").glob("*.whl"))) as archive:
        yield {name: archive.getinfo(name).file_size for name in archive.namelist()}


def test_the_wheel_holds_every_tracked_file_and_no_other(wheel):
    expected = {}
    for path in _tracked():
        inside = path.relative_to("src") if path.parts[0] == "src" else None
        if path.parts[0] in {"models", "data"}:
            inside = Path("l1met_fpga/shipped") / path
        if inside is not None and not (ROOT / path).is_symlink():
            expected[str(inside)] = (ROOT / path).stat().st_size
    found = {name: size for name, size in wheel.items() if ".dist-info/" not in name}
    assert found == expected


def test_the_wheel_brings_the_licence_and_the_command(wheel):
    names = {Path(name).name for name in wheel if ".dist-info/" in name}
    assert {"LICENSE", "entry_points.txt", "METADATA"} <= names
