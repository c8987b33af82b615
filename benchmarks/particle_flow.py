"""What the network of elements makes of events, beside the rules of particle flow and the truth.

    make train TASK=flow
    l1met simulate data/flow_sample.yaml --process ttbar --events 300 --seed 5 -o data/flow/test
    python benchmarks/particle_flow.py runs/flow-... data/flow/test/ttbar.root docs/images

The events must be none of the training. The pt of the rules is brought to the truth's scale by class, pt and
|eta|, on the training's events. Prints Markdown and draws efficiency and fake rate against pt and |eta|. An element has the class of the largest logit; candidates of an estimate are its elements that
are not of class none, at the element's direction. Truth is that of a perfect estimate of the same elements.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.console import Console

from l1met_fpga.config.run import load_run
from l1met_fpga.data.element_examples import element_examples
from l1met_fpga.data.element_kinds import CLASSES, ParticleClass
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import ELEMENT_ETA, ELEMENT_PT_GEV, ELEMENTS
from l1met_fpga.data.read_elements import flow_events, matched
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.binomial import Efficiency, efficiency
from l1met_fpga.plots.curves import legend, look
from l1met_fpga.plots.drawing import Drawing
from l1met_fpga.plots.figure import save_figure, styled
from l1met_fpga.prediction.loaded import LoadedNetwork, load
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PHI_COUNTS_PER_TURN, PT_LSB_GEV, ParticleId
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.puppi.jets import seeded_cone_jets
from l1met_fpga.tasks.flow.baselines import own_code, rules
from l1met_fpga.tasks.flow.task import TASK

MIN_PT_GEV: Final = 2.0
PT_EDGES_GEV: Final = np.array([1.0, 1.5, 2, 3, 5, 8, 15, 30, 100])
ETA_EDGES: Final = np.array([0.0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5])
CHARGED: Final = (ParticleClass.CHARGED_HADRON, ParticleClass.ELECTRON, ParticleClass.MUON)
NEUTRAL: Final = (ParticleClass.NEUTRAL_HADRON, ParticleClass.PHOTON)
DRAWN: Final = (ParticleClass.CHARGED_HADRON, *NEUTRAL)
"""Of the others there are too few."""
PT_TICKS: Final = (1, 3, 10, 30, 100)
N_SLOTS: Final = 2048


@dataclass(frozen=True)
class Estimate:
    """Class and pt of every element, shape (n_elements,)."""

    code: npt.NDArray[np.int64]
    pt_gev: FloatArray


@dataclass(frozen=True)
class Sample:
    """Elements of all events, one event after the other.

    Attributes:
        event: Number of each element's event, from 0.
        eta: Its place at the calorimeter.
        at_vertex: Direction at the vertex, eta and phi, shape (n_elements, 2).
        estimates: ``truth``, ``rules`` (with their pt calibrated on training events) and ``network``.
        gen_met_xy_gev: Of each event.
    """

    event: npt.NDArray[np.int64]
    eta: FloatArray
    at_vertex: FloatArray
    estimates: dict[str, Estimate]
    gen_met_xy_gev: FloatArray


def calibration(elements: Examples) -> dict[tuple[int, int, int], float]:
    """Return the median of true over the rules' pt, by class, pt and |eta|, fitted on training elements."""
    truth, found = (
        estimated(elements, *heads) for heads in (TASK.truth(elements).values(), rules(elements))
    )
    both = (truth.pt_gev > 0) & (found.pt_gev > 0)
    cells, of = np.unique(cell(found, elements)[both], axis=0, return_inverse=True)
    ratio = truth.pt_gev[both] / found.pt_gev[both]
    return {tuple(one): float(np.median(ratio[of == k])) for k, one in enumerate(cells.tolist())}


def cell(found: Estimate, elements: Examples) -> npt.NDArray[np.int64]:
    """Return class and bins of pt and |eta|, shape (n_elements, 3)."""
    eta = np.abs(elements.besides[ELEMENT_ETA])
    bins = np.searchsorted(PT_EDGES_GEV, found.pt_gev), np.searchsorted(ETA_EDGES, eta)
    return np.stack([found.code, *bins], axis=1)


def calibrated(elements: Examples, by_cell: dict[tuple[int, int, int], float]) -> Estimate:
    """Return what the rules give, with their pt brought to the scale of the truth."""
    found = estimated(elements, *rules(elements))
    scale = [by_cell.get(tuple(one), 1.0) for one in cell(found, elements).tolist()]
    return Estimate(found.code, found.pt_gev * scale)


def training_elements(run: Path) -> Examples:
    """Return the training part of a run's first sample."""
    with Store.open(store_of(load_run(run / "config.yaml").samples[0])) as store:
        train, truths = store.events_of(Part.TRAIN), tuple(TASK.truths.values())
        return store.examples(train, ("pt", "pid"), truths=truths, besides=ELEMENTS)


def read(path: Path, network: LoadedNetwork, fitted: dict[tuple[int, int, int], float]) -> Sample:
    """Read the events of a file and estimate their elements."""
    events = list(flow_events(str(path)))
    found = [element_examples(event, matched(event)) for event in events]
    elements = Examples.concatenate(found)
    direction = [np.stack([e.elements["vertexEta"], e.elements["vertexPhi"]], 1) for e in events]
    return Sample(
        np.repeat(np.arange(len(events)), [len(one) for one in found]),
        elements.besides[ELEMENT_ETA],
        np.concatenate(direction).astype(np.float64),
        {
            "truth": estimated(elements, *TASK.truth(elements).values()),
            "rules": calibrated(elements, fitted),
            "network": estimated(elements, *network.predict_heads(all_slots(elements)).values()),
        },
        np.stack([event.gen_met_xy_gev for event in events]),
    )


def estimated(elements: Examples, logits: FloatArray, ratio: FloatArray) -> Estimate:
    """Return class and pt; an element of no class has none.

    A cluster that looks like part of a charged particle is none: the track has the particle.
    """
    code = logits.argmax(axis=1)
    behind = (own_code(elements) < ParticleId.HADRON_MINUS) & np.isin(code, CHARGED)
    code = np.where(behind, int(ParticleClass.NONE), code)
    pt_gev = ratio[:, 0] * elements.besides[ELEMENT_PT_GEV]
    return Estimate(code, np.where(code == ParticleClass.NONE, 0.0, pt_gev))


def efficiencies(sample: Sample, name: str, code: int, by: str, edges: FloatArray) -> Efficiency:
    """Return how many particles of a class an estimate calls so, in bins of what is true."""
    truth, found = sample.estimates["truth"], sample.estimates[name]
    mine = (truth.code == code) & (truth.pt_gev > minimum(by))
    return in_bins(place(sample, truth, by), mine, found.code == code, edges)


def fakes(sample: Sample, name: str, code: int, by: str, edges: FloatArray) -> Efficiency:
    """Return how many of the elements that an estimate calls so are not, in bins of its own."""
    truth, found = sample.estimates["truth"], sample.estimates[name]
    called = (found.code == code) & (found.pt_gev > minimum(by))
    return in_bins(place(sample, found, by), called, truth.code != code, edges)


def minimum(by: str) -> float:
    """Softest particles that are counted: all where it is drawn against pt."""
    return 0.0 if by == "pt" else MIN_PT_GEV


def place(sample: Sample, estimate: Estimate, by: str) -> FloatArray:
    """Return what the bins are of."""
    return estimate.pt_gev if by == "pt" else np.abs(sample.eta)


def in_bins(
    where: FloatArray, of: npt.NDArray[np.bool_], passed: npt.NDArray[np.bool_], edges: FloatArray
) -> Efficiency:
    """Return the share that passed of those in each bin."""
    total, _ = np.histogram(where[of], edges)
    return efficiency(np.histogram(where[of & passed], edges)[0], total)


def resolution(sample: Sample, name: str, code: int) -> tuple[float, float, int]:
    """Median and relative width of pt over the true one, where both call it so."""
    truth, found = sample.estimates["truth"], sample.estimates[name]
    both = (truth.code == code) & (found.code == code) & (truth.pt_gev > MIN_PT_GEV)
    low, middle, high = np.quantile(found.pt_gev[both] / truth.pt_gev[both], [0.16, 0.5, 0.84])
    return float(middle), float((high - low) / 2 / middle), int(both.sum())


def met(sample: Sample, name: str) -> FloatArray:
    """Minus the sum of the candidates, shape (n_events, 2)."""
    pt, phi = sample.estimates[name].pt_gev, sample.at_vertex[:, 1]
    parts = [
        np.bincount(sample.event, pt * turned(phi), len(sample.gen_met_xy_gev))
        for turned in (np.cos, np.sin)
    ]
    return np.asarray(-np.stack(parts, axis=1), np.float64)


def ht(sample: Sample, name: str) -> FloatArray:
    """HT of the trigger's jets, of candidates as integers; the hardest 2,048 of an event."""
    estimate = sample.estimates[name]
    pt = np.minimum(np.rint(estimate.pt_gev / PT_LSB_GEV), 2**14 - 1).astype(np.int16)
    eta, phi = np.rint(sample.at_vertex / ANGLE_LSB_RAD).T.astype(np.int64)
    half = PHI_COUNTS_PER_TURN // 2
    kept = pt > 0
    order = np.flatnonzero(kept)[np.lexsort((-pt[kept], sample.event[kept]))]
    columns = {"pt": pt, "eta": eta, "phi": (phi + half) % PHI_COUNTS_PER_TURN - half}
    counts = np.bincount(sample.event[order], minlength=len(sample.gen_met_xy_gev))
    rows = {name: values[order].astype(np.int16) for name, values in columns.items()}
    slots = Examples.of(counts, rows).first_rows(N_SLOTS).padded(N_SLOTS)
    return np.asarray(emulate_ht_mht(seeded_cone_jets(slots)).ht_gev, np.float64)


def width(values: FloatArray) -> float:
    """Half the 68 % width."""
    low, high = np.quantile(values, [0.16, 0.84])
    return float((high - low) / 2)


def say_classes(console: Console, sample: Sample) -> None:
    """Print efficiency and fake rate of each class."""
    console.print(f"\nElements above {MIN_PT_GEV:g} GeV\n")
    console.print("| class | particles | efficiency, rules | network | fakes, rules | network |")
    console.print("|---|---|---|---|---|---|")
    whole = np.array([0.0, np.inf])
    for code in list(ParticleClass)[1:]:
        cells = [
            run(sample, name, code, "eta", whole) for run in (efficiencies, fakes) for name in NAMES
        ]
        texts = [f"{one.value[0]:.3f} ± {one.error[0]:.3f}" for one in cells]
        console.print(f"| {CLASSES[code]} | {cells[0].total[0]} | {' | '.join(texts)} |")


def say_resolution(console: Console, sample: Sample) -> None:
    """Print the resolution of neutral particles and of the sums of events."""
    console.print("\n| pt of | estimate | elements | median response | width / response |")
    console.print("|---|---|---|---|---|")
    for code in NEUTRAL:
        for name in NAMES:
            middle, spread, n = resolution(sample, name, code)
            console.print(f"| {CLASSES[code]} | {name} | {n} | {middle:.2f} | {spread:.3f} |")
    console.print(
        "\n| estimate | MET x and y to genMET (GeV) | to truth | HT to truth (GeV) | mean HT |"
    )
    console.print("|---|---|---|---|---|")
    true_met, true_ht = met(sample, "truth"), ht(sample, "truth")
    for name in ("truth", *NAMES):
        own, own_ht = met(sample, name), ht(sample, name)
        numbers = (width((own - sample.gen_met_xy_gev).ravel()), width((own - true_met).ravel()))
        cells = [*numbers, width(own_ht - true_ht), float(own_ht.mean())]
        console.print(f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |")


NAMES: Final = ("rules", "network")


def draw(sample: Sample, folder: Path) -> None:
    """Draw efficiency and fake rate of each class against pt and |eta|."""
    for by, edges, label in (
        ("pt", PT_EDGES_GEV, "$p_T$ [GeV]"),
        ("eta", ETA_EDGES, r"$|\eta|$"),
    ):
        with styled():
            made = Drawing("", figsize=(11, 7), layout="constrained")
            axes = made.subplots(2, len(DRAWN), sharex=True, sharey=True)
            for column, code in zip(axes.T, DRAWN, strict=True):
                column[0].set_title(CLASSES[code], fontsize=14)
                for axis, run in zip(column, (efficiencies, fakes), strict=True):
                    for k, name in enumerate(NAMES, start=2):
                        add(axis, run(sample, name, code, by, edges), edges, name, k)
                    axis.set_ylim(0, 1.05)
                    if by == "pt":
                        axis.set_xscale("log")
                        axis.set_xticks(PT_TICKS, [f"{tick:g}" for tick in PT_TICKS])
                        axis.minorticks_off()
                column[1].set_xlabel(label, fontsize=13)
            axes[0, 0].set_ylabel("efficiency", fontsize=13)
            axes[1, 0].set_ylabel("fake rate", fontsize=13)
            legend(axes[0, 0], NAMES)
            save_figure(made, folder, f"flow_{by}")


def add(axis, found: Efficiency, edges: FloatArray, name: str, k: int) -> None:  # type: ignore[no-untyped-def]
    """Draw one estimate's points where there are ten elements."""
    many = found.total >= 10
    middle = (edges[1:] + edges[:-1]) / 2
    errors = np.stack([found.value - found.low, found.high - found.value])[:, many]
    axis.errorbar(middle[many], found.value[many], errors, label=name, **look(k))


def main() -> None:
    """Measure, print and draw."""
    run, path, folder = (Path(given) for given in sys.argv[1:4])
    sample = read(path, load(run), calibration(training_elements(run)))
    console = Console(soft_wrap=True)
    console.print(f"{len(sample.gen_met_xy_gev)} events, {len(sample.event)} elements")
    say_classes(console, sample)
    say_resolution(console, sample)
    draw(sample, folder)


if __name__ == "__main__":
    main()
