import os

import pytest

from l1met_fpga import processors
from l1met_fpga.cluster import run_tasks
from l1met_fpga.processors import allowed_processors


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of eight processors whose control groups lie in a folder."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(processors, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(processors, "_OWN_CGROUP", tmp_path / "self")

    def make(own, files):
        (tmp_path / "self").write_text(own)
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return make


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "1000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "6400000 100000\n"}, 8),
        # the quota of a group further out, and a container that sees only the mount
        ("0::/slot/job\n", {"slot/cpu.max": "300000 100000\n", "slot/job/cpu.max": "max 1\n"}, 3),
        ("0::/kube/pod\n", {"cpu.max": "400000 100000\n"}, 4),
        # version 1, under both names of its folder
        (
            "4:cpu,cpuacct:/job\n1:name=systemd:/\n",
            {"cpu,cpuacct/job/cpu.cfs_quota_us": "250000", "cpu,cpuacct/job/cpu.cfs_period_us": "100000"},
            3,
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ("4:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "100000"}, 8),
    ],
)  # fmt: skip
def test_the_quota_of_the_control_groups_counts(own, files, expected, machine):
    machine(own, files)
    assert allowed_processors() == expected


def test_without_control_groups_the_processors_count(machine):
    assert allowed_processors() == 8


@pytest.mark.parametrize(
    "gone", [["process_cpu_count"], ["process_cpu_count", "sched_getaffinity"]]
)
def test_other_systems_and_older_pythons(gone, machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    for name in gone:
        monkeypatch.delattr(os, name, raising=False)
    assert allowed_processors() == (2 if gone == ["process_cpu_count"] else 1)


def test_tasks_run_in_this_process_without_affinity(machine, monkeypatch):
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert list(run_tasks(lambda _: os.getpid(), [1, 2])) == [(0, os.getpid()), (1, os.getpid())]
