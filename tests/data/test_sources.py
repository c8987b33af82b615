"""Names, globs and URLs of input files."""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from ntuples import make_events, write_perfnano

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.sources import expand_sources, refuse_repeated_files
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError


def test_a_pipe_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.root")
    with pytest.raises(DataError, match=r"a\.root is no file that can be read from any place"):
        expand_sources([str(tmp_path / "a.root")])
    os.mkfifo(tmp_path / "a.h5")
    with pytest.raises(DataError, match=r"cannot read .*a\.h5: Illegal seek"):
        Store.open(tmp_path / "a.h5")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.root").write_bytes(b"root")
    (tmp_path / "b.root").write_bytes(b"other")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.root").symlink_to("a.root")
    (tmp_path / "sub" / "up").symlink_to("..")
    os.link(tmp_path / "a.root", tmp_path / "hard.root")
    return tmp_path


@pytest.mark.parametrize(
    "other",
    [
        "./a.root",
        "{}/a.root",
        "sub/../a.root",
        "sub/up/a.root",
        "link.root",
        "hard.root",
        "file://{}/a.root",
        "file://{}/%61.root",
    ],
)
def test_two_spellings_of_a_file(folder, other):
    other = other.format(folder)
    with pytest.raises(DataError) as caught:
        expand_sources(["b.root", "a.root", other])
    told = unquote(other.removeprefix("file://"))
    assert str(caught.value) == (
        f"{told} is the same file as a.root; its events would be counted twice"
    )


def test_a_file_url_is_a_local_file(folder):
    (source,) = expand_sources([f"file://{folder}/%61.root"])
    assert source.path == f"{folder}/a.root"
    assert source.sha256() == hashlib.sha256(b"root").hexdigest()
    assert source.stamp()[0] == 4


def test_the_same_name_twice(folder):
    with pytest.raises(DataError, match=r"^a\.root is given twice; its events would be counted"):
        refuse_repeated_files([Path("a.root"), "a.root"])
    with pytest.raises(DataError, match=r"^none\.h5 is given twice"):
        refuse_repeated_files(["none.h5", "none.h5"])


@pytest.mark.parametrize(
    "other",
    [
        "root://HOST.cern.ch//x/a.root",
        "root://host.cern.ch:1094//x/a.root",
        "xroot://host.cern.ch//x/a.root",
        "root://host.cern.ch//x//b/../a.root?authz=token",
        "root://user@host.cern.ch/x/a.root",
        "ROOT://host.cern.ch//x/%61.root",
    ],
)
def test_two_spellings_of_a_url(other):
    with pytest.raises(DataError, match="is the same file as root://host"):
        refuse_repeated_files(["root://host.cern.ch//x/a.root", other])


def test_different_files_are_allowed(folder):
    refuse_repeated_files(["a.root", "b.root", "none.root", "sub/a.root"])
    refuse_repeated_files(
        [
            "root://host//x/a.root",
            "root://host//x/A.root",
            "root://host:1095//x/a.root",
            "root://other//x/a.root",
            "https://host/x/a.root?file=1",
            "https://host/x/a.root?file=2",
        ]
    )


def test_a_url_with_a_wrong_port():
    with pytest.raises(DataError, match=r"^root://host:port//a is not a URL \(Port could not"):
        refuse_repeated_files(["root://host:port//a"])


def test_a_folder_is_no_file(folder):
    with pytest.raises(DataError) as caught:
        expand_sources(["sub"])
    assert str(caught.value) == "sub is a folder; name the files in it, for example sub/*.root"


def test_globs_on_other_servers_are_refused():
    with pytest.raises(
        DataError, match=r"^https://host/\*\.root: globs are known for root:// serv"
    ):
        expand_sources(["https://host/*.root"])
    # What follows the question mark is no part of the path.
    assert expand_sources(["root://host//a.root?x=[*]"], "root")[0].path.endswith("x=[*]")


def test_a_glob_on_a_server_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    with pytest.raises(DataError, match=r"install l1met_fpga\[xrootd\]$"):
        expand_sources(["root://host.invalid//*.root"])


def test_a_copy_under_another_name(tmp_path):
    write_perfnano(tmp_path / "a.root", make_events(20))
    write_perfnano(tmp_path / "b.root", make_events(20, seed=1))
    shutil.copy(tmp_path / "a.root", tmp_path / "c.root")
    with pytest.raises(DataError) as caught:
        convert([str(tmp_path / "*.root")], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert str(caught.value) == (
        f"{tmp_path}/c.root holds the same bytes as {tmp_path}/a.root; its events would be counted "
        "twice"
    )
