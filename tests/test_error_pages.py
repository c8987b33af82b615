"""Every kind of error has its place in the documentation, with cause or cure and its exit code."""

import re
from pathlib import Path

import pytest

from l1met_fpga import errors

PAGE = (Path(__file__).parents[1] / "docs/errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
KINDS = [name for name in errors.__all__ if name != "L1MetError"]


def test_no_section_is_about_nothing():
    assert sorted(SECTIONS) == sorted(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_section_has_the_code_and_the_cure(name):
    assert SECTIONS[name].startswith(f"Exit code {getattr(errors, name).exit_code}. ")
    assert "*Cure*: " in SECTIONS[name]
