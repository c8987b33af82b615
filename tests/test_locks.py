import errno
import fcntl
import logging
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from l1met_fpga import locks
from l1met_fpga.files import exclusive
from l1met_fpga.locks import is_held

WITHOUT_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def _refuse_locks_below(folder, number):
    """Stand for a network folder whose server does not lock."""
    real = fcntl.flock

    def flock(lock, operation):
        if Path(f"/proc/self/fd/{lock}").readlink().is_relative_to(folder):
            raise OSError(number, os.strerror(number))
        real(lock, operation)

    locks.fcntl = type("fcntl", (), {**vars(fcntl), "flock": staticmethod(flock)})


@pytest.fixture(params=WITHOUT_LOCKS, ids=errno.errorcode.get)
def lockless(request, tmp_path, monkeypatch):
    """A folder without flock; the machine's temporary folder has it."""
    monkeypatch.setattr(locks, "fcntl", fcntl)
    monkeypatch.setattr(locks.tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "net").mkdir()
    _refuse_locks_below(tmp_path / "net", request.param)
    return tmp_path / "net"


def _append_slowly(target, lockless_errno=None):
    if lockless_errno is not None:
        _refuse_locks_below(target.parent, lockless_errno)
    with exclusive(target):
        seen = target.read_text() if target.exists() else ""
        time.sleep(0.2)
        target.write_text(seen + "x")


@pytest.mark.parametrize("lockless_errno", [None, errno.ENOLCK])
def test_exclusive_lets_one_process_at_a_time_make_a_file(lockless_errno, tmp_path):
    context = multiprocessing.get_context("spawn")
    target = tmp_path / "store.h5"
    workers = [
        context.Process(target=_append_slowly, args=(target, lockless_errno)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert target.read_text() == "xxx"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_without_locks_is_worked_in_with_a_warning(lockless, caplog):
    with caplog.at_level(logging.WARNING), exclusive(lockless / "o.h5"):
        assert [path.name for path in lockless.iterdir()] == [".o.h5.held"]
    assert list(lockless.iterdir()) == []
    assert f"{lockless} has no file locks" in caplog.text


def test_after_an_error_nothing_stays(lockless):
    with pytest.raises(ZeroDivisionError), exclusive(lockless / "o.h5"):
        raise ZeroDivisionError
    assert list(lockless.iterdir()) == []


def test_what_a_dead_process_of_this_machine_left_is_taken_over(lockless):
    with exclusive(lockless / "o.h5"):
        left = (lockless / ".o.h5.held").read_text()
    (lockless / ".o.h5.held").write_text(left)
    with exclusive(lockless / "o.h5"):
        pass
    assert list(lockless.iterdir()) == []


def test_another_machine_is_waited_for_by_name(lockless, caplog, monkeypatch):
    held = lockless / ".o.h5.held"
    held.write_text("user 7 on node12 (3)")
    monkeypatch.setattr(locks.time, "sleep", lambda _: held.unlink())
    with caplog.at_level(logging.WARNING), exclusive(lockless / "o.h5"):
        assert "node12" not in held.read_text()
    assert f"waiting for user 7 on node12 (3); remove {held} if it has crashed" in caplog.text


def test_a_machine_without_any_locks_says_what_to_set(lockless, monkeypatch):
    monkeypatch.setattr(locks.tempfile, "tempdir", str(lockless))
    with (
        pytest.raises(OSError, match="set TMPDIR to a folder of this machine"),
        exclusive(lockless / "o.h5"),
    ):
        pass


@pytest.mark.parametrize("name", ["x" * 255, "[a] 'b'.h5", "-o.h5"])
def test_any_name_can_be_held(name, tmp_path):
    with exclusive(tmp_path / name):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_with_the_file(tmp_path):
    with pytest.raises(OSError, match=r"/proc/o\.h5'$"), exclusive(Path("/proc/o.h5")):
        pass


def test_who_looks_holds_nothing(lockless, tmp_path):
    for path in (lockless, tmp_path / "there" / "thing"):
        assert not is_held(path)
        assert not list(path.parent.glob(f".{path.name}.*"))
        with exclusive(path):
            assert is_held(path)
        assert not is_held(path)
