"""Damaged files: a clear error or the right result, nothing else.

What a mutant should give is read by a second, slow reader, or is the original where checksums
must find any change.
"""

import math
import struct
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import uproot
from ntuples import make_events, write_perfnano, write_words

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.batch import concatenate
from l1met_fpga.data.sources import expand_sources, read_source
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import DataError

REQUIRED = ("pt", "eta", "phi", "pid", "puppi_weight")
PID = {130: 0, 22: 1, -211: 2, 211: 3, 11: 4, -11: 5, 13: 6, -13: 7}
FORMATS = ("root_zlib", "root_plain", "words", "store")
QUICK, LONG = 25, 600


def mutate(content, rng):
    """Damage bytes in one of the ways that disks, networks and people do."""
    data = bytearray(content)
    place, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
    end = min(place + length, len(data))
    way = rng.integers(7)
    if way == 0:
        data[place] ^= 1 << int(rng.integers(8))
    elif way == 1:
        data[place:end] = rng.bytes(end - place)
    elif way == 2:
        data[place:end] = bytes(end - place)
    elif way == 3:
        del data[place:]
    elif way == 4:
        del data[place:end]
    elif way == 5:
        data[place:place] = rng.bytes(length)
    else:
        other = int(rng.integers(len(data)))
        data[place:end] = (data[other:] + bytes(length))[: end - place]
    return bytes(data)


def read(path):
    batches = list(read_source(expand_sources([str(path)])[0], ConvertConfig(), Counter()))
    return concatenate(batches) if batches else None


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
        arrays += [store.gen_met_xy_gev(), store.n_candidates(), store.event_id(), store.parts()]
        return [array.tobytes() for array in arrays], store.attributes


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Make one file of a format; returns its path and how to read a mutant and check it."""
    folder = tmp_path_factory.mktemp("fuzz")
    events = make_events(60, mean=20)

    def make(kind):
        if kind == "store":
            path = folder / "a.h5"
            columns = {name: events.padded(name) for name in REQUIRED}
            write_store(path, candidates=columns, gen_met_xy_gev=events.gen_met)
            want = store_content(path)

            def check(mutant):
                assert store_content(mutant) == want
        elif kind == "words":
            path = folder / "a.dump"
            write_words(path, events)

            def check(mutant):
                assert as_lists(read(mutant)) == slow_words(mutant)
        else:
            path = folder / f"{kind}.root"
            write_perfnano(
                path, events, compression=uproot.ZLIB(1) if kind == "root_zlib" else None
            )

            def check(mutant):
                batch = read(mutant)
                assert (as_lists(batch) if batch else []) == slow_root(mutant)

        return path, check

    return make


def fuzz(original, kind, tmp_path, n_mutants, seed):
    path, check = original(kind)
    check(path)
    content, rng = path.read_bytes(), np.random.default_rng([seed, FORMATS.index(kind)])
    outcomes = Counter()
    for _ in range(n_mutants):
        mutant = tmp_path / f"mutant{path.suffix}"
        mutant.write_bytes(mutate(content, rng))
        refusal = None
        try:
            check(mutant)
        except DataError as err:
            refusal = str(err)
        assert refusal is None or str(mutant) in refusal, "the message must name the file"
        outcomes["right" if refusal is None else "refused"] += 1
    assert outcomes["refused"] > 0.2 * n_mutants, outcomes
    assert outcomes["right"] > 0, outcomes


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files(original, kind, tmp_path):
    fuzz(original, kind, tmp_path, QUICK, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", FORMATS)
def test_many_damaged_files(original, kind, tmp_path):
    fuzz(original, kind, tmp_path, LONG, seed=2)
