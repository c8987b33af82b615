"""Speed and peak memory of conversion on one core: `make bench-data` prints the table.

Every measurement runs in a process of its own, bound to one core, several times; the best counts,
because the others were disturbed. Reading, checking and writing are also measured by themselves,
which tells what bounds the whole.
"""

import argparse
import hashlib
import os
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import numpy.typing as npt
import uproot
from rich.console import Console
from rich.table import Table

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.part_file import read_part, read_part_record
from l1met_fpga.data.read_root import read_root
from l1met_fpga.data.store_writer import create_store
from l1met_fpga.puppi.stream import WordEvents, write_word_stream
from l1met_fpga.puppi.units import charge_of, pdg_id_of, to_values
from l1met_fpga.puppi.words import pack

N_BASKET_EVENTS = 10_000
CODECS = {"zlib": uproot.ZLIB(4), "zstd": uproot.ZSTD(5), "lzma": uproot.LZMA(4)}
Columns = dict[str, npt.NDArray[np.int16]]


def make_candidates(rng: np.random.Generator, counts: npt.NDArray[np.int64]) -> Columns:
    """Return flat candidates with the composition and spectra of 200 pile-up, roughly."""
    n = int(counts.sum())
    pid = rng.choice(8, n, p=[0.05, 0.05, 0.44, 0.44, 0.005, 0.005, 0.005, 0.005])
    charged = pid > 1
    pt = 8 + np.minimum(rng.exponential(6, n) * rng.exponential(1.5, n), 16000)
    columns = {
        "pt": pt,
        "eta": np.where(
            charged, rng.uniform(-550, 550, n), rng.normal(0, 400, n).clip(-1146, 1146)
        ),
        "phi": rng.integers(-720, 721, n),
        "pid": pid,
        "puppi_weight": np.where(charged, 256, rng.integers(20, 257, n)),
    }
    return {name: values.astype(np.int16) for name, values in columns.items()}


def chunks(n_events: int) -> Iterator[tuple[npt.NDArray[np.int64], Columns, int]]:
    """Yield candidates per event, columns and number of the first event."""
    rng = np.random.default_rng(1)
    for first in range(0, n_events, N_BASKET_EVENTS):
        n = min(N_BASKET_EVENTS, n_events - first)
        counts = np.clip(rng.normal(54.6, 18.8, n).round(), 0, None).astype(np.int64)
        yield counts, make_candidates(rng, counts), first


def write_root(path: Path, n_events: int, codec: str, *, hardware: bool) -> None:
    """Write a perfNano file."""
    rng = np.random.default_rng(2)
    with uproot.recreate(path, compression=CODECS[codec]) as file:
        for counts, columns, first in chunks(n_events):
            n = len(counts)
            values = {
                name: to_values(name, columns[name]).astype(np.float32)
                for name in ("pt", "eta", "phi")
            }
            values["puppiWeight"] = to_values("puppi_weight", columns["puppi_weight"])
            values["pdgId"] = pdg_id_of(columns["pid"])
            values["charge"] = charge_of(columns["pid"])
            if hardware:
                values |= {f"hw{k.capitalize()}": columns[k] for k in ("pt", "eta", "phi")}
            floats = {
                name: ak.unflatten(v.astype(np.float32), counts) for name, v in values.items()
            }
            branches = {
                "run": np.ones(n, np.uint32),
                "luminosityBlock": np.full(n, 7, np.uint32),
                "event": first + np.arange(n, dtype=np.uint64),
            }
            for met in ("genMet", "L1PuppiMet"):
                branches[f"{met}_pt"] = rng.exponential(60, n).astype(np.float32)
                branches[f"{met}_phi"] = rng.uniform(-np.pi, np.pi, n).astype(np.float32)
            branches["L1PuppiCands"] = ak.zip(floats)
            if first == 0:
                kinds = {
                    k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in branches.items()
                }
                file.mktree("Events", kinds)
            file["Events"].extend(branches)


def write_words(path: Path, n_events: int) -> None:
    """Write a word stream of the same events, those above 208 candidates cut."""

    def events() -> Iterator[WordEvents]:
        for counts, columns, first in chunks(n_events):
            number = first + np.arange(len(counts), dtype=np.uint64) + np.uint64(1)
            none = np.zeros(len(counts), np.uint64)
            crossing = number % np.uint64(3564)
            yield WordEvents(
                pack(columns), counts, none, number // np.uint64(3564), crossing, none.astype(bool)
            )

    write_word_stream(path, events())


def to_store(source: str, store: Path) -> None:
    """The whole of `l1met convert`."""
    convert([source], store, ConvertConfig(label="bench"), workers=1, overwrite=True)


def read_only(source: str, _: Path) -> None:
    """Time of uproot alone: decompression and offsets."""
    with uproot.open(source) as file:
        tree = file["Events"]
        names = [name for name in tree.keys() if "mass" not in name]  # noqa: SIM118
        for start in range(0, tree.num_entries, N_BASKET_EVENTS):
            tree.arrays(names, entry_start=start, entry_stop=start + N_BASKET_EVENTS)


def l1metml_style(source: str, target: Path) -> None:
    """What conversion usually is: padded floats of every candidate, written with h5py (lzf)."""
    kinds = {211: 1, 130: 2, 22: 3, 13: 4, 11: 5}
    with uproot.open(source) as file:
        table = file["Events"].arrays()

    def padded(name: str) -> npt.NDArray[np.float64]:
        lists = ak.pad_none(table[f"L1PuppiCands_{name}"], 128, clip=True)
        return ak.to_numpy(ak.fill_none(lists, 0)).astype(np.float64)

    pt, eta, phi = padded("pt"), padded("eta"), padded("phi")
    code, charge = padded("pdgId"), padded("charge")
    kind = np.zeros_like(code)
    for pdg_id, number in kinds.items():
        kind[np.abs(code) == pdg_id] = number
    columns = [pt, pt * np.cos(phi), pt * np.sin(phi), eta, phi, padded("puppiWeight"), kind]
    x = np.stack([*columns, np.where(kind > 0, charge + 2, 0)], axis=2)
    true, angle = (ak.to_numpy(table[f"genMet_{name}"]) for name in ("pt", "phi"))
    y = np.stack([true * np.cos(angle), true * np.sin(angle)], axis=1)
    with h5py.File(target, "w") as file:
        file.create_dataset("X", data=x, compression="lzf")
        file.create_dataset("Y", data=y, compression="lzf")


def read_and_check(source: str, _: Path) -> None:
    """Reader of the package: the above, units, checks."""
    for batch in read_root(source, "auto", 16384, Counter()):
        del batch


def checksum(source: str, _: Path) -> None:
    """SHA-256 of the input."""
    with Path(source).open("rb") as file:
        hashlib.file_digest(file, "sha256")


def write_only(source: str, store: Path) -> None:
    """Compression of a finished part."""
    record = read_part_record(Path(source))
    if record is None:
        raise SystemExit(f"no part {source}")
    with create_store(
        store, label="bench", order="as_is", truths=record.truths, besides=record.besides
    ) as writer:
        for events in read_part(Path(source), record):
            writer.append(events)


def measure(
    work: Callable[[str, Path], None], source: str, store: Path, repeats: int
) -> list[float]:
    """Run in a process of its own; returns seconds, processor seconds, and peak MiB."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    best = [float("inf"), float("inf")]
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work(source, store)
        spent = [time.perf_counter() - wall, time.process_time() - processor]
        best = [min(pair) for pair in zip(best, spent, strict=True)]
    return [*best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]


def alone(
    work: Callable[[str, Path], None], source: Path, store: Path, repeats: int
) -> list[float]:
    """Measure in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, work, str(source), store, repeats).result()


def make_inputs(folder: Path, n_events: int) -> dict[str, Path]:
    """Make the input files that are not there yet."""
    files = {codec: folder / f"{codec}.root" for codec in CODECS}
    files |= {name: folder / f"{name}.root" for name in ("hardware", "triple")}
    files["words"] = folder / "a.dump"
    for name, path in files.items():
        if path.exists():
            continue
        if name == "words":
            write_words(path, n_events)
        else:
            codec = name if name in CODECS else "zlib"
            n = n_events * (3 if name == "triple" else 1)
            write_root(path, n, codec, hardware=name == "hardware")
    return files


def make_part(source: Path, folder: Path) -> Path:
    """Stop a conversion before the merge; its part is what a finished task leaves."""
    from l1met_fpga.data.convert import ConvertTask, convert_source
    from l1met_fpga.data.sources import Source

    part = folder / "bench.part"
    convert_source(ConvertTask(Source(str(source), "root"), part, ConvertConfig()))
    return part


def main() -> None:
    """Print one row per measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="Keep the input files here.")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-data-"))
    folder.mkdir(parents=True, exist_ok=True)
    files, n, store = make_inputs(folder, options.events), options.events, folder / "out.h5"
    part = make_part(files["zlib"], folder)
    to_store(str(files["zlib"]), folder / "size.h5")
    rows = [
        ("ROOT (zlib) to store", to_store, files["zlib"], n),
        ("ROOT (zlib), 3 times the events", to_store, files["triple"], 3 * n),
        ("ROOT (zlib) with hw branches to store", to_store, files["hardware"], n),
        ("ROOT (zstd) to store", to_store, files["zstd"], n),
        ("ROOT (lzma) to store", to_store, files["lzma"], n),
        ("  part of it: uproot alone, with zlib", read_only, files["zlib"], n),
        ("  part of it: reader (ISA-L, units, checks)", read_and_check, files["zlib"], n),
        ("  part of it: SHA-256 of the input", checksum, files["zlib"], n),
        ("  part of it: compression", write_only, part, n),
        ("words to store", to_store, files["words"], n),
        ("ROOT (zlib) to padded floats, as L1METML does", l1metml_style, files["zlib"], n),
    ]
    table = Table("what", "events/s", "events/s of processor time", "peak MiB")
    for name, work, source, n_events in rows:
        seconds, processor, peak = alone(work, source, store, options.repeats)
        table.add_row(
            name, f"{n_events / seconds:,.0f}", f"{n_events / processor:,.0f}", f"{peak:.0f}"
        )
    console = Console(width=110)
    console.print(table)
    size = (folder / "size.h5").stat().st_size / n
    l1metml_style(str(files["zlib"]), folder / "floats.h5")
    floats = (folder / "floats.h5").stat().st_size / n
    console.print(
        f"store: {size:.0f} bytes per event; padded floats: {floats:.0f}; input: {files['zlib'].stat().st_size / n:.0f}"
    )
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
