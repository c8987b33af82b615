"""Names, globs and URLs of input files."""

import os
from pathlib import Path

import pytest

from l1met_fpga.data.sources import expand_sources, refuse_repeated_files
from l1met_fpga.errors import DataError


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
    assert str(caught.value) == (
        f"{other} is the same file as a.root; its events would be counted twice"
    )


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
