"""The integer network of a run, held against the Keras model whose figures carry its name."""

from l1met_fpga.errors import ConversionError, RunFolderError
from l1met_fpga.models.network import Network
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.run_folder import RunFolder

__all__ = ["calibration_of", "network_digest"]


def calibration_of(run: RunFolder) -> SizeCalibration | None:
    """Return how a run's network tells its size, None if it is not corrected."""
    heads = Network.load(run.network).heads if run.network.is_file() else ()
    return next((head.calibration for head in heads if head.calibration is not None), None)


def network_digest(run: RunFolder) -> str | None:
    """Return what identifies a run's network, None if the run has no ``network.json``.

    Figures come from ``model.keras`` and are kept under the digest of ``network.json``, so the two
    must be one network: the model is written as integers again and compared.

    Raises:
        RunFolderError: If they are not.
    """
    if not run.network.is_file():
        return None
    from l1met_fpga.models.export import export_network
    from l1met_fpga.models.storage import load_model

    network = Network.load(run.network)
    digest = network.digest
    try:
        model = load_model(run.model)
        own = export_network(model, network.heads, z0_origin=network.z0_origin).digest
    except ConversionError as err:
        own = str(err)
    if own != digest:
        raise RunFolderError(
            f"{run.network} is not the network of {run.model.name}: it is {digest!r}, the model "
            f"gives {own!r}. One of them was copied from another run or made by another version; "
            "train the run again with `l1met train`"
        )
    return digest
