"""The fully parallel variant: every candidate in one clock, as published designs do it.

It is the same generator with as many lanes as candidates. Its resources are those of one
synthesized lane times the lanes, of the synthesized once-per-event logic, and of the adder trees
counted bit by bit (one LUT per adder bit, one flip-flop per register bit): the trees of 128 lanes
take longer to synthesize than everything else and hold nothing but adders.
"""

from collections.abc import Callable, Mapping
from typing import Any

from l1met_fpga.firmware.rtl.design import Design, build_design
from l1met_fpga.firmware.rtl.estimate import sum_bits, tree_register_bits
from l1met_fpga.firmware.rtl.forms import Latency
from l1met_fpga.firmware.rtl.yosys import Resources

__all__ = ["build_parallel", "parallel_design", "parallel_resources"]


def parallel_design(streaming: Design) -> Design:
    """Return the same network with one lane per candidate."""
    lanes = streaming.network.n_candidates
    return build_design(streaming.network, streaming.config.model_copy(update={"lanes": lanes}))


def parallel_resources(streaming: Design, cells: Mapping[str, Resources], top: str) -> Resources:
    """Count the parallel variant from the synthesized streaming design.

    Args:
        streaming: The design that was synthesized.
        cells: Resources by module.
        top: Its top module.
    """
    wide = parallel_design(streaming)
    lane = cells[f"{top}_lane"]
    tree, accumulators = sum_bits(streaming)
    wide_tree, wide_last = sum_bits(wide)
    once = cells[top]
    # The accumulators stay: the marks still travel, only the loop is never taken.
    lut = wide_tree + wide_last - tree - accumulators
    ff = tree_register_bits(wide) - tree_register_bits(streaming) + wide_last - accumulators
    sums = Resources(lut, lut, 0, 0, ff, lut / 8, 0, 0)
    return once.plus(sums).plus(lane, wide.lanes)


def build_parallel(
    streaming: Design,
    top: str,
    cells: Mapping[str, Resources] | None,
    figures: Callable[[Design, Latency, Resources | None], dict[str, Any]],
) -> dict[str, Any]:
    """Return the report's figures of the parallel variant.

    Args:
        streaming: The streaming design.
        top: Its top module.
        cells: Its synthesized resources, None when Yosys was not run.
        figures: Makes the report's figures.
    """
    wide = parallel_design(streaming)
    used = None if cells is None else parallel_resources(streaming, cells, top)
    to_word = None if wide.cordic is None else wide.latency + wide.word_clocks
    result = figures(wide, Latency(wide.latency, wide.latency, wide.beats, to_word), used)
    result["latency_kind"] = "from the pipeline's structure, as simulated for fewer candidates"
    if used is not None:
        result["kind"] = "one synthesized lane times the lanes, counted adder trees"
    return result
