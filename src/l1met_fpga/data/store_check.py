"""Whether the attributes and datasets of a store are what the program writes."""

from pathlib import Path

import h5py
import numpy as np

from l1met_fpga.data.attributes import FORMAT, SCHEMA_VERSION, checksum, convert_again, stored_text
from l1met_fpga.data.chunks import MAX_CHUNK_BYTES, ChunkReader, is_readable
from l1met_fpga.data.collection import CollectionReader
from l1met_fpga.data.layout import (
    BASELINES,
    CANDIDATES,
    ELEMENTS,
    EVENT_ID,
    JETS,
    N_BEFORE_CUT,
    N_PILEUP,
    PART,
    ROW_SPLITS,
    TRUTH,
    VERTEX,
    dataset_of,
)
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS, STORED_COLUMNS

__all__ = ["check_attributes", "check_collections", "check_examples"]

_REPACK = "use the file as it was made, or make it again with `l1met convert`"


def check_attributes(file: h5py.File, path: Path) -> None:
    """Refuse anything but a whole store of this schema version.

    Raises:
        DataError: Says how to get one.
    """
    kind = stored_text(file.attrs.get("format"))
    if kind != FORMAT:
        raise DataError(
            f"{path} is an HDF5 file but no store (no attribute format = {FORMAT!r}); convert it with "
            "`l1met convert`"
        )
    version = int(file.attrs["schema_version"])
    if version != SCHEMA_VERSION:
        again = convert_again(file.attrs, path)
        raise DataError(
            f"{path} has schema version {version}, this program reads version {SCHEMA_VERSION}; {again}"
        )
    if int(file.attrs["checksum"]) != checksum(file.attrs):
        raise DataError(
            f"{path}: the attributes do not match their checksum; the file is damaged or was changed, "
            "copy it again or make it again"
        )


def check_examples(file: h5py.File, path: Path, n_events: int) -> dict[str, ChunkReader]:
    """Return what has one row per event, by its name in :mod:`l1met_fpga.data.layout`.

    Raises:
        DataError: If one is missing or was changed.
    """
    names = [EVENT_ID, PART, N_BEFORE_CUT]
    names += [name for name in (VERTEX, N_PILEUP, *JETS, *ELEMENTS) if name in file]
    for group in (TRUTH, BASELINES):
        names += [f"{group}{name}" for name in file.get(group, ())]
    found = {}
    for name in names:
        shape, dtype = dataset_of(name)
        found[name] = _reader(file, path, name, (n_events, *shape), dtype)
    return found


def check_collections(file: h5py.File, path: Path, n_events: int) -> dict[str, CollectionReader]:
    """Return the collections of rows by name, ``candidates`` first.

    Raises:
        DataError: If there are no candidates, or a dataset is missing or was changed.
    """
    names = [name for name in file if name != CANDIDATES and ROW_SPLITS in _members(file, name)]
    return {name: _collection(file, path, name, n_events) for name in (CANDIDATES, *names)}


def _members(file: h5py.File, name: str) -> tuple[str, ...]:
    group = file[name]
    return tuple(group) if isinstance(group, h5py.Group) else ()


def _collection(file: h5py.File, path: Path, name: str, n_events: int) -> CollectionReader:
    splits = _reader(file, path, f"{name}/{ROW_SPLITS}", (n_events + 1,), "<i8")
    held = [column for column in _members(file, name) if column != ROW_SPLITS]
    if name == CANDIDATES:  # in the order of the hardware
        held = [column for column in STORED_COLUMNS if column in {*held, *REQUIRED_COLUMNS}]
    n_rows = None
    columns = {}
    for column in held:
        dataset = file.get(f"{name}/{column}")
        if n_rows is None and isinstance(dataset, h5py.Dataset):
            n_rows = int(dataset.shape[0])
        columns[column] = _reader(file, path, f"{name}/{column}", (n_rows or 0,), "<i2")
    if len({reader.length for reader in columns.values()}) > 1:
        raise DataError(
            f"{path}: the columns of {name} have chunks of different lengths; {_REPACK}"
        )
    return CollectionReader(columns, splits, path)


def _reader(
    file: h5py.File, path: Path, name: str, shape: tuple[int, ...], dtype: str
) -> ChunkReader:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise DataError(f"{path} has no dataset {name}; it was not made by this program")
    if dataset.shape != shape or dataset.dtype != np.dtype(dtype):
        raise DataError(
            f"{path}: dataset {name} is {dataset.dtype} {dataset.shape}, expected {dtype} "
            f"{shape}; the file was changed after it was made"
        )
    if not is_readable(dataset):
        raise DataError(
            f"{path}: dataset {name} has chunks {dataset.chunks} and compression "
            f"{dataset.compression!r}; read are chunks of whole rows up to "
            f"{MAX_CHUNK_BYTES >> 20} MiB, shuffled and compressed by gzip; {_REPACK}"
        )
    return ChunkReader(dataset)
