"""What the network of jets is worth in triggers at equal rate: four b jets with HT, two taus, one tau.

    l1met simulate data/jets_trigger_sample.yaml
    python benchmarks/jet_triggers.py runs/jets-... data/jets

Each trigger has a cut on size (HT; pt of the taus) and one on score. The rate in pile-up-only crossings
fixes the second for each of the first, interpolated. The pair is chosen on one half of crossings and signal
events and quoted of the other, and the other way round. Errors are those of a bootstrap over crossings and
signal events.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from jet_inputs import estimators, seen_jets
from rich.console import Console
from scipy.special import expit, logsumexp

from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.layout import JET_ETA, JET_PT_GEV
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.two_cuts import FAILS, Trigger, efficiency, gain, halves, mean_of
from l1met_fpga.tasks.task import Estimator, Heads

B, LIGHT, GLUON = (JET_CLASSES.index(name) for name in ("b", "light", "gluon"))
TAUS: Final = tuple(JET_CLASSES.index(name) for name in ("taup", "taum"))
HT_JET_GEV: Final = 30.0
B_JET_GEV: Final = 20.0
TAU_MAX_ETA: Final = 2.172
HT_CUTS_GEV: Final = np.arange(0.0, 401, 20)
TAU_CUTS_GEV: Final = {1: np.arange(20.0, 151, 5), 2: np.arange(16.0, 71, 2)}
"""By the number of taus that are asked for."""
N_BOOTSTRAP: Final = 100
MAX_JETS: Final = 16
Halves = tuple[Trigger, Trigger]


@dataclass(frozen=True)
class Jets:
    """Jets by event, shape (n_events, 16); pt 0 where there is none.

    Attributes:
        pt_gev: As found.
        eta: Of the axis.
        is_tau: Whether a hadronic tau was generated there.
        corrected_gev: By estimate.
        b: Score of b against light and gluon, 0 to 1, by estimate.
        tau: The same of taus.
    """

    pt_gev: FloatArray
    eta: FloatArray
    is_tau: FloatArray
    corrected_gev: dict[str, FloatArray]
    b: dict[str, FloatArray]
    tau: dict[str, FloatArray]


def read(folder: Path, name: str, named: Mapping[str, Estimator]) -> Jets:
    """Read the jets of a simulated sample and estimate their class and pt."""
    about = json.loads((folder / "simulation.json").read_text())["samples"][name]
    jets = seen_jets(folder, name)
    event = jets.ids[:, 2].astype(np.int64) - 1
    order = np.argsort(event, kind="stable")
    slot = np.empty(len(jets), np.int64)
    slot[order] = np.arange(len(jets)) - np.searchsorted(event[order], event[order])

    def by_event(values: FloatArray) -> FloatArray:
        found = np.zeros((about["events"], MAX_JETS))
        found[event, slot] = values
        return found

    heads = {name: run(jets) for name, run in named.items()}
    pt = jets.besides[JET_PT_GEV].astype(float)
    return Jets(
        by_event(pt),
        by_event(jets.besides[JET_ETA]),
        by_event(np.isin(jets.truth["jet_class"], TAUS)),
        {n: by_event(pt * h["pt_ratio"][:, 0]) for n, h in heads.items()},
        {n: by_event(score(h, (B,), n)) for n, h in heads.items()},
        {n: by_event(score(h, TAUS, n)) for n, h in heads.items()},
    )


def score(heads: Heads, wanted: tuple[int, ...], name: str) -> FloatArray:
    """Return the chance of some classes against light and gluon."""
    logits = heads["flavour"]
    mine = logsumexp(logits[:, wanted], axis=1)
    # a single variable's logit is its likelihood ratio to all the rest
    rest = logsumexp(logits[:, (LIGHT, GLUON)], axis=1) if name == "network" else 0.0
    return np.asarray(expit(mine - rest), np.float64)


def largest(values: FloatArray, k: int) -> FloatArray:
    """Return the k-th largest of each event."""
    return np.asarray(-np.sort(-values, axis=1)[:, k - 1], np.float64)


def ht(jets: Jets) -> FloatArray:
    """HT of jets above 30 GeV."""
    return np.asarray((jets.pt_gev * (jets.pt_gev > HT_JET_GEV)).sum(axis=1), np.float64)


def four_b(jets: Jets, name: str) -> FloatArray:
    """Sum of the four largest b scores, by cut on HT."""
    seen = np.where(jets.pt_gev > B_JET_GEV, jets.b[name], 0)
    enough = (jets.pt_gev > B_JET_GEV).sum(axis=1) >= 4
    total = -np.sort(-seen, axis=1)[:, :4].sum(axis=1)
    return np.stack([np.where(enough & (ht(jets) >= cut), total, FAILS) for cut in HT_CUTS_GEV])


def taus(jets: Jets, name: str, n: int) -> FloatArray:
    """The n-th largest tau score of jets above a pt, by cut on pt."""
    found, central = [], np.abs(jets.eta) < TAU_MAX_ETA
    for cut in TAU_CUTS_GEV[n]:
        seen = np.where(central & (jets.corrected_gev[name] >= cut), jets.tau[name], 0)
        last = largest(seen, n)
        found.append(np.where(last > 0, last, FAILS))
    return np.stack(found)


def hard_jets(jets: Jets, name: str, n: int) -> FloatArray:
    """The n-th largest corrected pt: no score at all."""
    central = np.abs(jets.eta) < TAU_MAX_ETA
    return largest(np.where(central, jets.corrected_gev[name], 0), n)[None]


def has_taus(jets: Jets, n: int) -> FloatArray:
    """Events in which so many hadronic taus made a jet."""
    return np.asarray(jets.is_tau.sum(axis=1) >= n)


def compare(
    console: Console,
    title: str,
    rate_khz: float,
    background: Jets,
    signal: Jets,
    wanted: FloatArray,
    triggers: dict[str, Callable[[Jets], FloatArray]],
    cuts: FloatArray,
) -> None:
    """Print efficiency, and gain over the first trigger and over the one before."""
    found = {
        name: halves(run(background), run(signal)[:, wanted], rate_khz)
        for name, run in triggers.items()
    }
    console.print(f"\n{title} at {rate_khz:g} kHz, {int(wanted.sum())} signal events\n")
    console.print(
        "| trigger | cuts on size (GeV) | efficiency | minus the first | minus that before |"
    )
    console.print("|---|---|---|---|---|")
    rng = np.random.default_rng(1)
    first = before = next(iter(found.values()))

    def change(both: Halves, others: Halves) -> str:
        pairs = zip(both, others, strict=True)
        told = mean_of([gain(one, other, rate_khz, N_BOOTSTRAP, rng) for one, other in pairs])
        return f"{told.value:+.3f} ± {told.error:.3f}" if both is not others else ""

    for name, both in found.items():
        share = mean_of([efficiency(one, rate_khz, N_BOOTSTRAP, rng) for one in both])
        cut = ", ".join(f"{cuts[one.point.cut]:g}" for one in both if len(one.signal) > 1) or "-"
        console.print(
            f"| {name} | {cut} | {share.value:.3f} ± {share.error:.3f} | {change(both, first)} "
            f"| {change(both, before)} |"
        )
        before = both


def main() -> None:
    """Measure and print Markdown."""
    named, folder = estimators(Path(sys.argv[1])), Path(sys.argv[2])
    names = ("pileup", "hh4b", "vbf_htautau")
    pileup, hh4b, htautau = (read(folder, name, named) for name in names)
    console = Console(soft_wrap=True)
    compare(
        console, "Four b jets", 14.0, pileup, hh4b, np.ones(len(hh4b.pt_gev), bool),
        {
            "HT alone": lambda jets: ht(jets)[None],
            "HT and best variable": lambda jets: four_b(jets, "table"),
            "HT and network": lambda jets: four_b(jets, "network"),
        },
        HT_CUTS_GEV,
    )  # fmt: skip
    for title, n in (("Two taus", 2), ("One tau", 1)):
        compare(
            console, title, 28.0, pileup, htautau, has_taus(htautau, n),
            {
                "pt of jets": partial(hard_jets, name="table", n=n),
                "pt and best variable": partial(taus, name="table", n=n),
                "pt and network": partial(taus, name="network", n=n),
            },
            TAU_CUTS_GEV[n],
        )  # fmt: skip


if __name__ == "__main__":
    main()
