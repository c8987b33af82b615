"""Hold simulated jets of HH to 4 b against the public jets of CMS's tagger of the same process.

    l1met simulate --process hh4b --events 600 --seed 3 --set jets=only -o data/jets
    python benchmarks/jet_validation.py data/jets/hh4b.root "$L1MET_REFERENCE_DATA/tagger_jets_bbbb.root"

Prints the table of docs/jets-validation.md. Errors are those of a bootstrap over jets, of both sides.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from jet_inputs import all_jets
from rich.console import Console

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.layout import JET_PT_GEV
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.classes import area
from l1met_fpga.tasks.jets.variables import jet_variables

N_BOOTSTRAP: Final = 100
PT_BINS_GEV: Final = ((15, 30), (30, 60), (60, 1000))
KINDS: Final = {"b": ("b",), "light and gluon": ("light", "gluon")}
SHOWN_CLASSES: Final = ("b", "charm", "light", "gluon")
MIN_JETS: Final = 30

Values = dict[str, FloatArray]
Figure = Callable[[Values], float]


def read(path: Path) -> Values:
    """Return numbers of the jets of a class."""
    jets = all_jets(path)
    known = np.flatnonzero(np.isin(jets.truth["jet_class"], range(len(SHOWN_CLASSES))))
    return values_of(jets.take(known))


def values_of(jets: Examples) -> Values:
    """Return what figures are made of, each of shape (n_jets,)."""
    return {
        **jet_variables(jets),
        "class": jets.truth["jet_class"],
        "ratio": jets.truth["jet_pt_ratio"],
        "pt": jets.besides[JET_PT_GEV].astype(float),
    }


def share_of(number: int) -> Figure:
    """Share of a class."""
    return lambda jets: float((jets["class"] == number).mean())


def mean_of(name: str) -> Figure:
    """Mean of a number of jets."""
    return lambda jets: float(jets[name].mean())


def quantile_of(name: str, q: float) -> Figure:
    """Quantile of a number of jets."""
    return lambda jets: float(np.quantile(jets[name], q))


def width(jets: Values) -> float:
    """Half the 68 % width of generated over measured pt, over its median."""
    low, middle, high = np.quantile(jets["ratio"], [0.16, 0.5, 0.84])
    return float((high - low) / 2 / middle)


def displaced(name: str, least: int) -> Figure:
    """Share of jets in which a number is at least this."""
    return lambda jets: float((jets[name] >= least).mean())


def b_area(name: str) -> Figure:
    """Area under the ROC curve of b against light and gluon."""

    def figure(jets: Values) -> float:
        chosen = jets["class"] == JET_CLASSES.index("b")
        rest = np.isin(jets["class"], [JET_CLASSES.index(n) for n in KINDS["light and gluon"]])
        return area(jets[name][chosen | rest], chosen[chosen | rest]).value

    return figure


def figures() -> Iterator[tuple[str, Figure, tuple[str, ...], tuple[float, float]]]:
    """Yield title, figure, classes and range of pt."""
    everything = (0.0, np.inf)
    for number, name in enumerate(SHOWN_CLASSES):
        yield f"share of {name}", share_of(number), SHOWN_CLASSES, everything
    for q in (0.25, 0.5, 0.75):
        yield f"pt, {q:.0%} quantile (GeV)", quantile_of("pt", q), SHOWN_CLASSES, everything
    for title, classes in KINDS.items():
        for name in (
            "constituents",
            "charged constituents",
            "photon share",
            "neutral hadron share",
            "muon share",
            "width",
        ):
            yield f"{name}, mean, {title}", mean_of(name), classes, everything
    for title, classes in KINDS.items():
        for least in (8, 12, 16, 24):
            yield (
                f"largest dxy of {least} counts or more, {title}",
                displaced("largest dxy", least),
                classes,
                everything,
            )
        yield (
            f"second dxy of 12 counts or more, {title}",
            displaced("second dxy", 12),
            classes,
            everything,
        )
    for name in ("largest dxy", "second dxy", "muon share"):
        yield f"area of b against light and gluon, {name}", b_area(name), SHOWN_CLASSES, everything
    for title, classes in KINDS.items():
        for bin_ in PT_BINS_GEV:
            named = f"{title}, pt {bin_[0]} to {bin_[1]} GeV"
            yield (
                f"median of generated over measured pt, {named}",
                quantile_of("ratio", 0.5),
                classes,
                bin_,
            )
            yield f"its relative width, {named}", width, classes, bin_


def chosen(jets: Values, classes: tuple[str, ...], range_gev: tuple[float, float]) -> Values:
    """Return the jets of some classes within a range of pt."""
    inside = np.isin(jets["class"], [JET_CLASSES.index(name) for name in classes])
    inside &= (jets["pt"] >= range_gev[0]) & (jets["pt"] < range_gev[1])
    return {name: values[inside] for name, values in jets.items()}


def with_error(figure: Figure, jets: Values, rng: np.random.Generator) -> tuple[float, float]:
    """Return a figure and its bootstrap error."""
    n = len(jets["pt"])
    drawn = [
        figure({name: values[picked] for name, values in jets.items()})
        for picked in rng.integers(0, n, (N_BOOTSTRAP, n))
    ]
    return figure(jets), float(np.std(drawn))


def main() -> None:
    """Print the table."""
    ours, real = (read(Path(given)) for given in sys.argv[1:3])
    console, rng = Console(soft_wrap=True), np.random.default_rng(1)
    console.print(f"{len(ours['pt'])} simulated jets, {len(real['pt'])} of CMS\n")
    console.print("| figure | simulation | CMS | difference |\n| --- | --- | --- | --- |")
    for title, figure, classes, range_gev in figures():
        parts = [chosen(jets, classes, range_gev) for jets in (ours, real)]
        if min(len(part["pt"]) for part in parts) < MIN_JETS:
            console.print(f"| {title} | fewer than {MIN_JETS} jets | | |")
            continue
        (a, da), (b, db) = (with_error(figure, part, rng) for part in parts)
        console.print(
            f"| {title} | {a:.3f} ± {da:.3f} | {b:.3f} ± {db:.3f} | {a - b:+.3f} ± {np.hypot(da, db):.3f} |"
        )


if __name__ == "__main__":
    main()
