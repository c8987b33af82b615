"""Which network a command means: that of a run folder, a network.json, or the newest run's."""

from pathlib import Path

from l1met_fpga.cli.run_choice import need_last_run
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.firmware.meaning import require_hardware_columns
from l1met_fpga.models.network import Network
from l1met_fpga.models.network_of_run import network_of
from l1met_fpga.run_folder import RunFolder

__all__ = ["chosen_network", "chosen_rtl", "chosen_run", "firmware_network"]


def chosen_network(source: Path | None) -> Network:
    """Return the network of a run folder, of a file ``network.json``, or of the newest run.

    Raises:
        RunFolderError: If there is none.
        ConversionError: If the file does not describe a network.
    """
    if source is not None and source.is_file():
        return Network.load(source)
    folder = RunFolder.open(source) if source is not None else need_last_run()
    return network_of(folder)


def firmware_network(source: Path | None) -> tuple[Network, list[str]]:
    """Return the network that becomes firmware, and sentences about what its run does not say.

    Raises:
        RunFolderError: If there is none.
        ConversionError: If the file does not describe a network, or a column meant something else in
            training than in the hardware's word.
    """
    network = chosen_network(source)
    is_file = source is not None and source.is_file()
    run = RunFolder.holding(source) if source is not None and is_file else chosen_run(source)
    return network, require_hardware_columns(network, run) if run is not None else []


def chosen_run(source: Path | None) -> RunFolder | None:
    """Return the run folder that is meant, None for a file.

    Raises:
        RunFolderError: If there is none.
    """
    if source is None:
        return need_last_run()
    return None if source.is_file() else RunFolder.open(source)


def chosen_rtl(source: Path | None) -> RtlConfig:
    """Return the section ``rtl`` of the run that is meant; defaults for a bare network.json."""
    folder = chosen_run(source)
    if folder is None:
        return RtlConfig()
    return load_run(folder.need(folder.config, made_by="l1met train")).rtl
