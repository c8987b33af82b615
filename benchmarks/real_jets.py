"""Apply a network that was trained on simulated jets to real ones of CMS, without training it again.

    python benchmarks/real_jets.py models/jets "$L1MET_REFERENCE_DATA/tagger_jets_bbbb.root"

Prints the area under the ROC curve of each class there is, beside that of the best single variable (fitted on
the training parts of the network's own samples), the pairs with b, and the response of pt.
"""

import sys
from itertools import permutations
from pathlib import Path
from typing import Final

import numpy as np
from jet_inputs import all_jets, estimators
from rich.console import Console

from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.metrics.classes import against_rest, area, difference

SHOWN: Final = ("b", "charm", "light", "gluon")


def main() -> None:
    """Print Markdown."""
    run, file = (Path(given) for given in sys.argv[1:3])
    jets, named = all_jets(file), estimators(run)
    true = jets.truth["jet_class"]
    by_network = named["network"](jets)
    logits = {
        "network": by_network["flavour"],
        "best variable": named["table"](jets)["flavour"],
    }
    console = Console(soft_wrap=True)
    console.print(f"{len(true)} jets\n\n| class | jets | network | best variable | difference |")
    console.print("|---|---|---|---|---|")
    numbers = {name: JET_CLASSES.index(name) for name in SHOWN}
    for name, k in numbers.items():
        found = {title: area(against_rest(given, k), true == k) for title, given in logits.items()}
        one, other = found.values()
        change, error = difference(one, other)
        console.print(
            f"| {name} | {(true == k).sum()} | {one.value:.3f} ± {one.error:.3f} "
            f"| {other.value:.3f} ± {other.error:.3f} | {change:+.3f} ± {error:.3f} |"
        )
    console.print("\n| class | against | network |\n|---|---|---|")
    for a, b in permutations(SHOWN, 2):
        i, j = numbers[a], numbers[b]
        both = (true == i) | (true == j)
        score = logits["network"][both, i] - logits["network"][both, j]
        one = area(score, true[both] == i)
        console.print(f"| {a} | {b} | {one.value:.3f} ± {one.error:.3f} |")
    ratio = by_network["pt_ratio"][:, 0]
    console.print(
        "\n| class | generated over measured pt, median | over corrected pt |\n|---|---|---|"
    )
    for name, k in numbers.items():
        truth, given = jets.truth["jet_pt_ratio"][true == k], ratio[true == k]
        corrected = np.divide(truth, given, out=np.full(len(given), np.nan), where=given > 0)
        console.print(f"| {name} | {np.nanmedian(truth):.3f} | {np.nanmedian(corrected):.3f} |")


if __name__ == "__main__":
    main()
