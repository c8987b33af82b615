"""No oracle is skipped in silence."""

from pathlib import Path

import pytest
from require import require, require_module

SKIPS = ("importorskip", "pytest.skip(", "skipif(", "unittest.skip")


def test_what_is_there_is_used():
    require("g++", True, install="")
    require_module("numpy", extra="test")


@pytest.mark.parametrize("demanded", ["", "vivado", "g++-14"])
def test_what_is_missing_is_skipped_with_its_reason(demanded, monkeypatch):
    monkeypatch.setenv("L1MET_REQUIRE", demanded)
    with pytest.raises(pytest.skip.Exception, match=r"^g\+\+ is not there; apt install g\+\+$"):
        require("g++", False, install="apt install g++")


@pytest.mark.parametrize("demanded", ["all", "g++", "chromium, g++"])
def test_what_is_demanded_fails_when_it_is_missing(demanded, monkeypatch):
    monkeypatch.setenv("L1MET_REQUIRE", demanded)
    with pytest.raises(pytest.fail.Exception, match=r"L1MET_REQUIRE demands g\+\+"):
        require("g++", False, install="apt install g++")


def test_no_test_skips_in_another_way():
    here = Path(__file__).parent
    wrong = [
        f"{path.relative_to(here)}: {word}"
        for path in here.rglob("*.py")
        if path.name not in {"require.py", "test_require.py"}
        for word in SKIPS
        if word in path.read_text(encoding="utf-8")
    ]
    assert wrong == []
