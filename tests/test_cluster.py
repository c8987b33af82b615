import os
import signal

import pytest

from l1met_fpga.cluster import _interrupted_later, run_tasks
from l1met_fpga.processors import allowed_processors


def hears_ctrl_c(_):
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_ctrl_c_ends_this_process_which_ends_the_workers():
    """A terminal sends it to all processes at once, also while they start."""
    assert sorted(run_tasks(hears_ctrl_c, [0, 1], workers=2)) == [(0, False), (1, False)]
    assert hears_ctrl_c(0)


def test_ctrl_c_waits_until_all_processes_are_started():
    before, reached = signal.getsignal(signal.SIGINT), []

    def start():
        with _interrupted_later():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert reached == ["the end"]
    assert signal.getsignal(signal.SIGINT) is before
    assert hears_ctrl_c(0)


def threads(number):
    return number, os.getpid(), os.environ["TF_NUM_INTRAOP_THREADS"]


def fails(number):
    raise ValueError(number)


def test_tasks_share_the_processors():
    found = dict(run_tasks(threads, [10, 11, 12, 13], workers=2))
    assert [found[index][0] for index in range(4)] == [10, 11, 12, 13]
    assert os.getpid() not in {process for _, process, _ in found.values()}
    share = max(1, allowed_processors() // 2)
    assert {text for _, _, text in found.values()} == {str(share)}


def test_one_worker_runs_here_and_no_task_starts_nothing():
    assert list(run_tasks(lambda _: os.getpid(), [1], workers=2)) == [(0, os.getpid())]
    assert list(run_tasks(threads, [], workers=2)) == []


def test_what_a_task_raises_reaches_the_caller():
    with pytest.raises(ValueError, match="7"):
        list(run_tasks(fails, [7, 7], workers=2))
