"""Write an HLS project whose top function takes candidate words, ``io_type: words``."""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.builds import Build, sources_digest
from l1met_fpga.firmware.export.rendering import identifier
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.hls.mends import mend_simulation_types
from l1met_fpga.firmware.hls.project import SOURCES, TEMPLATES, fresh_folder
from l1met_fpga.firmware.hls.words_nodes import ap_int, generate_words, partition
from l1met_fpga.firmware.reference import check_network, evaluate
from l1met_fpga.firmware.rtl.cordic import cordic_of, gt_words
from l1met_fpga.firmware.score_heads import score_heads, told_words, words_name
from l1met_fpga.firmware.templates import fill
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Origin
from l1met_fpga.puppi import gt_word, words
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT, Candidates, ParticleId
from l1met_fpga.puppi.score_words import EXP_BITS, INDEX_BITS, RECIPROCAL_BITS
from l1met_fpga.puppi.vertex import from_vertex, packed, vertex_of
from l1met_fpga.puppi.windows import MAX_WINDOWS

__all__ = ["beats_per_event", "write_words_project"]

_FILES: Final = {
    "firmware/{top}.h": "words_top.h.j2",
    "firmware/{top}.cpp": "words_top.cpp.j2",
    "{top}_csim.cpp": "words_csim.cpp.j2",
    "{top}_test.cpp": "words_testbench.cpp.j2",
    "build_prj.tcl": "words_build_prj.tcl.j2",
    "vivado_synth.tcl": "vivado_synth.tcl.j2",
    "out_of_context.xdc": "out_of_context.xdc.j2",
    "README.md": "words_README.md.j2",
}
_OPTIONS: Final = {"csim": 1, "synth": 1, "cosim": 0, "export": 0, "vsynth": 0}


def beats_per_event(network: Network, config: HlsConfig) -> int:
    """Clocks in which the candidates of a full event come: the initiation interval asked for."""
    return -(-network.n_candidates // config.lanes)


def write_words_project(
    network: Network, config: HlsConfig, folder: Path, *, candidates: Candidates
) -> None:
    """Write sources, scripts, test bench and README.

    Args:
        network: The integer network.
        config: Section ``hls``.
        folder: Project folder; an earlier project there is replaced.
        candidates: Real events for the test bench; the first ``config.test_bench_events``.

    Raises:
        ConversionError: If the network cannot be computed exactly in 64-bit integers, or the folder
            is foreign.
    """
    check_network(network)
    top = config.top_function
    values = _values(network, config)
    fresh_folder(folder)
    (folder / SOURCES).mkdir()
    shutil.copytree(_ap_types(), folder / SOURCES / "ap_types")
    mend_simulation_types(folder)
    n_events = _write_test_bench_data(network, config, folder, candidates)
    for path, template in _FILES.items():
        text = fill(TEMPLATES, template, **values, n_events=n_events)
        (folder / path.format(top=top)).write_text(text, encoding="utf-8")
    options = "".join(f"    {name:<10} {value}\n" for name, value in _OPTIONS.items())
    (folder / "build_opt.tcl").write_text(f"array set opt {{\n{options}}}\n", encoding="utf-8")
    network.save(folder / "network.json")
    settings = config.model_dump(mode="json")
    Build(network.digest, top, settings, sources_digest(folder / SOURCES)).write(folder)


def _ap_types() -> Path:
    """The open headers of ``ap_int``, as hls4ml ships them."""
    found = importlib.util.find_spec("hls4ml")  # hls4ml itself is not imported: it takes seconds
    if found is None or found.origin is None:
        raise ConversionError("hls4ml, which ships the headers of ap_int, is not installed")
    return Path(found.origin).parent / "templates" / "vivado" / "ap_types"


def _values(network: Network, config: HlsConfig) -> dict[str, Any]:
    code, tables = generate_words(network)
    gt = gt_head(network)
    columns = [_column(name, network.z0_origin) for name in code.columns]
    return {
        "network": network,
        "config": config,
        "top": config.top_function,
        "namespace": f"l1met_{identifier(network.name)}",
        "version": importlib.metadata.version("l1met_fpga"),
        "lanes": config.lanes,
        "windows": MAX_WINDOWS,
        "vertex": network.vertex,
        "ap_int": ap_int,
        "eta_bit": words.LOWEST_BIT["eta"],
        "phi_low": words.LOWEST_BIT["phi"],
        "beats": beats_per_event(network, config),
        "arithmetic": Path(__file__).with_name("words_arithmetic.h").read_text(encoding="utf-8"),
        "code": code,
        "tables": tables,
        "rom_pragma": lambda name: _rom_pragma(name, config.backend),
        "partition": partition,
        "columns": columns,
        "charged_matters": any(column["bits_if"] for column in columns),
        "pid_low": words.LOWEST_BIT["pid"],
        "pid_high": words.LOWEST_BIT["pid"] + COLUMNS["pid"].type.width - 1,
        "first_charged": int(ParticleId.HADRON_MINUS),
        "numbers": _numbers(network, code.outputs),
        "row_length": sum(head.size for head in (*network.heads, *score_heads(network))),
        "gt": gt,
        "scores": _scores(network, code.outputs),
        "score_bits": {"exp": EXP_BITS, "index": INDEX_BITS, "reciprocal": RECIPROCAL_BITS},
        "cordic": cordic_of(network),
        "gt_outputs": [] if gt is None else [f"{code.outputs[gt.name]}[{i}][0]" for i in (0, 1)],
        "gt_pt": gt_word.GT_PT_TYPE,
        "phi_mask": (1 << gt_word.GT_PHI_TYPE.width) - 1,
        "pt_bit": gt_word.VECTOR_PT_BIT,
        "phi_bit": gt_word.VECTOR_PHI_BIT,
    }


def _numbers(network: Network, outputs: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": number,
            "head": head.name,
            "unit": head.unit,
            "kind": kind,
            "type": f"ap_{'' if kind.signed else 'u'}int<{kind.width}>",
            "expression": f"{outputs[head.name]}[{channel}][0]",
        }
        for head in network.heads
        for kind in (network.type_of(head.name),)
        for channel, number in enumerate(head.numbers)
    ]


def _scores(network: Network, outputs: dict[str, str]) -> list[dict[str, Any]]:
    """Words of scores: how they are made, and where they stand in a row of integers."""
    found = score_heads(network)
    sizes = [sum(head.size for head in network.heads), *(head.size for head in found)]
    return [
        {
            "port": words_name(head),
            "head": head,
            "words": words,
            "logits": outputs[head.name],
            "first": first,
        }
        for (head, words), first in zip(found.items(), np.cumsum(sizes), strict=False)
    ]


def _column(name: str, z0_origin: Origin) -> dict[str, Any]:
    """How a column lies in a word, and how it comes out."""
    kind, low = COLUMNS[name].type, words.LOWEST_BIT[name]
    high = low + kind.width - 1
    code = f"ap_{'' if kind.signed else 'u'}int<{kind.width}>"
    read, bits_if = f"{code}(word.range({high}, {low}))", None
    if name == "z0" and z0_origin == "vertex":
        read = f"from_vertex({read}, vertex_z0)"
    if name in words.CHARGED_ONLY:
        read, bits_if = f"charged ? {read} : {code}(0)", "charged"
    elif name in words.NEUTRAL_ONLY:
        other = MAX_PUPPI_WEIGHT if name == "puppi_weight" else 0
        read, bits_if = f"charged ? {code}({other}) : {read}", "neutral"
    return {
        "name": name, "type": ap_int(kind), "low": low, "high": high, "read": read,
        "bits_if": bits_if,
    }  # fmt: skip


def _rom_pragma(name: str, backend: Backend) -> str:
    """Let a table be a ROM with as many ports as are read, not a multiplexer of registers."""
    if backend is Backend.VIVADO:
        return f"#pragma HLS RESOURCE variable={name} core=ROM_nP_LUTRAM"
    return f"#pragma HLS BIND_STORAGE variable={name} type=rom_np impl=lutram"


def _write_test_bench_data(
    network: Network, config: HlsConfig, folder: Path, candidates: Candidates
) -> int:
    """Write beats of words and what the int64 reference says; as many events as there are."""
    n_events = min(config.test_bench_events, len(candidates["pt"]))
    given = {name: np.asarray(codes)[:n_events] for name, codes in candidates.items()}
    sent, _ = packed(given, z0_origin=network.z0_origin)  # what no word carries is left out
    read = words.unpack(sent)
    marks = [""] * n_events
    if network.reads_vertex:
        vertex = vertex_of(given)
        read["z0"] = from_vertex(read["z0"], read["pid"], vertex)
        marks = [f"{z0} " for z0 in vertex[:, 0]]
    codes = evaluate(network, read)
    data = folder / "tb_data"
    data.mkdir()
    lines = [
        line
        for mark, event in zip(marks, sent, strict=True)
        for line in _beats(event, config.lanes, mark)
    ]
    (data / "tb_input_words.dat").write_text("".join(lines), encoding="utf-8")
    rows = np.hstack([*codes.values()]).astype(object)
    gt = gt_head(network)
    if gt is not None:
        told = gt_words(network.type_of(gt.name), codes[gt.name], gt.calibration).astype(object)
        rows = np.hstack([rows, told[:, None]])
    rows = np.hstack([rows, *told_words(network, codes).values()])
    np.savetxt(data / "tb_output_predictions.dat", rows, fmt="%d")
    return n_events


def _beats(event: Any, lanes: int, mark: str) -> list[str]:
    filled = np.flatnonzero(event)
    n = max(1, -(-(int(filled[-1]) + 1) // lanes)) if len(filled) else 1
    padded = np.zeros(n * lanes, np.uint64)
    padded[: min(len(event), n * lanes)] = event[: n * lanes]
    return [
        f"{int(i == 0)} {int(i == n - 1)} {mark}{' '.join(f'{int(word):x}' for word in beat)}\n"
        for i, beat in enumerate(padded.reshape(n, lanes))
    ]
