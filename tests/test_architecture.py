"""Rooms import only from rooms before them, and heavy libraries only where they belong."""

import ast
import functools
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import l1met_fpga

ROOT = Path(l1met_fpga.__file__).parent
ROOMS = (
    (
        "archives",
        "caches",
        "cluster",
        "errors",
        "files",
        "fixed_point",
        "identity",
        "locks",
        "packages",
        "plots",
        "processors",
        "rounding",
        "run_folder",
        "scratch",
        "shipped",
    ),
    ("results",),
    ("puppi",),
    ("config",),
    ("data",),
    ("metrics",),
    ("simulation",),
    ("models",),
    ("tasks",),
    ("training",),
    ("evaluation",),
    ("distillation",),
    ("firmware",),
    ("prediction",),
    ("report",),
    ("doctor",),
    ("cli",),
    ("steps",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
HOMES = {
    "hls4ml": ("firmware/hls",),
    "da4ml": ("firmware/rtl",),
    "pythia8mc": ("simulation",),
    "hgq": ("models/importing",),
    "onnx": ("models/importing", "firmware/export"),
    "qonnx": ("models/importing", "firmware/export"),
    "qkeras": ("models", "training", "firmware/hls"),
    "typer": ("cli",),
}


@functools.cache
def _nodes() -> dict[Path, list[ast.AST]]:
    """What every module consists of, by its path."""
    return {
        path.relative_to(ROOT): list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted(ROOT.rglob("*.py"))
    }


def _imports():
    for path, nodes in _nodes().items():
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module


def _room(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def test_every_module_is_in_a_known_room():
    rooms = {_room(path) for path in _nodes()} - {"__init__"}
    assert rooms <= set(LEVEL)


def test_rooms_import_only_from_the_left():
    wrong = [
        f"{path} imports {name}"
        for path, name in _imports()
        if name.startswith("l1met_fpga.") and _room(path) != "__init__"
        if LEVEL[name.split(".")[1]] > LEVEL[_room(path)]
    ]
    assert wrong == []


def test_only_the_registry_and_the_command_line_know_which_tasks_there_are():
    shared = {"tasks.task"}
    knows = {
        f"{name} imports {used}"
        for name, imported in _modules().items()
        for used in imported
        if used.startswith("tasks.") and used not in shared
        if not name.startswith(("cli.", "tasks."))
    }
    assert knows == set()


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _modules() -> dict[str, set[str]]:
    """Every module with the modules of the package that it imports, inside functions too."""
    names = {path: _dotted(path) for path in _nodes()}
    found: dict[str, set[str]] = {name: set() for name in names.values()}
    for path, name in names.items():
        for node in _nodes()[path]:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("l1met_fpga"):
                module = node.module.removeprefix("l1met_fpga").removeprefix(".")
                longer = {f"{module}.{alias.name}".removeprefix(".") for alias in node.names}
                found[name] |= (longer & found.keys()) or ({module} & found.keys())
    return found


def test_no_module_imports_itself_in_a_circle():
    graph = TopologicalSorter(_modules())
    try:
        graph.prepare()
    except CycleError as err:
        pytest.fail(f"import circle: {' -> '.join(err.args[1])}")


def test_heavy_libraries_stay_in_their_rooms():
    wrong = [
        f"{path} imports {name}"
        for path, name in _imports()
        if (homes := HOMES.get(name.split(".")[0])) and not str(path).startswith(homes)
    ]
    assert wrong == []


def _opens_text_by_locale(call: ast.Call) -> bool:
    """Whether a call reads or writes text without saying in which encoding."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    keywords = {keyword.arg for keyword in call.keywords}
    if "encoding" in keywords:
        return False
    if name == "open":  # of a file: its only unnamed argument is a mode, if any
        modes = [getattr(argument, "value", None) for argument in call.args]
        return modes in ([], ["r"], ["w"], ["a"], ["x"])
    return name in {"read_text", "write_text"} or bool(keywords & {"text", "universal_newlines"})


def test_text_is_utf_8_whatever_the_locale():
    wrong = [
        f"{path}:{node.lineno}"
        for path, nodes in _nodes().items()
        for node in nodes
        if isinstance(node, ast.Call) and _opens_text_by_locale(node)
    ]
    assert wrong == []


def test_no_file_is_longer_than_400_lines():
    lengths = {
        path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in _nodes()
    }
    assert {path: n for path, n in lengths.items() if n > 400} == {}


def test_engine_rooms_do_not_know_what_met_is():
    """But for the few places that read it, or make the trigger's word of it."""
    rooms = ("data", "models", "training", "evaluation", "firmware", "report")
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file()]
    say = re.compile(rb"genMET|met_xy|MET ")
    found = [
        str(p.relative_to(ROOT)) for p in files if p.suffix != ".pyc" and say.search(p.read_bytes())
    ]
    assert len(found) <= 5, found
