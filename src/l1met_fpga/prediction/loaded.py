"""A trained network in Python: ask it for what it gives, look at it."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConfigError, ConversionError, DataError, RunFolderError
from l1met_fpga.firmware.check import Form
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.meaning import recorded_units
from l1met_fpga.models.network import Network
from l1met_fpga.models.network_of_run import network_of
from l1met_fpga.prediction.arrays import candidates_of
from l1met_fpga.prediction.forms import form_of
from l1met_fpga.prediction.met import Met
from l1met_fpga.prediction.response import response_sentence
from l1met_fpga.prediction.text import network_html, network_text
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.shipped import shipped_networks

__all__ = ["LoadedNetwork", "load"]

FloatArray = npt.NDArray[np.float64]


class LoadedNetwork:
    """A trained network.

    Attributes:
        network: The integer network: nodes, types, weights.
        run: The run folder it is from; None for a ``network.json`` that lies elsewhere.
    """

    def __init__(self, network: Network, run: RunFolder | None = None) -> None:
        self.network = network
        self.run = run
        self._forms: dict[str, Form] = {}

    def predict(self, events: Any, *, form: str = "int64") -> Met:
        """Return the vector of events: MET of a network that gives MET.

        Args:
            events: Hardware integers, as an awkward array (records with a field per column, or
                64-bit words), as NumPy columns by name, shape (n_events, n_slots), zero in empty
                slots, or as uint64 words of that shape. Columns mean what they meant in training.
            form: ``int64``, ``keras`` or ``cpp``; the codes are the same.

        Raises:
            DataError: If the events have another form, lack a column that the network reads, or
                hold a value that is no code of its column.
            ConfigError: If there is no such form of this network, or it gives no vector.
            ToolMissingError: If ``cpp`` is asked for without g++.
        """
        head = gt_head(self.network)
        if head is None:
            raise ConfigError(
                f"network {self.network.name!r} gives {[h.name for h in self.network.heads]} and no "
                "vector in GeV; ask it with predict_heads(events)"
            )
        candidates = candidates_of(events, self.network)
        return Met(self.form(form)(candidates)[head.name], self.network.type_of(head.name))

    def predict_heads(self, events: Any, *, form: str = "int64") -> dict[str, FloatArray]:
        """Return everything that the network gives, by the name of the head.

        Args:
            events: As for :meth:`predict`.
            form: ``int64``, ``keras`` or ``cpp``; the values are the same.

        Returns:
            Head -> values in its unit, float64, shape (n_events, numbers of the head); exact.

        Raises:
            DataError: As :meth:`predict`.
            ConfigError: If there is no such form of this network.
            ToolMissingError: If ``cpp`` is asked for without g++.
        """
        return self.network.values(self.form(form)(candidates_of(events, self.network)))

    def form(self, name: str) -> Form:
        """Return a form of the network: candidates in, codes by head out.

        Raises:
            ConfigError: If there is no such form of this network.
        """
        if name not in self._forms:
            self._forms[name] = form_of(name, self.network, self.run)
        return self._forms[name]

    @property
    def units(self) -> dict[str, str]:
        """Unit of one count in training, of the columns for which the run or the network says it.

        Raises:
            DataError: If the training samples had different ones.
        """
        found: dict[str, str] = {}
        for _, units in recorded_units(self.run) if self.run is not None else ():
            for column in self.network.columns:
                unit = units.get(column)
                if unit is not None and found.setdefault(column, unit) != unit:
                    raise DataError(
                        f"the network was trained with {column} in units of {found[column]!r} and "
                        f"of {unit!r}, so no input fits it; convert the samples alike and train again"
                    )
        if self.network.reads_vertex:
            found.setdefault("z0", COLUMNS["z0"].count_unit_from("vertex"))
        return found

    @property
    def response(self) -> str:
        """What is known of the mean response, in a sentence."""
        return response_sentence(self.network, self.run)

    @cached_property
    def luts(self) -> dict[str, float]:
        """LUTs of each node as streaming firmware, counted before any synthesis.

        What belongs to no node (taking candidates, the word for the global trigger) stands under a
        name of its own; the sum is the estimate of the report.

        Raises:
            ConversionError: If the network cannot stream.
            ConfigError: If the run's ``config.yaml`` cannot be read.
        """
        from l1met_fpga.config.rtl import RtlConfig
        from l1met_fpga.config.run import load_run
        from l1met_fpga.firmware.rtl.design import build_design
        from l1met_fpga.firmware.rtl.estimate import luts_by_node

        recipe = None if self.run is None else self.run.config
        config = RtlConfig() if recipe is None or not recipe.is_file() else load_run(recipe).rtl
        return luts_by_node(build_design(self.network, config))

    def _counted(self) -> tuple[dict[str, float], str]:
        """Return the LUTs and what they are; none, and why, of a network that cannot stream."""
        try:
            luts = self.luts
        except (ConversionError, ConfigError) as err:
            return {}, f"LUTs are not counted: {err}"
        return luts, f"about {sum(luts.values()):,.0f} LUT as streaming firmware, before synthesis"

    def __repr__(self) -> str:
        return network_text(self.network, *self._counted())

    def _repr_html_(self) -> str:
        return network_html(self.network, *self._counted())


def load(source: str | Path) -> LoadedNetwork:
    """Load a trained network.

    Args:
        source: A run folder, a ``network.json``, or the name of a shipped network (``deepset``).

    Raises:
        RunFolderError: If there is none; names the shipped ones.
        ConversionError: If the file does not describe a network.
    """
    path, shipped = Path(source), shipped_networks()
    if path.is_file():
        return LoadedNetwork(Network.load(path), RunFolder.holding(path))
    if not path.exists():
        if str(source) not in shipped:
            raise RunFolderError(
                f"there is no run folder or network.json {source}, and no shipped network of that "
                f"name; shipped are {', '.join(shipped)}"
            )
        path = shipped[str(source)]
    run = RunFolder.open(path)
    return LoadedNetwork(network_of(run), run)
