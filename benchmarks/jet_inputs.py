"""Jets of a file, and the estimates that the benchmarks of jets hold beside one another."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.read_jets import read_jets
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.store import Store
from l1met_fpga.evaluation.runs import fit_on_training_parts
from l1met_fpga.prediction.loaded import load
from l1met_fpga.tasks.jets.task import TASK
from l1met_fpga.tasks.task import Estimator

__all__ = ["all_jets", "estimators", "seen_jets"]

JETS_PER_STEP = 50_000
MOST_EVENTS = 1_000_000
"""Jets that baselines are fitted on, at most."""


def all_jets(path: Path) -> Examples:
    """Return all jets of a file that trainings take, with everything that the file says of them."""
    with Store.open(store_of(TrainingSample(path=path, role="signal"))) as store:
        return store.examples(columns=store.columns, truths=store.truths, besides=store.jet_besides)


def seen_jets(folder: Path, name: str) -> Examples:
    """Return the jets of a simulated sample as a trigger sees them: soft ones and pile-up too."""
    one = folder / f"{name}.root"
    # a large sample is a folder of files
    files = [one] if one.is_file() else sorted((folder / name).glob("*.root"))
    return Examples.concatenate(
        [
            jets
            for file in files
            for jets in read_jets(str(file), JETS_PER_STEP, Counter(), every=True)
        ]
    )


def estimators(run: Path) -> Mapping[str, Estimator]:
    """Return a trained network, and the best variables with the table of pt from its training parts.

    Args:
        run: Run folder of the network.
    """
    network, samples = load(run), load_run(run / "config.yaml").samples
    fitted = fit_on_training_parts([store_of(one) for one in samples], TASK, MOST_EVENTS)["table"]
    return {
        "network": lambda jets: network.predict_heads(all_slots(jets)),
        "table": fitted.estimate,
    }
