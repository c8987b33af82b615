"""Second, slow readers of ROOT files and word streams, to hold ours against."""

import math
import struct
from collections import Counter
from itertools import pairwise

import numpy as np
import uproot

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET

__all__ = ["REQUIRED", "as_lists", "read", "slow_root", "slow_words", "store_content"]

REQUIRED = ("pt", "eta", "phi", "pid", "puppi_weight")
PID = {130: 0, 22: 1, -211: 2, 211: 3, 11: 4, -11: 5, 13: 6, -13: 7}


def read(path):
    batches = list(read_source(expand_sources([str(path)])[0], ConvertConfig(), Counter()))
    return Examples.concatenate(batches) if batches else None


def half_up(x):
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def slow_counts(row):
    """One candidate of a ROOT file by the rules, in plain Python."""
    pt, eta, phi, pdg_id, charge, weight = row
    f32 = np.float32
    phi_counts = half_up(f32(phi) / f32(math.pi / 720))
    if abs(phi_counts) > 720:
        phi_counts -= int(math.copysign(1440, phi_counts))
    sign = int(charge) * (1 if abs(pdg_id) == 211 else -1) or 1
    pid = PID[int(sign * abs(pdg_id))]
    return (
        min(half_up(f32(pt) / f32(0.25)), 16383),
        half_up(f32(eta) / f32(math.pi / 720)),
        phi_counts,
        pid,
        256 if pid > 1 else round(float(weight) * 256),
    )


def slow_root(path):
    names = ("pt", "eta", "phi", "pdgId", "charge", "puppiWeight")
    with uproot.open(path) as file:
        arrays = file["Events"].arrays([f"L1PuppiCands_{name}" for name in names])
    events = []
    for event in arrays:
        rows = zip(*(event[f"L1PuppiCands_{name}"].tolist() for name in names), strict=True)
        events.append([counts for counts in map(slow_counts, rows) if counts[0] > 0])
    return events


def slow_words(path):
    words = [word for (word,) in struct.iter_unpack("<Q", path.read_bytes())]
    events, place = [], 0
    while place < len(words):
        count = words[place] & 0xFF
        event = []
        for word in words[place + 1 : place + 1 + count]:
            signed = [(word >> 14 & 0xFFF, 12), (word >> 26 & 0x7FF, 11)]
            eta, phi = (value - (1 << bits) * (value >> (bits - 1)) for value, bits in signed)
            pid = word >> 37 & 7
            event.append((word & 0x3FFF, eta, phi, pid, 256 if pid > 1 else word >> 40 & 0x1FF))
        events.append([candidate for candidate in event if candidate[0] > 0])
        place += 1 + count
    return events


def as_lists(batch):
    rows = list(zip(*(batch.columns[name].tolist() for name in REQUIRED), strict=True))
    edges = [0, *np.cumsum(batch.counts).tolist()]
    return [rows[start:stop] for start, stop in pairwise(edges)]


def store_content(path):
    with Store.open(path) as store:
        arrays = list(store.candidates(columns=store.columns).values())
        arrays += [store.truth(GEN_MET), store.n_candidates(), store.event_id(), store.parts()]
        return [array.tobytes() for array in arrays], store.attributes
