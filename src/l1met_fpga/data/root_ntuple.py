"""Events stored as an RNTuple."""

from collections.abc import Sequence
from typing import Any

import awkward as ak

from l1met_fpga.data.root_file import readable
from l1met_fpga.data.root_names import by_name
from l1met_fpga.errors import DataError

__all__ = ["NTuple"]


class NTuple:
    """An RNTuple as :class:`l1met_fpga.data.root_table.Table`."""

    def __init__(self, ntuple: Any, path: str) -> None:
        self._path = path
        self.n_events = int(ntuple.num_entries)
        self._fields = by_name((name, ntuple[name]) for name in ntuple.keys(recursive=True))
        self._ends = [
            int(cluster.num_first_entry + cluster.num_entries)
            for cluster in ntuple.cluster_summaries
        ]
        self.names = frozenset(self._fields)

    def check(self, names: Sequence[str]) -> None:
        """Refuse branches that cannot be read, or not for every event."""
        for name in names:
            kind = str(self._fields[name].typename or "")
            # uproot repeats the values of a variant's first cluster.
            if "variant" in kind:
                raise DataError(
                    f"{self._path}: field {name} is of type {kind}, which is not supported; write "
                    "it as numbers, std::array or std::vector of float or int"
                )

    def ends(self, _name: str, /) -> list[int]:
        """Return where the compressed blocks of a branch end, in events."""
        return self._ends

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        """Return the values of branches for events ``start`` to ``stop``."""
        with readable(self._path):
            return {
                name: self._fields[name].array(entry_start=start, entry_stop=stop) for name in names
            }
