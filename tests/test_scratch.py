import signal
import subprocess
import sys

import pytest

from l1met_fpga.files import atomic_folder, atomic_path, remove_folder
from l1met_fpga.scratch import PREFIX

KILLED = """
import os, signal, sys
from pathlib import Path
from l1met_fpga import files
with getattr(files, sys.argv[1])(Path(sys.argv[2])) as made:
    target = made / "half" if made.is_dir() else made
    target.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def kill_while_making(how, path):
    done = subprocess.run([sys.executable, "-c", KILLED, how, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("how", ["atomic_path", "atomic_folder"])
def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path, how):
    path = tmp_path / "result.json"
    kill_while_making(how, path)
    (left,) = names(tmp_path)
    assert left.startswith(PREFIX)
    with atomic_path(tmp_path / "other.json") as temporary:
        temporary.write_text("{}")
    assert left in names(tmp_path), "it may be of a process that still makes result.json"
    with atomic_path(path) as temporary:
        temporary.write_text("{}")
    assert names(tmp_path) == ["other.json", "result.json"]


def test_two_makers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_path(path) as first:
        first.write_text("first")
        with atomic_path(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "project"
    for content in ("old", "new"):
        with atomic_folder(folder) as fresh:
            (fresh / content).write_text(content)
    assert names(folder) == ["new"]

    def fail():
        with atomic_folder(folder) as fresh:
            (fresh / "third").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(folder) == ["new"]
    remove_folder(folder)
    assert names(tmp_path) == []
