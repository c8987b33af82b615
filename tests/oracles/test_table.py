"""The table of README.md names tests that exist, and what ours leaves alone."""

import ast
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import l1met_fpga
from l1met_fpga.doctor import examine
from l1met_fpga.firmware.rtl.verilated import verilator_root

TESTS = Path(__file__).parents[1]
SOURCES = Path(l1met_fpga.__file__).parent


def test_every_row_names_a_test():
    rows = re.findall(r"`([\w/]+\.py)::(\w+)`", (TESTS / "oracles" / "README.md").read_text())
    assert len(rows) > 30
    for path, name in rows:
        tree = ast.parse((TESTS / path).read_text())
        named = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        assert name in named, f"{path} has no {name}"


def calls(*, name=None, keyword=None):
    """Places in the package where a function or a keyword argument is used."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            given = {argument.arg for argument in node.keywords}
            if (name is None or ast.unparse(node.func) == name) and keyword in (None, *given):
                yield f"{path.relative_to(SOURCES)}:{node.lineno}"


def test_no_reader_leaves_the_selection_to_uproot():
    assert list(calls(keyword="cut")) == []


def test_no_sum_over_candidates_is_left_to_awkward():
    assert list(calls(name="ak.sum")) == []


def test_no_trial_is_enqueued():
    assert list(calls(name="study.enqueue_trial")) == []


def test_the_version_of_verilator_is_that_of_its_package():
    program = verilator_root() / "bin" / "verilator_bin"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert "UNKNOWN" in said
    (found,) = (one for one in examine(Path())["tools"] if one.name == "verilator")
    assert found.found == version("verilator")
