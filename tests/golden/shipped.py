"""What the shipped networks give: the digest of each generated text, integers of seeded events."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

# QKeras needs Keras 2, which TensorFlow gives only when asked before it is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.builds import sources_digest
from l1met_fpga.firmware.hls.project import write_project
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.design import build_design
from l1met_fpga.firmware.rtl.verilog import design_files
from l1met_fpga.identity import content_digest
from l1met_fpga.models.network import Network

GOLDEN = Path(__file__).with_name("golden.json")
MODELS = Path(__file__).parents[2] / "models"
LANES = {"jets": 6}
"""Candidates per clock, where that is not the usual number."""
NETWORKS = ("deepset", "deepset_small", "deepmet", "garnet", "jets")
N_EVENTS = 5000
N_SHOWN = 4
"""Events whose outputs are kept as they are."""
LIMITS = {
    "pt": (1, 16383), "eta": (-2048, 2047), "phi": (-720, 720), "pid": (0, 7),
    "puppi_weight": (0, 256),
}  # fmt: skip
MORE_LIMITS = {"dxy": (0, 127)}
"""Of columns that few networks read; drawn last, so that the others stay as they are."""


def events(n_slots: int = 128) -> dict[str, np.ndarray]:
    """Return seeded events: half of them full of any codes, half with fewer, softer candidates."""
    rng = np.random.default_rng(20260101)
    shape = N_EVENTS, n_slots
    columns = {
        name: rng.integers(low, high, shape, np.int16, endpoint=True)
        for name, (low, high) in LIMITS.items()
    }
    soft = slice(N_EVENTS // 2, None)
    columns["pt"][soft] >>= rng.integers(3, 13, columns["pt"][soft].shape, np.int16)
    counts = rng.integers(0, n_slots, N_EVENTS, endpoint=True)
    counts[: N_EVENTS // 4] = n_slots
    filled = (np.arange(n_slots) < counts[:, None]) & (columns["pt"] > 0)
    for name, (low, high) in MORE_LIMITS.items():
        columns[name] = rng.integers(low, high, shape, np.int16, endpoint=True)
    return {name: np.where(filled, codes, 0).astype(np.int16) for name, codes in columns.items()}


def events_digest() -> str:
    """Return the digest of the columns that every network has."""
    seeded = events()
    return content_digest([seeded[name].tolist() for name in LIMITS])


def hls_digest(network: Network, candidates: dict[str, np.ndarray]) -> str:
    """Return the digest of the HLS sources that are made for a network."""
    few = {name: codes[:10] for name, codes in candidates.items()}
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "hls"
        write_project(network, HlsConfig(), project, candidates=few)
        return sources_digest(project / "firmware")


def verilog_digest(network: Network, _candidates: dict[str, np.ndarray]) -> str:
    """Return the digest of the Verilog of a network, without the comment that names the network."""
    design = build_design(network, RtlConfig(lanes=LANES.get(network.name, RtlConfig().lanes)))
    return content_digest(design_files(design, f"l1met_{network.name}", []))


TEXTS: dict[str, Callable[[Network, dict[str, np.ndarray]], str]] = {
    "hls": hls_digest,
    "verilog": verilog_digest,
}
"""Generated text -> its digest."""


def measure(name: str) -> dict[str, object]:
    """Return everything that is held fixed about a shipped network."""
    path = MODELS / name / "network.json"
    network = Network.load(path)
    candidates = events(network.n_candidates)
    outputs = np.hstack(list(evaluate(network, candidates).values()))
    return {
        "network": content_digest(json.loads(path.read_text(encoding="utf-8"))),
        "outputs": content_digest(outputs.tolist()),
        "first_outputs": outputs[:: N_EVENTS // N_SHOWN].tolist(),
    } | {text: digest(network, candidates) for text, digest in TEXTS.items()}
