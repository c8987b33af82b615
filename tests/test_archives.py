import io
import zipfile

import numpy as np
import pytest

from l1met_fpga.archives import read_npz
from l1met_fpga.errors import DataError


def read(path):
    return read_npz(path, error=DataError, next_step="make it again")


def test_arrays_are_what_numpy_wrote(tmp_path):
    path = tmp_path / "a.npz"
    wanted = {"x": np.arange(6).reshape(2, 3), "a/b [c]": np.array("text"), "none": np.zeros(0)}
    for save in (np.savez, np.savez_compressed):
        save(path, **wanted)
        found = read(path)
        assert found.keys() == wanted.keys()
        for name, array in wanted.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


def damaged(path):
    """Yield archives that are damaged in the ways that have exceptions of their own."""
    np.savez_compressed(path, x=np.arange(1000))
    good = path.read_bytes()
    yield b""
    yield b"no archive"
    yield good[:-30]
    yield good[:60] + bytes(40) + good[100:]  # the deflated stream
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    for content in (header.getvalue(), b"\x93NUMPY\x01\x00", b"plain text"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
        yield path.read_bytes()
    np.savez(path, x=np.array([object()]))
    yield path.read_bytes()


def test_every_damage_is_one_sentence(tmp_path):
    path = tmp_path / "a.npz"
    contents = list(damaged(path))
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.npz is not a readable NumPy archive .*again$"):
            read(path)


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.npz")
