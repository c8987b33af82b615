"""Text of the stages of a block, from da4ml's own code generators."""

import re
from importlib import resources
from typing import Final, Literal

from da4ml.codegen.rtl.verilog.comb import comb_logic_gen, table_mem_gen

from l1met_fpga.firmware.rtl.blocks import Block

__all__ = ["TIMESCALE", "stage_files", "static_files"]

Flavor = Literal["verilog", "vhdl"]

TIMESCALE: Final = "`timescale 1ns / 1ps"
_TABLE: Final = re.compile(r"lookup_table #\((\d+), (\d+), \"(table_[^\"]+)\.mem\"\) (op_\d+)")


def stage_files(block: Block, name: str, flavor: Flavor) -> dict[str, str]:
    """Return file name -> text of every stage of a block.

    In Verilog a table becomes a ``case`` statement in its own module, so that no tool has to find
    a memory file; in VHDL da4ml's memory files are kept.

    Args:
        block: The block.
        name: Module name; stage i is ``{name}_stage{i}``.
        flavor: Language.
    """
    files: dict[str, str] = {}
    for i, stage in enumerate(block.pipeline.solutions):
        module = f"{name}_stage{i}"
        if flavor == "vhdl":
            from da4ml.codegen.rtl.vhdl.comb import comb_logic_gen as vhdl_gen

            files[f"{module}.vhd"] = vhdl_gen(stage, module)
            files |= {f"memfiles/{k}": v for k, v in table_mem_gen(stage).items()}
            continue
        text = comb_logic_gen(stage, module, timescale=TIMESCALE)
        for width_in, width_out, table, _ in _TABLE.findall(text):
            memory = table_mem_gen(stage)[f"{table}.mem"]
            module_name = table.replace("-", "_")
            files[f"{module_name}.v"] = _table(
                module_name, int(width_in), int(width_out), memory.split()
            )
        files[f"{module}.v"] = _TABLE.sub(lambda m: f"{m[3].replace('-', '_')} {m[4]}", text)
    return files


def static_files(flavor: Flavor) -> dict[str, str]:
    """Return the modules that the stages use: da4ml's own, in Verilog with our adder.

    Ours has the same ports and the same result; it leaves bits that only one operand has out of
    the carry chain, which Yosys does not see by itself (5 % fewer LUTs).
    """
    suffix = "v" if flavor == "verilog" else "vhd"
    folder = resources.files("da4ml.codegen.rtl") / flavor / "source"
    skipped = {"lookup_table.v", "multiplier.v"}  # tables are cases here, products are not da4ml's
    files = {
        item.name: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(f".{suffix}") and item.name not in skipped
    }
    if flavor == "verilog":
        ours = resources.files(__package__) / "templates" / "shift_adder.v"
        files["shift_adder.v"] = ours.read_text(encoding="utf-8")
    return files


def _table(name: str, width_in: int, width_out: int, memory: list[str]) -> str:
    lines = [
        f"            {width_in}'d{i}: out = {width_out}'h{value};"
        for i, value in enumerate(memory)
        if "X" not in value
    ]
    body = "\n".join(lines)
    return f"""{TIMESCALE}
module {name} (
    input wire [{width_in - 1}:0] in,
    output reg [{width_out - 1}:0] out
);
    always @(*) begin
        case (in)
{body}
            default: out = {width_out}'d0;  // codes that cannot occur
        endcase
    end
endmodule
"""
