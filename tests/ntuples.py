"""Small input files of every format, made from hardware integers that the tests know."""

from dataclasses import dataclass, replace
from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import uproot

from l1met_fpga.puppi.stream import WordEvents, write_word_stream
from l1met_fpga.puppi.words import pack

FAST = uproot.ZLIB(1)
PDG_ID = np.array([130, 22, -211, 211, 11, -11, 13, -13])
CHARGE = np.array([0, 0, -1, 1, -1, 1, -1, 1])


@dataclass(frozen=True)
class Events:
    """Ragged events: counts, flat columns, MET in polar form, identity."""

    counts: np.ndarray
    columns: dict[str, np.ndarray]
    gen_met: np.ndarray
    puppi_met: np.ndarray
    event_id: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def padded(self, name: str) -> np.ndarray:
        """Pad one column by a plain loop."""
        result = np.zeros((len(self), 128), np.int16)
        start = 0
        for event, count in enumerate(self.counts):
            kept = min(count, 128)
            result[event, :kept] = self.columns[name][start : start + kept]
            start += count
        return result

    def part(self, start: int, stop: int) -> "Events":
        """Return events ``start`` to ``stop``."""
        edges = np.concatenate([[0], np.cumsum(self.counts)])
        rows = slice(edges[start], edges[stop])
        return replace(
            self,
            counts=self.counts[start:stop],
            columns={name: values[rows] for name, values in self.columns.items()},
            gen_met=self.gen_met[start:stop],
            puppi_met=self.puppi_met[start:stop],
            event_id=self.event_id[start:stop],
        )


def make_events(
    n_events: int, seed: int = 0, *, mean: float = 12.0, first_event: int = 1
) -> Events:
    """Make random events; every column over its whole meaningful range."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean, n_events)
    n = int(counts.sum())
    pid = rng.integers(0, 8, n)
    return Events(
        counts=counts,
        columns={
            "pt": np.where(
                rng.random(n) < 0.01, rng.integers(1, 16384, n), rng.integers(1, 200, n)
            ),
            "eta": rng.integers(-1146, 1147, n),
            "phi": rng.integers(-720, 721, n),
            "pid": pid,
            "puppi_weight": np.where(pid > 1, 256, rng.integers(0, 257, n)),
        },
        gen_met=np.stack([rng.exponential(60, n_events), rng.uniform(-3.1, 3.1, n_events)], axis=1),
        puppi_met=np.stack(
            [rng.exponential(60, n_events), rng.uniform(-3.1, 3.1, n_events)], axis=1
        ),
        event_id=np.stack(
            [np.ones(n_events), np.full(n_events, 7), first_event + np.arange(n_events)], axis=1
        ).astype(np.uint64),
    )


def met_xy(polar: np.ndarray) -> np.ndarray:
    """Return px and py of float32 polar vectors."""
    pt, phi = polar.astype(np.float32).astype(float).T
    return np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1)


def physical(events: Events) -> dict[str, np.ndarray]:
    """Return the floats that a perfNano file holds for these integers."""
    columns, pid = events.columns, events.columns["pid"]
    return {
        "pt": (columns["pt"] * 0.25).astype(np.float32),
        "eta": (columns["eta"] * (np.pi / 720)).astype(np.float32),
        "phi": (columns["phi"] * (np.pi / 720)).astype(np.float32),
        "pdgId": PDG_ID[pid].astype(np.float32),
        "charge": CHARGE[pid].astype(np.float32),
        "puppiWeight": (columns["puppi_weight"] / 256).astype(np.float32),
    }


def hardware(events: Events) -> dict[str, np.ndarray]:
    """Return the hardware branches of newer perfNano files (integers stored as floats)."""
    names = {"hwPt": "pt", "hwEta": "eta", "hwPhi": "phi", "hwPuppiWeight": "puppi_weight"}
    return {branch: events.columns[name].astype(np.float32) for branch, name in names.items()}


def write_perfnano(
    path: Path,
    events: Events,
    *,
    candidates: dict[str, np.ndarray] | None = None,
    per_event: dict[str, np.ndarray] | None = None,
    tree: str = "Events",
    table: str = "L1PuppiCands",
    leave_out: tuple[str, ...] = (),
    compression: uproot.compression.Compression | None = FAST,
) -> None:
    """Write a ROOT file as the FastPUPPI ntuple maker does, with more or fewer branches."""
    values = physical(events) | (candidates or {})
    jagged = {
        name: ak.unflatten(column, events.counts)
        for name, column in values.items()
        if f"{table}_{name}" not in leave_out
    }
    scalars = {
        "run": events.event_id[:, 0].astype(np.uint32),
        "luminosityBlock": events.event_id[:, 1].astype(np.uint32),
        "event": events.event_id[:, 2],
        "genMet_pt": events.gen_met[:, 0].astype(np.float32),
        "genMet_phi": events.gen_met[:, 1].astype(np.float32),
        "L1PuppiMet_pt": events.puppi_met[:, 0].astype(np.float32),
        "L1PuppiMet_phi": events.puppi_met[:, 1].astype(np.float32),
    } | (per_event or {})
    branches = {name: values for name, values in scalars.items() if name not in leave_out}
    branches[table] = ak.zip(jagged)
    with uproot.recreate(path, compression=compression) as file:
        file.mktree(tree, {k: v.type if k == table else v.dtype for k, v in branches.items()})
        if len(events):
            file[tree].extend(branches)


def write_words(path: Path, events: Events) -> None:
    """Write a word stream; orbit and bunch crossing count the events."""
    number = np.arange(1, len(events) + 1)
    words = WordEvents(
        words=pack({name: values.astype(np.int16) for name, values in events.columns.items()}),
        counts=events.counts.astype(np.int64),
        run=np.full(len(events), 3, np.uint64),
        orbit=(number // 3564).astype(np.uint64),
        bunch_crossing=(number % 3564).astype(np.uint64),
        error=np.zeros(len(events), bool),
    )
    write_word_stream(path, [words])


def write_l1metml(path: Path, events: Events, n_slots: int = 128) -> None:
    """Write the HDF5 file of L1METML's converter."""
    kind = {130: 2, 22: 3, 211: 1, 11: 5, 13: 4}
    x = np.zeros((len(events), n_slots, 10))
    values, start = physical(events), 0
    for event, count in enumerate(events.counts):
        rows = slice(start, start + min(count, n_slots))
        n = rows.stop - rows.start
        pt, phi = values["pt"][rows], values["phi"][rows]
        x[event, :n, 0] = pt
        x[event, :n, 1], x[event, :n, 2] = pt * np.cos(phi), pt * np.sin(phi)
        x[event, :n, 3], x[event, :n, 4] = values["eta"][rows], phi
        x[event, :n, 5] = values["puppiWeight"][rows]
        x[event, :n, 6] = [kind[abs(int(code))] for code in values["pdgId"][rows]]
        x[event, :n, 7] = values["charge"][rows] + 2
        start += count
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=x, compression="lzf")
        file.create_dataset("Y", data=met_xy(events.gen_met), compression="lzf")


def write_l1deepmet(path: Path, events: Events, *, compressed: bool = False) -> None:
    """Write the NPZ file of L1DeepMETv2's converter."""
    x = np.full((6, len(events), max(events.counts)), -999.0, np.float32)
    start = 0
    names = ("pt", "eta", "phi", "puppiWeight", "pdgId", "charge")
    values = physical(events)
    for event, count in enumerate(events.counts):
        for feature, name in enumerate(names):
            x[feature, event, :count] = values[name][start : start + count]
        start += count
    (np.savez_compressed if compressed else np.savez)(path, x=x, y=met_xy(events.gen_met))
