"""A network as one C++17 header without dependencies: words in, heads and the trigger word out."""

import importlib.metadata
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.export.cpp_nodes import generate, integer_for
from l1met_fpga.firmware.export.rendering import TEMPLATES, identifier, render, write_folder
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.reference import check_network
from l1met_fpga.firmware.rtl.cordic import Cordic, cordic_of
from l1met_fpga.firmware.score_heads import score_heads
from l1met_fpga.models.network import Network
from l1met_fpga.puppi import gt_word, words
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT, ParticleId
from l1met_fpga.puppi.score_words import EXP_BITS, INDEX_BITS
from l1met_fpga.puppi.windows import MAX_WINDOWS

__all__ = [
    "COMPILER_FLAGS",
    "build_command",
    "cpp_files",
    "export_cpp",
    "result_integer",
]

COMPILER_FLAGS: Final = ("-std=c++17", "-O3")
LANES: Final = 16
"""Candidates worked on together; two 128-bit registers of 16-bit integers were the fastest."""


def export_cpp(network: Network, folder: Path) -> str:
    """Write the header, C functions for many events, and a README.

    Args:
        network: The integer network.
        folder: New, empty, or an earlier export of this kind.

    Returns:
        The command that builds the shared library, to be run in the folder.

    Raises:
        ConversionError: If the network cannot be computed exactly in 64-bit integers, or the
            folder holds anything else.
    """
    write_folder(folder, cpp_files(network), kind="cpp")
    return build_command(network)


def build_command(network: Network) -> str:
    """Return the command that makes a shared library of :func:`cpp_files`."""
    stem = _stem(network)
    return f"g++ {' '.join(COMPILER_FLAGS)} -shared -fPIC -o lib{stem}.so {stem}_batch.cpp"


def cpp_files(network: Network) -> dict[str, str]:
    """Return file name -> text.

    Raises:
        ConversionError: If the network cannot be computed exactly in 64-bit integers.
    """
    check_network(network)
    stem = _stem(network)
    values: dict[str, Any] = {
        "network": network,
        "name": identifier(network.name),
        "namespace": stem,
        "header": f"{stem}.h",
        "library": f"lib{stem}.so",
        "version": importlib.metadata.version("l1met_fpga"),
        "digest": network.digest,
        "heads": _heads(network),
        "classes": _class_heads(network),
        "numbers": [number for head in network.heads for number in head.numbers],
        "gt": gt_head(network),
        "columns": tuple(COLUMNS.values()),
        "vertex": network.vertex,
        "build_command": build_command(network),
    }
    return {
        f"{stem}.h": _header(network, values),
        f"{stem}_batch.cpp": render("batch.cpp.j2", **values),
        "README.md": render("cpp_README.md.j2", **values),
    }


def result_integer(network: Network) -> str:
    """Return the C++ type that holds every number of the result."""
    bits = max(integer_for(network.type_of(head.name)) for head in network.heads)
    return f"std::int{max(32, bits)}_t"


def _heads(network: Network) -> list[dict[str, Any]]:
    """What the templates say of each head."""
    return [
        {
            "name": head.name,
            "constant": f"k{head.name[0].upper()}{head.name[1:]}FracBits",
            "unit": f" {head.unit}" if head.unit else "",
            "kind": network.type_of(head.name),
            "integer": f"std::int{max(32, integer_for(network.type_of(head.name)))}_t",
            "numbers": head.numbers,
        }
        for head in network.heads
    ]


def _class_heads(network: Network) -> list[dict[str, Any]]:
    """What the template says of each head of classes, for the words of its scores."""
    told = {head.name: words for head, words in score_heads(network).items()}
    return [
        {**head, "scores": told[head["name"]]} for head in _heads(network) if head["name"] in told
    ]


def _stem(network: Network) -> str:
    return f"l1met_{identifier(network.name)}"


def _header(network: Network, values: dict[str, Any]) -> str:
    code, gt = generate(network), gt_head(network)
    return render(
        "network.h.j2",
        **values,
        score_bits={"exp": EXP_BITS, "index": INDEX_BITS},
        arithmetic=(TEMPLATES / "arithmetic.h").read_text(encoding="utf-8"),
        lanes=LANES,
        constants=code.constants,
        used_columns=code.columns,
        sums=code.sums,
        per_candidate=code.per_candidate,
        per_event=code.per_event,
        outputs=[
            f"{code.outputs[head.name]}[{channel}][0]"
            for head in network.heads
            for channel in range(head.size)
        ],
        gt_outputs=[] if gt is None else [f"{code.outputs[gt.name]}[{i}][0]" for i in (0, 1)],
        cordic=_cordic(network),
        gt_pt=gt_word.GT_PT_TYPE,
        phi_mask=(1 << gt_word.GT_PHI_TYPE.width) - 1,
        pt_bit=gt_word.VECTOR_PT_BIT,
        phi_bit=gt_word.VECTOR_PHI_BIT,
        windows=MAX_WINDOWS,
        place=words.LOWEST_BIT,
        width={name: column.type.width for name, column in COLUMNS.items()},
        charged_only=words.CHARGED_ONLY,
        neutral_only=words.NEUTRAL_ONLY,
        first_charged=int(ParticleId.HADRON_MINUS),
        weight_one=MAX_PUPPI_WEIGHT,
    )


def _cordic(network: Network) -> Cordic | None:
    cordic = cordic_of(network)
    if cordic is None:
        return None
    kind = cordic.xy
    bits = cordic.width + cordic.inverse_gain.bit_length()
    if bits > 63 or cordic.size_shift < 1:
        raise ConversionError(
            f"px, py of type {kind.hls_name} need {bits} bits on the way to the "
            "global-trigger word; 63 are there"
        )
    return cordic
