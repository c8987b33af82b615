"""The integer network of a run folder."""

from l1met_fpga.config.run import load_run
from l1met_fpga.models.network import Network
from l1met_fpga.run_folder import RunFolder

__all__ = ["network_of"]


def network_of(run: RunFolder) -> Network:
    """Read ``network.json``.

    Raises:
        ConfigError: If the run's architecture has no firmware, and so no such file.
        RunFolderError: If the run was not trained.
        ConversionError: If the file does not describe a network.
    """
    if run.config.is_file() and not run.network.is_file():
        load_run(run.config).model.require_firmware()
    return Network.load(run.need(run.network, made_by="l1met train"))
