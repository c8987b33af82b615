"""The per-candidate tracer as a da4ml ``dais_tracer`` plugin.

``da4ml.converter.trace_model(network)`` finds it through the entry point ``dais_tracer.plugins``.
"""

from collections.abc import Sequence

import numpy as np
from da4ml.converter.plugin import DAISTracerPluginBase
from da4ml.trace import FixedVariableArray

from l1met_fpga.firmware.rtl import graph
from l1met_fpga.firmware.rtl.nodes import Tensors, trace_nodes
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["NetworkTracer"]


class NetworkTracer(DAISTracerPluginBase):  # type: ignore[misc]
    """Traces what a :class:`~l1met_fpga.models.network.Network` computes for each candidate.

    Inputs are the columns that the perceptron reads, one integer each, in the network's order;
    outputs are the tensors that the pools read.
    """

    model: Network

    def get_input_shapes(self) -> Sequence[tuple[int, ...]]:
        """Return one scalar per column."""
        return [(1,) for _ in self._columns()]

    def _columns(self) -> list[net.InputColumn]:
        read = {name for node in graph.split(self.model).candidate for name in node.inputs}
        return [n for n in self.model if isinstance(n, net.InputColumn) and n.name in read]

    def apply_model(
        self, verbose: bool, inputs: tuple[FixedVariableArray, ...]
    ) -> tuple[dict[str, FixedVariableArray], list[str]]:
        """Trace all nodes up to the pools.

        Args:
            verbose: Not used; the trace says nothing.
            inputs: One array of one variable per column.

        Returns:
            Node name -> variables, and the names that the pools read.
        """
        del verbose
        parts = graph.split(self.model)
        tensors: Tensors = {}
        for node, array in zip(self._columns(), inputs, strict=True):
            kind = COLUMNS[node.column].type
            counts = array.quantize(*(np.array([bits]) for bits in kind.kif))
            tensors[node.name] = counts._vars
        known = trace_nodes(self.model, parts.candidate, tensors)
        arrays = {
            name: FixedVariableArray(found, self.solver_options, hwconf=self.hwconf)
            for name, found in known.items()
        }
        return arrays, list(dict.fromkeys(parts.summed(self.model)))
