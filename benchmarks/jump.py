"""Measure what JUMP is worth at equal rate, per process: it raises MET of signal and pile-up alike.

    python benchmarks/jump.py                        # the built-in samples, all events
    python benchmarks/jump.py data/full/*.h5

Nothing is fitted. Jets are not corrected: the samples have no generated jets to derive that from.
Each cell is the efficiency at equal rate and, with paired errors, its difference to PUPPI MET.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.console import Console

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.slots import all_slots
from l1met_fpga.evaluation.evaluation import Estimate, evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.sample import Events, Sample, load_store
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.puppi.emulator import emulate_puppi_met
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.puppi.jets import Jets, seeded_cone_jets
from l1met_fpga.puppi.jump import emulate_jump, raised_met_xy_gev
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.tasks.met.task import TASK

Vectors = npt.NDArray[np.float64]
BUILT_IN: Final = [Path("data") / f"{name}.root" for name in ("pileup", "ttbar", "znunu")]


def jump(candidates: Candidates, jets: Jets) -> Vectors:
    """JUMP as CMSSW computes it, on jets that are not corrected."""
    met = emulate_puppi_met(candidates)
    return emulate_jump(met.pt, met.phi, jets).met_xy_gev


def raised(strength: float) -> Callable[[Candidates, Jets], Vectors]:
    """Return the form that turns with the event."""

    def estimate(candidates: Candidates, jets: Jets) -> Vectors:
        return raised_met_xy_gev(puppi_met_xy_gev(candidates), jets, strength=strength)

    return estimate


ESTIMATES: Final[dict[str, Callable[[Candidates, Jets], Vectors]]] = {
    "puppi": lambda candidates, _: puppi_met_xy_gev(candidates),
    "JUMP (CMSSW emulator)": jump,
    "turning form, + 1 sigma": raised(1.0),
    "turning form, - 0.5 sigma": raised(-0.5),
    "turning form, - 1 sigma": raised(-1.0),
    "MHT (CMSSW emulator)": lambda _, jets: emulate_ht_mht(jets).mht_xy_gev,
}


def estimated(events: Events) -> Sample:
    """Return every estimate of the events of a sample."""
    candidates = all_slots(events.examples)
    jets = seeded_cone_jets(candidates).in_falling_pt()
    (head,) = TASK.truths
    found = {name: {head: estimate(candidates, jets)} for name, estimate in ESTIMATES.items()}
    truth = TASK.truth(events.examples)
    return Sample(events.label, truth, found, events.is_background)


def table(metrics: Metrics) -> list[str]:
    """Markdown rows: one per sample, rate and bin, one column per estimate."""
    lines = [["sample", "rate", "genMET (GeV)", *ESTIMATES]]
    lines.append(["---"] * len(lines[0]))
    for label, signal in metrics.trigger.items():
        for point in metrics.working_points:
            for where, cells in signal.efficiency[point.key].items():
                row = [label, point.title, where.replace("_", " ")]
                for name in ESTIMATES:
                    difference = cells[name].difference.get("puppi")
                    text = f"{cells[name].efficiency:.3f}"
                    if difference is not None:
                        text += f" ({difference.value:+.3f} ± {difference.error or 0:.3f})"
                    row.append(text)
                lines.append(row)
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def main() -> None:
    """Evaluate and print a Markdown table."""
    paths = [Path(name) for name in sys.argv[1:]] or BUILT_IN
    stores = [store_of(TrainingSample(path=path)) for path in paths]
    samples = [estimated(load_store(store, TASK, None)) for store in stores]
    about = {name: Estimate("baseline", name) for name in ESTIMATES}
    metrics = to_metrics(evaluate(samples, TASK, about, EvaluationConfig()))
    console = Console(width=240)
    console.print("\n".join(table(metrics)), highlight=False, soft_wrap=True)
    for note in metrics.notes:
        console.print(note, highlight=False)


if __name__ == "__main__":
    main()
