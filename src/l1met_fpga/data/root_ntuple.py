"""Events stored as an RNTuple."""

import re
from collections.abc import Sequence
from typing import Any, Final

import awkward as ak
import numpy as np

from l1met_fpga.data.root_file import readable
from l1met_fpga.data.root_names import by_name
from l1met_fpga.errors import DataError

__all__ = ["NTuple"]

_CHAR: Final = re.compile(r"(?:^|<)char(?:$|>)")


class NTuple:
    """An RNTuple as :class:`l1met_fpga.data.root_table.Table`."""

    def __init__(self, ntuple: Any, path: str) -> None:
        self._path = path
        self.n_events = int(ntuple.num_entries)
        self._fields = by_name((name, ntuple[name]) for name in ntuple.keys(recursive=True))
        # Columns that begin after the first event; what lies before is read as zeros.
        late = {c.field_id for c in ntuple.column_records if c.first_element_index > 0}
        self._late = [ntuple.field_records[number] for number in late]
        self._ends = [
            int(cluster.num_first_entry + cluster.num_entries)
            for cluster in ntuple.cluster_summaries
        ]
        self.names = frozenset(self._fields)

    def check(self, names: Sequence[str]) -> None:
        """Refuse branches that cannot be read, or not for every event."""
        for name in names:
            lineage = _lineage(self._fields[name])
            kinds = [str(field.typename or "") for field in lineage]
            # uproot repeats the values of a variant's first cluster.
            variants = [kind for kind in kinds if "variant" in kind]
            if variants:
                raise DataError(
                    f"{self._path}: field {name} is of type {variants[0]}, which is not supported; "
                    "write it as numbers, std::array or std::vector of float or int"
                )
            if any(field.record is late for field in lineage for late in self._late):
                raise DataError(
                    f"{self._path}: field {name} has no values for the first events (it was added "
                    "while the file was written); write the file again"
                )

    def ends(self, _name: str, /) -> list[int]:
        """Return where the compressed blocks of a branch end, in events."""
        return self._ends

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        """Return the values of branches for events ``start`` to ``stop``."""
        with readable(self._path):
            return {name: _array(self._fields[name], start, stop) for name in names}


def _array(field: Any, start: int, stop: int) -> ak.Array:
    array = field.array(entry_start=start, entry_stop=stop)
    # uproot takes the bytes of char without their sign.
    is_char = _CHAR.search(str(field.typename or "")) is not None
    return ak.values_astype(array, np.int8) if is_char else array


def _lineage(field: Any) -> list[Any]:
    """Return a field and the fields that it is a member of."""
    found = [field]
    while not found[-1].top_level:
        found.append(found[-1].parent)
    return found
