"""How many processors may be used, on systems that say so and on others."""

import os

import pytest

from l1met_fpga.data.cluster import run_tasks
from l1met_fpga.processors import allowed_processors


@pytest.fixture
def without_affinity(monkeypatch):
    """macOS has no such function."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)


@pytest.mark.parametrize(("counted", "allowed"), [(8, 8), (None, 1)])
def test_system_without_affinity(without_affinity, monkeypatch, counted, allowed):
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert allowed_processors() == allowed


def test_slot_of_one_processor_of_a_large_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {17}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    assert allowed_processors() == 1
    # One worker: the tasks run in this process.
    assert list(run_tasks(lambda _: os.getpid(), [1, 2])) == [(0, os.getpid()), (1, os.getpid())]


def test_tasks_run_without_affinity(without_affinity, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert dict(run_tasks(abs, [-1, -2])) == {0: 1, 1: 2}
