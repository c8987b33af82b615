"""Latency, interval, LUTs and physics over a grid of designs, without training again.

Lanes and pipeline depth do not touch the numbers. Narrower kernels and more zeros do; they are
made by rounding or cutting the trained kernels, so their physics is what the network gives
*without* the retraining that would win most of it back.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.rtl import ExploreConfig, RtlConfig
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.estimate import estimate
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models import ranges
from l1met_fpga.models.network import Network

__all__ = ["Point", "explore", "pareto", "plot", "thinned"]

Physics = Callable[[Network], float]
"""Network -> resolution, GeV (smaller is better)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One design.

    Attributes:
        lanes: Candidates per clock.
        adders_per_stage: Longest adder chain between registers.
        kernel_bits_removed: Low bits taken off every kernel.
        zero_fraction: Fraction of kernel weights that are zero in the end.
        lut: Estimated LUTs.
        dsp: Products.
        ii_cycles: Clocks between full events.
        latency_cycles: Clocks from the last word to px, py.
        resolution_gev: Physics, NaN when none was asked for.
    """

    lanes: int
    adders_per_stage: float
    kernel_bits_removed: int
    zero_fraction: float
    lut: int
    dsp: int
    ii_cycles: int
    latency_cycles: int
    resolution_gev: float


def thinned(network: Network, *, bits: int, zero_fraction: float) -> Network:
    """Return a network with coarser and sparser kernels.

    Args:
        network: A trained network.
        bits: Low bits to round away in every kernel.
        zero_fraction: At least this fraction of all kernel weights per candidate becomes zero,
            smallest first; kernels after the pools keep their weights.
    """
    nodes = []
    for node in network:
        if isinstance(node, net.Dense):
            codes = _coarser(np.array(node.kernel), node.kernel_type, bits)
            if len(node.shape) > 1:
                codes = _sparser(codes, zero_fraction)
            x_type = network.node(node.inputs[0]).type
            exact = ranges.dense_type(
                x_type, codes, node.kernel_type, np.array(node.bias), node.bias_type
            )
            frac_bits = node.type.frac_bits
            same_point = type(exact)(exact.signed, exact.int_bits, max(frac_bits, exact.frac_bits))
            kernel = tuple(tuple(int(c) for c in row) for row in codes)
            node = node.model_copy(update={"kernel": kernel, "type": same_point})
        nodes.append(node)
    return network.model_copy(update={"nodes": tuple(nodes)})


def _coarser(codes: npt.NDArray[np.int64], kind: FixedType, bits: int) -> npt.NDArray[np.int64]:
    step = 1 << bits
    rounded = np.rint(codes / step).astype(np.int64) * step
    return np.clip(rounded, kind.min_code // step * step, kind.max_code // step * step)


def _sparser(codes: npt.NDArray[np.int64], zero_fraction: float) -> npt.NDArray[np.int64]:
    """Zero the smallest weights of one kernel; a tie is broken by position."""
    n_zero = int(np.ceil(zero_fraction * codes.size))
    order = np.argsort(np.abs(codes), axis=None, kind="stable")
    result = codes.copy()
    result.flat[order[:n_zero]] = 0
    return result


def zero_weight_fraction(network: Network) -> float:
    """Return the fraction of zero weights among all kernels."""
    codes = [np.array(node.kernel).ravel() for node in network if isinstance(node, net.Dense)]
    return float((np.concatenate(codes) == 0).mean())


def explore(
    network: Network, config: RtlConfig, grid: ExploreConfig, physics: Physics | None = None
) -> Iterator[Point]:
    """Trace every design of a grid.

    Args:
        network: A trained network.
        config: Settings that the grid does not vary.
        grid: What to vary.
        physics: Resolution of a network; run once per kernel width and sparsity.

    Yields:
        One point per design, as soon as it is known.
    """
    for bits, fraction in itertools.product(grid.kernel_frac_bits_removed, grid.zero_fraction):
        changed = thinned(network, bits=bits, zero_fraction=fraction)
        resolution = physics(changed) if physics is not None else float("nan")
        zeros = zero_weight_fraction(changed)
        for lanes, adders in itertools.product(grid.lanes, grid.adders_per_stage):
            varied = {
                "lanes": lanes, "adders_per_stage": adders, "adders_per_stage_event": adders,
            }  # fmt: skip
            design = build_design(changed, config.model_copy(update=varied))
            counted = estimate(design)
            yield Point(
                lanes, adders, bits, zeros, round(counted.lut), counted.dsp, design.beats,
                design.latency, resolution,
            )  # fmt: skip


def pareto(points: list[Point]) -> list[bool]:
    """Say which points no other point beats in LUTs, latency to the result and resolution."""
    figures = np.array(
        [(p.lut, p.ii_cycles + p.latency_cycles, np.nan_to_num(p.resolution_gev)) for p in points]
    )
    best = []
    for row in figures:
        no_worse = (figures <= row).all(axis=1)
        better = (figures < row).any(axis=1)
        best.append(not bool((no_worse & better).any()))
    return best


def plot(points: list[Point], *, clock_period_ns: float, resolution_of: str) -> Any:
    """Draw LUTs against the time from the first word, and resolution against LUTs.

    Args:
        points: The designs.
        clock_period_ns: Clock period.
        resolution_of: What the resolution is measured of, for the title.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    from l1met_fpga.plots.figure import styled

    with styled():
        figure = Figure(figsize=(16, 7))
        left, right = figure.subplots(1, 2)
        _draw(points, left, right, clock_period_ns)
        right.set_title(resolution_of)
    return figure


def _draw(points: list[Point], left: Any, right: Any, clock_period_ns: float) -> None:
    front = np.array(pareto(points))
    lut = np.array([p.lut for p in points]) / 1000
    total_ns = np.array([p.ii_cycles - 1 + p.latency_cycles for p in points]) * clock_period_ns
    resolution = np.array([p.resolution_gev for p in points])
    three_lanes = np.array([p.lanes for p in points]) == 3
    for variant in sorted({(p.kernel_bits_removed, p.zero_fraction) for p in points}):
        mine = np.array([(p.kernel_bits_removed, p.zero_fraction) == variant for p in points])
        label = f"{variant[1]:.0%} zero" + (f", {variant[0]} bit less" if variant[0] else "")
        dots = left.scatter(total_ns[mine], lut[mine], s=30, alpha=0.5, label=label)
        color = dots.get_facecolor()[0]
        best = mine & front
        left.scatter(total_ns[best], lut[best], s=90, facecolor="none", edgecolor=color[:3])
        shown = mine & three_lanes
        right.scatter(lut[shown], resolution[shown], color=color, s=40)
    left.set(xlabel="First word to the result of a full event [ns]", ylabel="LUT estimate [1000]")
    left.set_yscale("log")
    left.legend(title="kernels (rings: Pareto front)")
    right.set(
        xlabel="LUT estimate at 3 lanes [1000]",
        ylabel="Slope-corrected resolution [GeV]",
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
