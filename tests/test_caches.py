from pathlib import Path

import pytest

from l1met_fpga.caches import cache_folder


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"L1MET_CACHE": "{tmp}/own", "XDG_CACHE_HOME": "{tmp}/xdg"}, "own/stores"),
        ({"XDG_CACHE_HOME": "{tmp}/xdg", "HOME": "{tmp}/home"}, "xdg/l1met/stores"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "{tmp}/home"}, "home/.cache/l1met/stores"),
        ({"HOME": "{tmp}/home"}, "home/.cache/l1met/stores"),
    ],
)
def test_where_the_cache_is(tmp_path: Path, monkeypatch, environment, expected):
    for name in ("L1MET_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    folder = cache_folder("stores")
    assert folder == tmp_path / expected
    assert folder.is_dir()


def test_a_temporary_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("L1MET_CACHE", "/dev/null/cache")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = cache_folder("stores")
    assert mine.is_relative_to(tmp_path)
    assert mine == cache_folder("stores")
    mine.parent.chmod(0o777)
    assert cache_folder("stores") != mine
