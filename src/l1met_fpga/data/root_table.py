"""The events of a ROOT file, whichever way they are stored: one interface for TTree and RNTuple."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Protocol

import awkward as ak
import uproot

from l1met_fpga.data.branch_choice import nearest
from l1met_fpga.data.root_file import fast_zlib, opened, readable
from l1met_fpga.data.root_packed import Packing
from l1met_fpga.errors import DataError

__all__ = ["Table", "open_table", "steps"]

Arrays = dict[str, ak.Array]

_LARGEST_STEP: Final = 65536
"""Events; about 400 MiB of temporary arrays."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_NTUPLE: Final = "ROOT::RNTuple"
_KINDS: Final = ("TTree", "TNtuple", "TNtupleD", _NTUPLE)
_UNKNOWN_TYPE: Final = (
    uproot.interpretation.identify.UnknownInterpretation,
    uproot.interpretation.objects.CannotBeAwkward,
    NotImplementedError,
    ValueError,
)


class Table(Protocol):
    """Events with named branches.

    Attributes:
        n_events: Number of events.
        names: Branches that can be asked for; members of objects as ``OBJECT.MEMBER`` and, if
            there is no such branch, as ``OBJECT_MEMBER``.
    """

    n_events: int
    names: frozenset[str]

    def check(self, names: Sequence[str]) -> None:
        """Refuse branches that cannot be read, or not for every event.

        Raises:
            DataError: If there is one; names it and says why.
        """

    def ends(self, name: str, /) -> list[int]:
        """Return where the compressed blocks of a branch end, in events."""

    def read(self, names: Sequence[str], start: int, stop: int) -> Arrays:
        """Return the values of branches for events ``start`` to ``stop``."""


@contextmanager
def open_table(path: str, tree: str) -> Iterator[Table]:
    """Open the TTree or RNTuple of a file.

    Args:
        path: File name or URL.
        tree: Name of it, with folders.

    Raises:
        DataError: If the file cannot be read or has no such tree.
    """
    with ExitStack() as stack:
        file = stack.enter_context(opened(path))
        with readable(path):
            classes = file.classnames(cycle=False)
            has_friends = "TFriendElement" in file.file.streamers
        _refuse_other_kinds(classes, tree, path)
        if has_friends:
            file = stack.enter_context(opened(path, all_metadata=True))
        with readable(path):
            if classes[tree] == _NTUPLE:
                table: Table = _NTuple(file[tree], path)
            else:
                table = _Tree(file[tree], path, _friends(file, tree, path) if has_friends else [])
        yield table


def _refuse_other_kinds(classes: Mapping[str, str], tree: str, path: str) -> None:
    if tree not in classes:
        trees = [name for name, kind in classes.items() if kind in _KINDS]
        has = f"it has {', '.join(trees)}" if trees else "it has no tree at all"
        raise DataError(
            f"{path} has no tree {tree}{nearest(tree, trees)}; {has}, name the right one in a "
            "branch map (--branch-map)"
        )
    if classes[tree] not in _KINDS:
        raise DataError(f"{path}: {tree} is a {classes[tree]}; a TTree or RNTuple is needed")


def steps(n_events: int, ends: Sequence[int], target: int) -> list[tuple[int, int]]:
    """Divide the events into steps that end where a compressed block of the file ends.

    A block in two steps is decompressed twice. Larger blocks than ``_LARGEST_STEP`` are cut all
    the same, for memory.
    """
    found, start = [], 0
    while start < n_events:
        # The last block's end within the target, or else the next one, or else a cut.
        place = bisect_right(ends, start + target) - 1
        if place < 0 or ends[place] <= start:
            place += 1
        stop = ends[place] if place < len(ends) else n_events
        stop = min(stop, start + max(target, _LARGEST_STEP), n_events)
        found.append((start, stop))
        start = stop
    return found


def _by_name(entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return branches by name; members of objects also by names with underscores.

    A name that two members share stands for none of them.
    """
    entries = list(entries)
    often = Counter(name for name, _ in entries)
    found = {name: branch for name, branch in entries if often[name] == 1}
    flat = [(re.sub(r"[./]+", "_", name), branch) for name, branch in found.items()]
    often = Counter(name for name, _ in flat)
    return {name: branch for name, branch in flat if often[name] == 1} | found


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
    return _by_name(inner) | {branch.name: _Column(branch) for branch in tree.branches}


class _Tree:
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
            if n_entries != self.n_events:
                raise DataError(
                    f"{self._path}: {name} has {n_entries} entries, the tree {self.n_events}; it was "
                    "not filled for every event, write the file again"
                )

    def ends(self, name: str, /) -> list[int]:
        with readable(self._path):
            return [int(offset) for offset in self._columns[name].branch.entry_offsets[1:]]

    def read(self, names: Sequence[str], start: int, stop: int) -> Arrays:
        with readable(self._path), fast_zlib():
            packings = {name: Packing.of(self._columns[name].branch) for name in names}
            together = [
                name
                for name in names
                if name in self._own and _PLAIN_NAME.fullmatch(name) and packings[name] is None
            ]
            arrays: Arrays = self._tree.arrays(
                together, entry_start=start, entry_stop=stop, library="ak", how=dict, aliases={}
            )
            for name in set(names) - set(together):
                arrays[name] = self._columns[name].array(packings[name], start, stop)
            return arrays


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


def _friends(file: Any, tree: str, path: str) -> list[Any]:
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


class _NTuple:
    def __init__(self, ntuple: Any, path: str) -> None:
        self._path = path
        self.n_events = int(ntuple.num_entries)
        self._fields = _by_name((name, ntuple[name]) for name in ntuple.keys(recursive=True))
        self._ends = [
            int(cluster.num_first_entry + cluster.num_entries)
            for cluster in ntuple.cluster_summaries
        ]
        self.names = frozenset(self._fields)

    def check(self, names: Sequence[str]) -> None:
        for name in names:
            kind = str(self._fields[name].typename or "")
            # uproot repeats the values of a variant's first cluster.
            if "variant" in kind:
                raise DataError(
                    f"{self._path}: field {name} is of type {kind}, which is not supported; write "
                    "it as numbers, std::array or std::vector of float or int"
                )

    def ends(self, _name: str, /) -> list[int]:
        return self._ends

    def read(self, names: Sequence[str], start: int, stop: int) -> Arrays:
        with readable(self._path):
            return {
                name: self._fields[name].array(entry_start=start, entry_stop=stop) for name in names
            }
