"""Whether a network's columns mean to the hardware what they meant in training."""

from collections.abc import Iterator, Mapping
from typing import Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.network import Network
from l1met_fpga.puppi import jet_constituents
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.results.run import read_training
from l1met_fpga.run_folder import RunFolder

__all__ = [
    "other_meanings",
    "recorded_units",
    "require_hardware_columns",
    "require_no_vertex",
]

_MAY_DIFFER: Final = ("z0",)
"""Columns that a conversion can give another meaning (`l1met convert --z0 vertex`)."""


def require_hardware_columns(network: Network, run: RunFolder) -> list[str]:
    """Check that every column of a network is what the hardware's candidate word holds.

    Args:
        network: The integer network.
        run: Its run folder, for the units of the training samples.

    Returns:
        Sentences about columns of which the run does not say what they meant.

    Raises:
        ConversionError: If a column meant something else in training.
        RunFolderError: If ``training.json`` is damaged.
    """
    wrong = list(other_meanings(network, run))
    if wrong:
        raise ConversionError(
            f"{run.root}: {'; '.join(wrong)}. Convert all samples alike (`l1met convert --z0`) and "
            "train again, or train without the column"
        )
    units = list(recorded_units(run))
    jets = [
        "the firmware takes words of a jet's constituents: "
        + ", ".join(
            f"{column} in {unit}"
            for column, unit in jet_constituents.UNITS.items()
            if column in network.columns
        )
    ]
    return (jets if any(_are_of_jets(found) for _, found in units) else []) + [
        f"the run does not say what {column} meant in training; the firmware counts it from the "
        f"{network.z0_origin}"
        for column in network.columns
        if column in _MAY_DIFFER and not any(column in found for _, found in units)
    ]


def require_no_vertex(network: Network, what: str) -> None:
    """Check that a network does without the z0 of the vertex, for which something has no place.

    Raises:
        ConversionError: If it reads z0 from the vertex.
    """
    if network.reads_vertex:
        raise ConversionError(
            f"{what} has no link for a vertex, and network {network.name!r} reads z0 from it. Wrap the "
            "streaming RTL (`l1met export ip`), whose port vertex_z0 takes it, or train without z0"
        )


def other_meanings(network: Network, run: RunFolder) -> Iterator[str]:
    """Yield a sentence for each column that meant something else in training, and where."""
    for sample, units in recorded_units(run):
        of_jets = _are_of_jets(units)
        for column in network.columns:
            origin = network.z0_origin if column == "z0" else "beam"
            known, unit = COLUMNS[column].count_unit_from(origin), units.get(column)
            if of_jets:  # the words are those of constituents
                known = jet_constituents.UNITS.get(column, known)
            if unit not in (None, known):
                yield (
                    f"column {column} of sample {sample!r} was in units of {unit!r}, the network's "
                    f"firmware has it in {known!r}"
                )


def _are_of_jets(units: Mapping[str, str]) -> bool:
    return any(units.get(name) == unit for name, unit in jet_constituents.UNITS.items())


def recorded_units(run: RunFolder) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the name of each training sample and its units by column, where they were recorded.

    Raises:
        RunFolderError: If ``training.json`` is damaged.
    """
    if not run.training.is_file():
        return
    for sample in read_training(run.training).samples:
        if sample.units is not None:
            yield sample.label, sample.units
