"""Rooms import only from rooms before them, and heavy libraries only where they belong."""

import ast
from pathlib import Path

import l1met_fpga

ROOT = Path(l1met_fpga.__file__).parent
ROOMS = (
    ("errors", "files", "fixed_point", "identity", "plot_style", "processors", "run_folder"),
    ("results",),
    ("puppi",),
    ("config",),
    ("data",),
    ("metrics",),
    ("simulation",),
    ("models",),
    ("training",),
    ("evaluation",),
    ("firmware",),
    ("report",),
    ("cli",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
HOMES = {
    "hls4ml": ("firmware/hls",),
    "da4ml": ("firmware/rtl",),
    "pythia8mc": ("simulation",),
    "qkeras": ("models", "training", "firmware/hls"),
    "typer": ("cli",),
}


def _imports():
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path.relative_to(ROOT), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path.relative_to(ROOT), node.module


def _room(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def test_every_module_is_in_a_known_room():
    rooms = {_room(p.relative_to(ROOT)) for p in ROOT.rglob("*.py")} - {"__init__"}
    assert rooms <= set(LEVEL)


def test_rooms_import_only_from_the_left():
    wrong = [
        f"{path} imports {name}"
        for path, name in _imports()
        if name.startswith("l1met_fpga.") and _room(path) != "__init__"
        if LEVEL[name.split(".")[1]] > LEVEL[_room(path)]
    ]
    assert wrong == []


def test_heavy_libraries_stay_in_their_rooms():
    wrong = [
        f"{path} imports {name}"
        for path, name in _imports()
        if (homes := HOMES.get(name.split(".")[0])) and not str(path).startswith(homes)
    ]
    assert wrong == []
