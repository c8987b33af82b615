"""A network as an emulator package for CMSSW, in the layout of the hls4ml emulator collections.

The package computes with the exported C++ header: the statements of the words project for synthesis, in
plain integers instead of ``ap_int``. So it needs no HLS headers, is one to two orders of magnitude faster
than the C simulation, and holds no static state, so that several models live in one process.
"""

import importlib.metadata
import re
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.files import MARK, atomic_path
from l1met_fpga.firmware.export.cpp import cpp_files, result_integer
from l1met_fpga.firmware.export.rendering import identifier, render, write_folder
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.score_heads import score_heads
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["INTERFACE", "export_cmssw", "package_name", "told_head"]

INTERFACE: Final = Path(__file__).with_name("cmssw_interface")
"""Stands in for hls4mlEmulatorExtras where that is not installed."""


def package_name(network: Network) -> str:
    """Return the default name of a network's package, for example ``L1METDeepset``."""
    words = identifier(network.name).split("_")
    return "L1MET" + "".join(word[:1].upper() + word[1:] for word in words)


def told_head(network: Network) -> NetworkHead | None:
    """Return the head whose scores a package gives as words: the first that has any."""
    return next(iter(score_heads(network)), None)


def export_cmssw(network: Network, folder: Path, *, package: str, version: str) -> str:
    """Write a package, or add a version to one.

    Args:
        network: The integer network.
        folder: New, empty, or an earlier package of the same name.
        package: Name of the package, for example ``L1METDeepset``.
        version: For example ``v1``. A version that is there must be of the same network.

    Returns:
        The command that builds the libraries, to be run in the folder.

    Raises:
        ConversionError: If a name is not allowed, the folder holds anything else, the version
            exists with another network, or the network cannot be computed exactly.
    """
    _check_names(package, version)
    values: dict[str, Any] = {
        "network": network,
        "package": package,
        "version": version,
        "model": f"{package}_{version}",
        "namespace": f"l1met_{network.name}",
        "header": f"l1met_{network.name}.h",
        "generator_version": importlib.metadata.version("l1met_fpga"),
        "digest": network.digest,
        "heads": network.heads,
        "types": {head.name: network.type_of(head.name) for head in network.heads},
        "numbers": [number for head in network.heads for number in head.numbers],
        "gt": gt_head(network),
        "scores": told_head(network),
        "columns": tuple(COLUMNS.values()),
        "vertex": network.vertex,
        "result_int": result_integer(network),
    }
    kind = f"cmssw {package}"
    _check_folder(folder, kind, values)
    files = {
        "Makefile": render("cmssw/version.mk.j2", **values),
        f"{package}_emulator_{version}.cpp": render("cmssw/emulator.cpp.j2", **values),
        f"NN/{values['header']}": cpp_files(network)[values["header"]],
    }
    write_folder(folder / values["model"], files, kind=_version_kind(values))
    top = {"Makefile": "cmssw/Makefile.j2", "README.md": "cmssw/README.md.j2"}
    texts = {name: render(template, **values) for name, template in top.items()}
    for name, text in {**texts, MARK: f"{kind}\n"}.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return "make EMULATOR_EXTRAS=/path/to/hls4mlEmulatorExtras"


def _check_names(package: str, version: str) -> None:
    if not re.fullmatch(r"[A-Za-z]\w*", package, re.ASCII):
        raise ConversionError(
            f"package name {package!r}: use a letter, then letters, digits and underscores"
        )
    if not re.fullmatch(r"v[0-9]\w*", version, re.ASCII):
        raise ConversionError(f"package version {version!r}: write for example v1 or v2_1")


def _version_kind(values: dict[str, Any]) -> str:
    return f"cmssw {values['model']} {values['digest']}"


def _check_folder(folder: Path, kind: str, values: dict[str, Any]) -> None:
    """Refuse a foreign folder, and a version that is another network's."""
    mark = folder / MARK
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        made_as = (
            mark.read_text(encoding="utf-8").strip()
            if mark.is_file()
            else "no package of this tool"
        )
        if made_as != kind:
            raise ConversionError(
                f"{folder} is not empty and is {made_as}, not {kind}; refusing to add to it. "
                "Choose another --output"
            )
    version = folder / values["model"] / MARK
    if version.is_file() and version.read_text(encoding="utf-8").strip() != _version_kind(values):
        raise ConversionError(
            f"{version.parent} is another network; what was released under a version stays. "
            "Choose another --version"
        )
