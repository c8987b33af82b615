"""Files of the stages of a block: our own Verilog, or da4ml's VHDL."""

import hashlib
from importlib import resources
from typing import Final, Literal

from da4ml.codegen.rtl.verilog.comb import gen_memfile
from da4ml.types import CombLogic, Op

from l1met_fpga.firmware.rtl.blocks import Block
from l1met_fpga.firmware.rtl.fusion import width_of
from l1met_fpga.firmware.rtl.stage_code import TIMESCALE, stage_module

__all__ = ["stage_files", "static_files"]

Flavor = Literal["verilog", "vhdl"]

_LICENCE: Final = """\
-- Part of da4ml (https://github.com/calad0i/da4ml), copied unchanged below this line;
-- GNU Lesser General Public License, version 3. The files of the Verilog flavor hold none of it.
"""


def stage_files(block: Block, name: str, prefix: str, flavor: Flavor) -> dict[str, str]:
    """Return file name -> text of every stage of a block.

    In Verilog a table becomes a constant in its own module, named by its contents, so that no
    tool has to find a memory file; in VHDL da4ml's memory files are kept.

    Args:
        block: The block.
        name: Module name; stage i is ``{name}_stage{i}``.
        prefix: Start of the names of all modules.
        flavor: Language.
    """
    files: dict[str, str] = {}

    def table_module(comb: CombLogic, op: Op) -> str:
        memory, width_in = gen_memfile(comb, op), width_of(comb.ops[op.id0])
        digest = hashlib.sha256(f"{width_in} {width_of(op)} {memory}".encode()).hexdigest()[:12]
        module = f"{prefix}_table_{digest}"
        files[f"{module}.v"] = _table(module, width_in, width_of(op), memory.split())
        return module

    for i, stage in enumerate(block.pipeline.solutions):
        module = f"{name}_stage{i}"
        if flavor == "vhdl":
            from da4ml.codegen.rtl.verilog.comb import table_mem_gen
            from da4ml.codegen.rtl.vhdl.comb import comb_logic_gen

            files[f"{module}.vhd"] = comb_logic_gen(stage, module)
            files |= {f"memfiles/{k}": v for k, v in table_mem_gen(stage).items()}
            continue
        files[f"{module}.v"] = stage_module(stage, module, prefix, table_module)
    return files


def static_files(flavor: Flavor) -> dict[str, str]:
    """Return the modules that the stages use beside the design's own: da4ml's in VHDL, else none."""
    if flavor == "verilog":
        return {}
    folder = resources.files("da4ml.codegen.rtl") / "vhdl" / "source"
    skipped = {"multiplier.vhd"}  # products are not da4ml's
    return {
        item.name: _LICENCE + item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".vhd") and item.name not in skipped
    }


def _table(name: str, width_in: int, width_out: int, memory: list[str]) -> str:
    """A table as one constant, which every tool takes for plain logic."""
    entries = [int(value, 16) if "X" not in value else 0 for value in memory]
    digits = -(-width_out // 4)
    rows = [
        "        " + ", ".join(f"{width_out}'h{x:0{digits}x}" for x in entries[i : i + 8][::-1])
        for i in range(0, len(entries), 8)
    ]
    return f"""{TIMESCALE}
module {name} (
    input wire [{width_in - 1}:0] in,
    output wire [{width_out - 1}:0] out
);
    // entry 0 is the last one; codes that cannot occur have 0
    localparam [{width_out * len(entries) - 1}:0] ENTRIES = {{
{f",{chr(10)}".join(rows[::-1])}
    }};
    assign out = ENTRIES[in * {width_out} +: {width_out}];
endmodule
"""
