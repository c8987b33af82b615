"""Figures of simulated samples that can be held against published ones.

Names of figures are those of ``targets.yaml``. Errors are statistical, from resampling events.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import BASELINES, N_BEFORE_CUT
from l1met_fpga.data.read_root import read_root
from l1met_fpga.data.truth import GEN_MET, PUPPI_MET
from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import magnitude_gev
from l1met_fpga.metrics.projection import project
from l1met_fpga.metrics.resolution import half_width
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PARTICLE_KINDS, PT_LSB_GEV
from l1met_fpga.puppi.sums import momentum_xy_gev, sum_by_event

__all__ = [
    "SAMPLES",
    "Components",
    "Figures",
    "MetSample",
    "components",
    "count_figures",
    "met_figures",
    "met_sample",
    "pileup_figures",
    "read_sample",
    "source_met_xy_gev",
]

SAMPLES: Final = ("pileup", "ttbar_inclusive", "ttbar_dilepton")
"""Samples that the validation needs, by file name."""
RESPONSE_EDGES_GEV: Final = (20, 40, 60, 80, 100, 150, 200, 300)
TURN_ON_EDGES_GEV: Final = tuple(range(60, 280, 20))
TURN_ON_THRESHOLD_GEV: Final = 99.3
"""PUPPI MET that CMS's scaling equals to an offline MET of 200 GeV (Phase2L1GT scalings v44)."""
RESAMPLES: Final = 50
EVENTS_PER_STEP: Final = 20_000

FloatArray = npt.NDArray[np.float64]
Figures = dict[str, tuple[float, float]]
"""Name of a figure -> value and statistical error."""

SPECIES: Final = {f"{kind}s": codes for kind, codes in PARTICLE_KINDS.items()}
REGIONS: Final = {
    "barrel": (0.0, 1.5),
    "HGCal": (1.5, 2.5),
    "HGCal without tracks": (2.5, 3.0),
    "HF": (3.0, 9.0),
}


@dataclass(frozen=True, slots=True)
class MetSample:
    """MET of a sample: estimate and truth, shape (n, 2), GeV."""

    puppi_xy_gev: FloatArray
    gen_xy_gev: FloatArray


@dataclass(frozen=True, slots=True)
class Components:
    """Candidates of one kind in one region.

    Attributes:
        region: Name of the region.
        species: Name of the kind.
        per_event: Mean number.
        sum_pt_gev: Mean scalar sum.
        noise_gev: Root mean square of a component of their vector sum.
        error: Statistical error of ``per_event``.
        noise_error_gev: Statistical error of ``noise_gev``.
    """

    region: str
    species: str
    per_event: float
    sum_pt_gev: float
    noise_gev: float
    error: float
    noise_error_gev: float


def read_sample(folder: Path, name: str) -> Examples:
    """Read one simulated sample, a file or a folder of files.

    Raises:
        DataError: If it is not there.
    """
    files = [folder / f"{name}.root"]
    if not files[0].is_file():
        files = sorted((folder / name).glob("*.root"))
    if not files:
        raise DataError(
            f"{folder} has no sample {name!r}; make it with `l1met simulate "
            "data/validation_sample.yaml`"
        )
    tally: Counter[str] = Counter()
    return Examples.concatenate(
        [batch for f in files for batch in read_root(str(f), "perfnano", EVENTS_PER_STEP, tally)]
    )


def source_met_xy_gev(events: Examples) -> FloatArray:
    """Return the PUPPI MET that the files hold, shape (n, 2)."""
    found: FloatArray = events.besides[f"{BASELINES}{PUPPI_MET}"]
    return found


def met_sample(events: Examples) -> MetSample:
    """Return estimate and truth of a sample."""
    return MetSample(source_met_xy_gev(events), events.truth[GEN_MET])


def count_figures(name: str, events: Examples) -> Figures:
    """Return mean and spread of the number of candidates."""
    n = events.besides[N_BEFORE_CUT].astype(np.float64)
    count = len(n)
    return {
        f"{name} candidates, mean": (float(n.mean()), float(n.std() / np.sqrt(count))),
        f"{name} candidates, spread": (float(n.std()), float(n.std() / np.sqrt(2 * count))),
    }


def pileup_figures(events: Examples) -> Figures:
    """Return the figures of pile-up-only crossings."""
    figures = count_figures("pileup", events)
    met = source_met_xy_gev(events)
    figures["pileup MET component, half width"] = _resampled(met, lambda m: half_width(m.ravel()))
    pid, total = events.columns["pid"], len(events.columns["pid"])
    for species, codes in SPECIES.items():
        share = float(np.isin(pid, codes).mean())
        figures[f"share of {species}"] = (
            100 * share,
            100 * float(np.sqrt(share * (1 - share) / total)),
        )
    return figures


def met_figures(sample: MetSample) -> Figures:
    """Return residual, response, widths and turn-on of a sample with true MET."""
    residual = sample.puppi_xy_gev - sample.gen_xy_gev
    figures: Figures = {
        "dilepton x residual, half width": _resampled(residual, lambda r: half_width(r.ravel())),
        "dilepton x residual, rms": _resampled(residual, lambda r: float(r.std())),
    }
    seen = project(sample.puppi_xy_gev, sample.gen_xy_gev)
    size = magnitude_gev(sample.puppi_xy_gev)[seen.events]
    for low, high in itertools.pairwise(RESPONSE_EDGES_GEV):
        inside = (seen.gen_gev >= low) & (seen.gen_gev < high)
        where = f"genMET {low}-{high}"
        for name, values, statistic in (
            ("median response", (size / seen.gen_gev)[inside], _median),
            ("parallel half width", (seen.parallel_gev - seen.gen_gev)[inside], half_width),
            ("perpendicular half width", seen.perpendicular_gev[inside], half_width),
        ):
            figures[f"{name}, {where}"] = _resampled(values, statistic)
    for low, high in itertools.pairwise(TURN_ON_EDGES_GEV[:11]):
        passed = size[(seen.gen_gev >= low) & (seen.gen_gev < high)] > TURN_ON_THRESHOLD_GEV
        n = max(len(passed), 1)
        value = float(passed.mean()) if len(passed) else float("nan")
        # Wilson's width, which does not vanish at 0 and 1.
        error = float(np.sqrt(value * (1 - value) / n + 1 / (4 * n**2)) / (1 + 1 / n))
        figures[f"efficiency above 99.3 GeV, genMET {low}-{high}"] = (value, error)
    return figures


def components(events: Examples) -> list[Components]:
    """Split the candidates by region and kind: how many, how much, how noisy."""
    event = events.example_of_rows
    eta = np.abs(events.columns["eta"]) * ANGLE_LSB_RAD
    pt = events.columns["pt"] * PT_LSB_GEV
    momentum = momentum_xy_gev(events.columns)
    rows = []
    for region, (low, high) in REGIONS.items():
        for species, codes in SPECIES.items():
            mine = (eta >= low) & (eta < high) & np.isin(events.columns["pid"], codes)
            if not mine.any():
                continue
            sums = sum_by_event(momentum[mine], event[mine], len(events))
            square = (sums[:, 0] ** 2 + sums[:, 1] ** 2) / 2
            noise = float(np.sqrt(square.mean()))
            count = np.bincount(event[mine], minlength=len(events))
            root_n = np.sqrt(len(events))
            rows.append(
                Components(
                    region,
                    species,
                    float(count.mean()),
                    float(pt[mine].sum() / len(events)),
                    noise,
                    float(count.std() / root_n),
                    float(square.std() / root_n / (2 * noise)),
                )
            )
    return rows


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _resampled(values: FloatArray, statistic: Callable[[FloatArray], float]) -> tuple[float, float]:
    """Return a statistic and its error from resampling the first axis."""
    rng = np.random.default_rng(0)
    n = len(values)
    tries = [statistic(values[rng.integers(0, n, n)]) for _ in range(RESAMPLES)] if n else []
    return statistic(values), float(np.std(tries)) if tries else float("nan")
