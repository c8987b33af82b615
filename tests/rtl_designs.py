"""Small generated designs for tests, written and compiled once per test session."""

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import networks
import numpy as np

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.design import Design
from l1met_fpga.firmware.rtl.project import RtlProject, write_project
from l1met_fpga.firmware.rtl.verilated import Number, VerilatedModel, compile_design
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS

N_SLOTS = 16


def small_network(name: str) -> Network:
    """A network of the named kind for 16 candidates."""
    if name.endswith("_vertex"):
        return networks.with_vertex(small_network(name.removesuffix("_vertex")))
    if name == "joined":
        return networks.random_joined(3, n_candidates=N_SLOTS)
    if name in ("deepset", "channels"):
        # a seed whose coefficients change from event to event: most random ones are saturated
        return networks.NETWORKS[name](
            31, phi_units=(6,), n_vector_pools=2, n_scalar_pools=2, rho_units=(4,),
            n_candidates=N_SLOTS,
        )  # fmt: skip
    if name == "garnet":
        return networks.random_garnet(4, n_aggregators=2, n_features=2, n_candidates=N_SLOTS)
    return networks.random_deepmet(5, phi_units=(6,), n_candidates=N_SLOTS)


@dataclass(frozen=True)
class Compiled:
    """A design, its sources and its simulation."""

    network: Network
    design: Design
    model: VerilatedModel
    sources: Path


@functools.cache
def folder() -> Path:
    """Scratch folder of this test process, kept until it ends."""
    holder = tempfile.TemporaryDirectory(prefix="l1met-rtl-")
    _KEPT.append(holder)
    return Path(holder.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def written(name: str, lanes: int = 3) -> tuple[Network, RtlProject]:
    """Return the small network of that kind, and its RTL as it is written."""
    network = small_network(name)
    return network, write_project(network, RtlConfig(lanes=lanes), folder() / f"{name}_{lanes}")


@functools.cache
def compiled(name: str, lanes: int = 3) -> Compiled:
    """Return the small network of that kind as compiled RTL."""
    network, project = written(name, lanes)
    model = compile_sources(project.sources, project.top, lanes, vertex=network.reads_vertex)
    return Compiled(network, project.design, model, project.sources)


def compile_sources(
    sources: Path, top: str, lanes: int, *, vertex: bool = False, windows: bool = False
) -> VerilatedModel:
    """Compile without optimization: these simulations are short."""
    build = sources.parent / ("simulation_windows" if windows else "simulation")
    numbers = [Number(port, networks.MET.width, True) for port in ("met_x", "met_y")]
    return compile_design(
        sources, build, top=top, lanes=lanes, numbers=numbers, valid="met_valid",
        error="met_error", has_word=True, vertex=vertex, windows=windows, optimization="-O0",
    )  # fmt: skip


def random_candidates(
    rng: np.random.Generator, n_events: int, lengths: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Events that 64-bit words can carry, of the given lengths (or 0 to 16 in turn)."""
    if lengths is None:
        lengths = np.arange(n_events) % (N_SLOTS + 1)
    shape = (n_events, N_SLOTS)
    pid = rng.integers(0, 8, shape)
    codes = {
        "pt": np.where(rng.random(shape) < 0.1, 16383, rng.integers(1, 800, shape)),
        "eta": rng.integers(-1300, 1301, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": pid,
        "puppi_weight": np.where(pid >= 2, 256, rng.integers(0, 257, shape)),
    }
    filled = np.arange(N_SLOTS) < lengths[:, None]
    return {name: np.where(filled, codes[name], 0).astype(np.int16) for name in REQUIRED_COLUMNS}
