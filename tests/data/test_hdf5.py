"""What may be read although somebody else holds it, and what the messages call damage."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from ntuples import make_events, write_l1metml
from require import require

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.hdf5 import lookup3, open_hdf5
from l1met_fpga.data.inspect import inspect_file
from l1met_fpga.data.store import Store, is_store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError


@pytest.fixture
def store(tmp_path) -> Path:
    events = make_events(50)
    columns = {name: events.padded(name) for name in events.columns}
    write_store(tmp_path / "a.h5", candidates=columns, truth={GEN_MET: events.gen_met})
    return tmp_path / "a.h5"


def test_lookup3_gives_the_published_values():
    assert lookup3(b"") == 0xDEADBEEF
    assert lookup3(b"Four score and seven years ago") == 0x17770551


def test_lookup3_is_the_checksum_of_hdf5(store):
    superblock = store.read_bytes()[:48]
    assert lookup3(superblock[:44]) == int.from_bytes(superblock[44:], "little")


def test_a_lock_of_another_program_does_not_matter(store, monkeypatch):
    with store.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with Store.open(store) as opened:
            assert opened.n_events == 50
        monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "TRUE")
        with Store.open(store) as opened:
            assert opened.n_events == 50


WRITER = """
import sys, h5py
file = h5py.File(sys.argv[1], "r+")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ends", ["while it is read", "killed before"])
def test_a_store_that_another_program_opened_for_writing_is_read(store, ends):
    with Store.open(store) as opened:
        want = opened.candidates(), opened.truth(GEN_MET)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        if ends == "killed before":
            writer.kill()
            writer.wait()
        with pytest.raises(OSError, match="already open for write"):
            h5py.File(store, "r", locking=False)  # so HDF5 itself refuses it
        assert is_store(store)
        with Store.open(store) as opened:
            for name, column in opened.candidates().items():
                np.testing.assert_array_equal(column, want[0][name])
            np.testing.assert_array_equal(opened.truth(GEN_MET), want[1])
        assert inspect_file(str(store)).n_events == 50
        writer.kill()


def test_a_damaged_superblock_stays_damaged(store):
    content = bytearray(store.read_bytes())
    content[11] = 5  # marked, without the checksum of it
    store.write_bytes(content)
    with pytest.raises(DataError, match="is not a readable HDF5 file"):
        Store.open(store)


def test_a_locked_file_of_l1metml_is_read(tmp_path):
    write_l1metml(tmp_path / "x.h5", make_events(9))
    with (tmp_path / "x.h5").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        convert([str(tmp_path / "x.h5")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "o.h5") as opened:
        assert opened.n_events == 9


def test_a_folder_is_not_called_damaged(tmp_path):
    with pytest.raises(DataError) as caught:
        Store.open(tmp_path)
    assert str(caught.value) == (
        f"cannot read {tmp_path}: Is a directory; check its permissions and the disk"
    )


def test_a_forbidden_file_is_not_called_damaged(store):
    require("another-user-than-root", os.geteuid() != 0, install="root may read everything")
    store.chmod(0)
    with pytest.raises(DataError, match=r"cannot read .*a\.h5: Permission denied"):
        Store.open(store)


def test_a_system_error_is_not_called_damage(store, monkeypatch):
    def refused(*args, **given):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(h5py, "File", refused)
    with pytest.raises(DataError, match=r"cannot read .*a\.h5: Input/output error"):
        Store.open(store)
    with pytest.raises(OSError, match="Input/output error"):
        open_hdf5(store)
