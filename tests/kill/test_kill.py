"""A command that is killed at any moment and started again gives what it gives undisturbed.

Nothing that is half written is taken for whole, no lock stays, and nothing temporary stays.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from jobs import JOBS, digests, make_inputs

TIMES = 10
LONGEST_S = 900
PROGRAM = [sys.executable, "-c", "from l1met_fpga.cli.app import main; main()"]
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LEFT_BEHIND = (".l1met-????????????-*", "*.lock", ".*.held", "*.parts", "checkpoints")


@dataclass(frozen=True)
class Undisturbed:
    """What a job gives when nobody kills it, and how long it takes."""

    folder: Path
    seconds: float
    digests: dict[str, str]


class Bench:
    """Runs each job once undisturbed, when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self.root, self._done = root, {}
        (root / "inputs").mkdir()
        make_inputs(root / "inputs")

    def undisturbed(self, name: str) -> Undisturbed:
        if name not in self._done:
            folder = self.start_folder(name, "whole")
            began = time.monotonic()
            finish(folder, JOBS[name].command)
            seconds = time.monotonic() - began
            self._done[name] = Undisturbed(folder, seconds, digests(folder / JOBS[name].output))
        return self._done[name]

    def start_folder(self, name: str, what: str) -> Path:
        """Make the folder that a job starts in, with what it needs."""
        folder = self.root / f"{name}_{what}"
        needs = JOBS[name].needs
        if needs is None:
            folder.mkdir()
        else:
            shutil.copytree(self.undisturbed(needs).folder, folder)
        return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("killed"))


def start(folder, command):
    """Start a command as the leader of a group of processes."""
    return subprocess.Popen(
        [*PROGRAM, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"},
    )


def finish(folder, command):
    process = start(folder, command)
    said, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, (command, said)


def interrupt(folder, command, after_s, sent):
    """Start a command and send it and its workers a signal; returns whether it was still busy."""
    process = start(folder, command)
    try:
        process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, sent)
        process.communicate(timeout=LONGEST_S)  # on a busy machine also an end takes long
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # workers that outlived it
        return True
    return False


def kill_and_compare(bench, name, times):
    job, whole = JOBS[name], bench.undisturbed(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for number in range(times):
        folder = bench.start_folder(name, str(number))
        moment = float(rng.uniform(0.05, 1)) * whole.seconds
        sent = SIGNALS[int(rng.integers(len(SIGNALS)))]
        where = f"{name}: {sent.name} after {moment:.2f} s"
        if interrupt(folder, job.command, moment, sent):
            commands = job.again(folder) if job.again is not None else [job.command]
            for command in commands:
                finish(folder, command)
        found = digests(folder / job.output)
        wrong = [n for n in {*found, *whole.digests} if found.get(n) != whole.digests.get(n)]
        assert wrong == [], f"{where}: {wrong} differ"
        left = [str(p) for pattern in LEFT_BEHIND for p in folder.rglob(pattern)]
        assert left == [], f"{where}: {left} stayed"
        shutil.rmtree(folder)


def test_killed_conversion(bench):
    kill_and_compare(bench, "convert", 2)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", JOBS)
def test_killed_at_ten_moments(bench, name):
    kill_and_compare(bench, name, TIMES)
