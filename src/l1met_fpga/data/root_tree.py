"""Events stored as a TTree."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import awkward as ak
import uproot

from l1met_fpga.data.root_file import fast_zlib, readable
from l1met_fpga.data.root_names import by_name
from l1met_fpga.data.root_packed import Packing
from l1met_fpga.errors import DataError

__all__ = ["Tree", "friends_of"]

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_UNKNOWN_TYPE: Final = (
    uproot.interpretation.identify.UnknownInterpretation,
    uproot.interpretation.objects.CannotBeAwkward,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A branch, or one leaf of a branch that has several."""

    branch: Any
    leaf: str | None = None

    def array(self, packing: Packing | None, start: int, stop: int) -> ak.Array:
        interpretation = packing.interpretation if packing else None
        values = self.branch.array(
            interpretation=interpretation, entry_start=start, entry_stop=stop, library="ak"
        )
        if self.leaf is not None:
            return values[self.leaf]
        return packing.unpacked(values) if packing else values


def _columns(tree: Any) -> dict[str, _Column]:
    inner: list[tuple[str, _Column]] = []
    for branch in tree.itervalues(recursive=True):
        inner.append((branch.name, _Column(branch)))
        leaves = branch.member("fLeaves")
        if len(leaves) > 1:
            names = [str(leaf.member("fName")) for leaf in leaves]
            inner += [(f"{branch.name}.{leaf}", _Column(branch, leaf)) for leaf in names]
    return by_name(inner) | {branch.name: _Column(branch) for branch in tree.branches}


class Tree:
    """A TTree as :class:`l1met_fpga.data.root_table.Table`.

    Args:
        tree: uproot's TTree.
        path: File name for messages.
        friends: Friend trees whose branches count as the tree's own.
    """

    def __init__(self, tree: Any, path: str, friends: Sequence[Any]) -> None:
        self._tree = tree
        self._path = path
        self.n_events = int(tree.num_entries)
        self._columns: dict[str, _Column] = {}
        for owner in (*reversed(friends), tree):  # the tree's own branches come first
            self._columns |= _columns(owner)
        self.names = frozenset(self._columns)
        self._own = {branch.name for branch in tree.branches}

    def check(self, names: Sequence[str]) -> None:
        """Refuse branches that cannot be read, or not for every event."""
        for name in names:
            with readable(self._path):
                column = self._columns[name]
                n_entries = int(column.branch.num_entries)
                kind = _unsupported(column)
            if kind is not None:
                raise DataError(
                    f"{self._path}: branch {name} is of type {kind}, which is not supported; write "
                    "it as numbers, arrays or std::vector of float or int"
                )
            if _lacks_offsets(column.branch):
                raise DataError(
                    f"{self._path}: branch {name} was written without the places of its events "
                    "(kGenerateOffsetMap), which is not supported; write it without that feature"
                )
            if n_entries != self.n_events:
                raise DataError(
                    f"{self._path}: {name} has {n_entries} entries, the tree {self.n_events}; it was "
                    "not filled for every event, write the file again"
                )

    def ends(self, name: str, /) -> list[int]:
        """Return where the compressed blocks of a branch end, in events."""
        with readable(self._path):
            return [int(offset) for offset in self._columns[name].branch.entry_offsets[1:]]

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        """Return the values of branches for events ``start`` to ``stop``."""
        with readable(self._path), fast_zlib():
            packings = {name: Packing.of(self._columns[name].branch) for name in names}
            together = [
                name
                for name in names
                if name in self._own and _PLAIN_NAME.fullmatch(name) and packings[name] is None
            ]
            arrays: dict[str, ak.Array] = self._tree.arrays(
                together, entry_start=start, entry_stop=stop, library="ak", how=dict, aliases={}
            )
            for name in set(names) - set(together):
                arrays[name] = self._columns[name].array(packings[name], start, stop)
            return arrays


def _lacks_offsets(branch: Any) -> bool:
    """Tell whether uproot would take one compressed block for a few events."""
    leaves = branch.member("fLeaves")
    if len(leaves) == 0 or leaves[0].member("fLeafCount") is None:
        return False
    if not branch.has_member("fIOFeatures"):
        return False
    features = int(branch.member("fIOFeatures").member("fIOBits"))
    return bool(features & int(uproot.const.kGenerateOffsetMap))


def _unsupported(column: _Column) -> str | None:
    """Return the type of a branch that cannot be read, None for others."""
    branch = column.branch
    try:
        if Packing.of(branch) is None:
            form = branch.interpretation.awkward_form(branch.file)
            if _innermost(form if column.leaf is None else form.content(column.leaf)) is None:
                return _type_name(branch)
    except _UNKNOWN_TYPE:
        return _type_name(branch)
    return None


def _innermost(form: Any) -> Any:
    """Return the form of the numbers in lists, None if there are other things in them."""
    while isinstance(form, ak.forms.ListOffsetForm | ak.forms.RegularForm):
        form = form.content
    is_numbers = isinstance(form, ak.forms.NumpyForm) and "__array__" not in form.parameters
    return form if is_numbers else None


def _type_name(branch: Any) -> str:
    leaf = branch.member("fLeaves")[0] if len(branch.member("fLeaves")) else None
    own = branch.member("fClassName", none_if_missing=True)
    return str(own or (branch.title if leaf is None else f"{leaf.classname} ({branch.title})"))


def friends_of(file: Any, tree: str, path: str) -> list[Any]:
    """Return the friend trees of a tree that lie in the same file, event for event.

    Raises:
        DataError: If there is another friend.
    """
    found = []
    for friend in file[tree].member("fFriends") or ():
        name, other = str(friend.member("fTreeName")), str(friend.member("fTitle"))
        if other and PurePath(other).name != PurePath(path).name:
            raise _no_friend(path, tree, f"{name} in {other}", "lies in another file")
        if name not in file.keys(cycle=False):
            raise _no_friend(path, tree, name, "is not in the file")
        if file[name].member("fTreeIndex") is not None:
            raise _no_friend(path, tree, name, "is matched by an index")
        found.append(file[name])
    return found


def _no_friend(path: str, tree: str, friend: str, reason: str) -> DataError:
    return DataError(
        f"{path}: tree {tree} has the friend tree {friend}, which {reason} and cannot be read; write "
        "one tree with the branches of both (RDataFrame::Snapshot)"
    )
