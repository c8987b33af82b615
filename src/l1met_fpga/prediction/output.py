"""Files of predictions, written block by block: NumPy, Parquet, ROOT."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConfigError
from l1met_fpga.files import atomic_path

__all__ = ["SUFFIXES", "Append", "open_output", "require_writable"]

Columns = Mapping[str, npt.NDArray[Any]]
Append = Callable[[Columns], None]
"""Takes the next events: arrays of one length by column name, the same names and types each time."""

SUFFIXES: Final = (".npz", ".parquet", ".root")
TREE: Final = "Events"


def require_writable(output: Path, *, rntuple: bool) -> None:
    """Refuse an output that could not be written, before any event is read.

    Raises:
        ConfigError: If its kind is not known, or needs a package that is not there.
    """
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"cannot tell what to write to {output} by its name; end it with {', '.join(SUFFIXES)}"
        )
    if rntuple and suffix != ".root":
        raise ConfigError(f"an RNTuple is written to a .root file, not to {output}")
    if suffix == ".parquet":
        _pyarrow(output)


@contextmanager
def open_output(
    output: Path, types: Mapping[str, npt.DTypeLike], *, title: str, rntuple: bool = False
) -> Iterator[Append]:
    """Yield the function that appends events to a file, which appears when the block ends well.

    Args:
        output: ``.npz`` (one array per column), ``.parquet``, or ``.root``.
        types: NumPy type by column name, in the order of the file.
        title: Said in the file, where its format has room (not in ``.npz``).
        rntuple: Write an RNTuple instead of a TTree, both called ``Events``.

    Raises:
        ConfigError: As :func:`require_writable`.
        OSError: If the file cannot be written.
    """
    require_writable(output, rntuple=rntuple)
    named = {name: np.dtype(kind) for name, kind in types.items()}
    with atomic_path(output) as temporary, _writer(temporary, named, title, rntuple) as append:
        yield append


def _writer(
    path: Path, types: Mapping[str, np.dtype[Any]], title: str, rntuple: bool
) -> AbstractContextManager[Append]:
    match path.suffix.lower():
        case ".npz":
            return _npz(path, types)
        case ".parquet":
            return _parquet(path, types, title)
        case _:
            return _root(path, types, title, rntuple)


@contextmanager
def _npz(path: Path, types: Mapping[str, np.dtype[Any]]) -> Iterator[Append]:
    """Collect every column in a file of its own: an archive takes its members one by one."""
    n_events = 0
    with tempfile.TemporaryDirectory(prefix=".l1met-", dir=path.parent) as name:
        parts = {column: Path(name) / f"{i}.part" for i, column in enumerate(types)}

        def append(columns: Columns) -> None:
            nonlocal n_events
            for column, kind in types.items():
                with parts[column].open("ab") as file:
                    file.write(np.ascontiguousarray(columns[column], kind).data)
            n_events += len(columns[next(iter(types))])

        yield append
        with zipfile.ZipFile(path, "w") as archive:
            for column, kind in types.items():
                with archive.open(f"{column}.npy", "w", force_zip64=True) as member:
                    _copy_column(member, parts[column], kind, n_events)


def _copy_column(member: IO[bytes], part: Path, kind: np.dtype[Any], n_events: int) -> None:
    header = {"descr": kind.str, "fortran_order": False, "shape": (n_events,)}
    np.lib.format.write_array_header_1_0(member, header)
    if part.is_file():
        with part.open("rb") as file:
            shutil.copyfileobj(file, member, 1 << 20)


@contextmanager
def _parquet(path: Path, types: Mapping[str, np.dtype[Any]], title: str) -> Iterator[Append]:
    arrow, parquet = _pyarrow(path)
    fields = [arrow.field(name, arrow.from_numpy_dtype(kind)) for name, kind in types.items()]
    schema = arrow.schema(fields, metadata={"title": title})
    with parquet.ParquetWriter(path, schema) as writer:
        yield lambda columns: writer.write_table(
            arrow.table([arrow.array(columns[name]) for name in types], schema=schema)
        )


def _pyarrow(path: Path) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(
            f"{path.name} needs pyarrow, which is not installed; install l1met_fpga[parquet], or "
            "write .npz or .root"
        ) from None
    return pyarrow, parquet


@contextmanager
def _root(
    path: Path, types: Mapping[str, np.dtype[Any]], title: str, rntuple: bool
) -> Iterator[Append]:
    import uproot

    with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
        make = file.mkrntuple if rntuple else file.mktree
        table = make(TREE, dict(types), title)
        yield lambda columns: table.extend({name: columns[name] for name in types})
