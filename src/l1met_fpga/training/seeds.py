"""The same training with several seeds; the one that is best on the validation part is the run."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.run import RunConfig, load_run
from l1met_fpga.errors import ConfigError, RunFolderError, TrainingError
from l1met_fpga.files import exclusive, write_json
from l1met_fpga.results.run import VAL_EFFICIENCY, read_training
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.training.monitor import LOSS
from l1met_fpga.training.session import require_same_settings
from l1met_fpga.training.workers import place

__all__ = ["SeedResult", "TrainOne", "train_seeds"]

FOLDER: Final = "seeds"
TrainOne = Callable[[RunConfig, Path, bool], Any]
"""(settings, folder, whether to go on with what is there) -> trains one run there."""


@dataclass(frozen=True, slots=True)
class SeedResult:
    """The firmware network of one seed on the validation part.

    Attributes:
        seed: Its seed.
        val_loss: Loss, by which the best is chosen.
        val_efficiency: Mean efficiency at equal rate; None where it cannot be measured.
        zero_fraction: Zeros of all its kernels.
        luts: Estimate, where the pruning has a budget.
        chosen: Whether it is the best.
    """

    seed: int
    val_loss: float
    val_efficiency: float | None
    zero_fraction: float | None
    luts: float | None
    chosen: bool = False


def train_seeds(
    config: RunConfig, root: Path, *, seeds: int, train: TrainOne, overwrite: bool, resume: bool
) -> tuple[SeedResult, ...]:
    """Train with the seeds from ``training.seed`` on, each in ``ROOT/seeds/N``, and keep the best.

    The files of the best seed's run are copied to ``root``, ``seeds.json`` there shows all.

    Args:
        config: The run.
        root: Run folder to make (or to go on with).
        seeds: How many.
        train: Trains one.
        overwrite: Replace an earlier run.
        resume: Go on with an interrupted one.

    Returns:
        All seeds in their order.

    Raises:
        ConfigError: If several machines would train together, or a seed that is done had other
            settings.
        RunFolderError: If the folder holds something else.
        TrainingError: If the run is complete already.
    """
    if place().count > 1:
        raise ConfigError("--seeds trains one run after another on one machine; unset TF_CONFIG")
    folder = RunFolder(root)
    if not (resume and root.is_dir()):
        folder = RunFolder.create(root, clear=overwrite)
    elif folder.training.exists():
        raise TrainingError(f"the training in {root} is complete; start again with --overwrite")
    first = config.training.seed
    with exclusive(root / FOLDER):
        found = [_one(config, root, seed, train) for seed in range(first, first + seeds)]
        best = min(found, key=lambda one: one.val_loss)
        found = [SeedResult(**asdict(one) | {"chosen": one is best}) for one in found]
        write_json(root / "seeds.json", {"seeds": [asdict(one) for one in found]})
        RunFolder(root / FOLDER / str(best.seed)).writable(root)
    return tuple(found)


def _one(config: RunConfig, root: Path, seed: int, train: TrainOne) -> SeedResult:
    training = config.training.model_copy(update={"seed": seed})
    settings = config.model_copy(update={"training": training})
    folder = RunFolder(root / FOLDER / str(seed))
    if folder.training.exists():
        require_same_settings(folder.config, load_run(folder.config), settings)
    else:
        train(settings, folder.root, folder.root.is_dir())
    network = read_training(folder.training).kept
    loss = network.validation.get(LOSS)
    if loss is None:
        raise RunFolderError(f"{folder.training} has no {LOSS} to choose by; train again")
    return SeedResult(
        seed=seed,
        val_loss=loss,
        val_efficiency=network.validation.get(VAL_EFFICIENCY),
        zero_fraction=network.zero_fraction,
        luts=network.luts,
    )
