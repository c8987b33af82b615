import json
import os
import resource
import stat
from contextlib import contextmanager

import pytest

from l1met_fpga.errors import ReportError
from l1met_fpga.files import atomic_path, read_json, write_json


@contextmanager
def _umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o077, 0o027, 0o022, 0o002])
def test_a_new_file_has_the_permissions_of_any_other_new_file(mask, tmp_path):
    with _umask(mask):
        write_json(tmp_path / "ours.json", {})
        (tmp_path / "theirs").touch()
    assert _mode(tmp_path / "ours.json") == _mode(tmp_path / "theirs") == 0o666 & ~mask


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    target = tmp_path / "shared.json"
    target.touch()
    target.chmod(0o664)
    with _umask(0o077):
        write_json(target, {})
    assert _mode(target) == 0o664


def test_a_disk_that_runs_full_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for the disk."""
    target = tmp_path / "big.bin"
    target.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as refused, atomic_path(target) as t:
            t.write_bytes(bytes(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.filename == str(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_every_name_that_the_file_system_takes_can_be_written(tmp_path):
    for name in ("x" * 255, "y" * 250 + ".json", ".hidden." + "z" * 240, "[/a] 'b' :c"):
        write_json(tmp_path / name, {"name": name})
        assert json.loads((tmp_path / name).read_text()) == {"name": name}


def test_a_refused_file_is_named_not_its_temporary_one(tmp_path):
    target = tmp_path / ("x" * 256)
    with pytest.raises(OSError, match="File name too long") as refused:
        write_json(target, {})
    assert refused.value.filename == str(target)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as refused:
        write_json(tmp_path / "folder", {})
    assert refused.value.filename == str(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_points_to_is_written_and_the_link_stays(there, tmp_path):
    target, link = tmp_path / "disk" / "file.json", tmp_path / "link.json"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to("disk/file.json")
    write_json(link, {"a": 1})
    assert link.is_symlink()
    assert json.loads(target.read_text()) == {"a": 1}
    assert [path.name for path in target.parent.iterdir()] == ["file.json"]


def test_atomic_path_keeps_the_old_file_after_an_error(tmp_path):
    target = tmp_path / "result.json"
    write_json(target, {"answer": 1})

    def interrupted_write():
        with atomic_path(target) as temporary:
            temporary.write_text("{half a fi")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert json.loads(target.read_text()) == {"answer": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_write_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"met": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe{}", "it is not JSON"),
        (b'{"a": NaN}', r"it is not JSON \(it has no NaN"),
        (b'{"a": -Infinity}', r"it is not JSON \(it has no -Inf"),
        (b'{"a": ' + b"9" * 5000 + b"}", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it holds no JSON object"),
        (b"3", "it holds no JSON object"),
    ],
)
def test_read_json_wrong(tmp_path, content, says):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=rf"x\.json: {says}.*; make it again$"):
        read_json(path, error=ReportError, next_step="make it again")
