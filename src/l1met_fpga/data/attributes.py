"""What a store says about itself."""

import json
import shlex
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from l1met_fpga.config.data import Role
from l1met_fpga.data.roles import as_role

__all__ = [
    "CONVERSION_VERSION",
    "FORMAT",
    "SCHEMA_VERSION",
    "Attributes",
    "checksum",
    "convert_again",
    "read_attributes",
    "stored_text",
    "write_attributes",
]

FORMAT: Final = "l1met-store"
SCHEMA_VERSION: Final = 3
"""Layout of the file; a store of another version is refused."""
CONVERSION_VERSION: Final = 2
"""Rules of the readers: raised whenever the same source gives other numbers. Whatever keeps stores
or parts of stores for later holds both versions in its key."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a store says about itself.

    Attributes:
        label: Sample label.
        role: ``signal``, or ``background``: pile-up-only events, from which rates come and whose
            truths are zero.
        rows: What one example is: ``event``, ``jet`` or ``element``.
        order: Order policy of the candidates (``as_is``, ``pt``, ``region``).
        sources: One record per input file: path, size in bytes, SHA-256, events.
        counts: What happened to how many events or candidates (truncated, empty, ...).
        software: Versions of the programs that made the file.
        split_seed: Seed of the saved parts.
        split_fractions: Fractions of the saved parts.
        units: Unit of one count, by column, and what z0 is counted from; units of truths and of what
            else is known.
        content: Digest of all events (see :class:`~l1met_fpga.data.content.ContentHash`).
        conversion_version: :data:`CONVERSION_VERSION` of the program that made the file.
    """

    label: str
    role: Role
    rows: str
    order: str
    sources: list[dict[str, Any]]
    counts: dict[str, int]
    software: dict[str, str]
    split_seed: int
    split_fractions: tuple[float, float, float]
    units: dict[str, str]
    content: str
    conversion_version: int


def read_attributes(attrs: Mapping[str, Any], path: Path) -> Attributes:
    """Read what a store of this version says.

    Raises:
        DataError: If a value has no meaning.
    """
    attrs = {name: stored_text(value) for name, value in attrs.items()}
    fractions = [float(fraction) for fraction in attrs["split_fractions"]]
    return Attributes(
        label=str(attrs["label"]),
        role=as_role(str(attrs["role"]), where=f"{path}, attribute role"),
        rows=str(attrs["rows"]),
        order=str(attrs["order"]),
        sources=json.loads(attrs["sources"]),
        counts=json.loads(attrs["counts"]),
        software=json.loads(attrs["software"]),
        split_seed=int(attrs["split_seed"]),
        split_fractions=(fractions[0], fractions[1], fractions[2]),
        units=json.loads(attrs["units"]),
        content=str(attrs["content"]),
        conversion_version=int(attrs["conversion_version"]),
    )


def write_attributes(attrs: h5py.AttributeManager, attributes: Mapping[str, Any]) -> None:
    """Write a store's attributes with their checksum.

    Texts get their own length: HDF5 keeps those of variable length in a heap without checksums,
    and turns for ever in one that is damaged.
    """
    for name, value in {**attributes, "checksum": checksum(attributes)}.items():
        if isinstance(value, str):
            text = value.encode()
            attrs.create(name, text, dtype=h5py.string_dtype("utf-8", max(len(text), 1)))
        else:
            attrs[name] = value


def stored_text(value: Any) -> Any:
    """Return a value of an attribute, with text of either kind as ``str``."""
    return value.decode() if isinstance(value, bytes) else value


def checksum(attributes: Mapping[str, Any]) -> int:
    """Return the checksum of the attributes, those that HDF5 keeps without checksums too."""
    values = {
        name: value.tolist() if isinstance(value, np.ndarray | np.number) else stored_text(value)
        for name, value in attributes.items()
        if name != "checksum"
    }
    return zlib.crc32(json.dumps(values, sort_keys=True).encode())


def convert_again(attrs: Mapping[str, Any], path: Path) -> str:
    """Say how to get a store of this version, as far as the file tells."""
    if int(attrs["schema_version"]) > SCHEMA_VERSION:
        return "it was made by a newer l1met_fpga, install that one"
    again = "convert its sources again with"
    try:
        words = [str(source["path"]) for source in json.loads(attrs["sources"])]
        words += ["--label", stored_text(attrs["label"]), "--order", stored_text(attrs["order"])]
        words += ["--split-seed", str(int(attrs["split_seed"]))]
    except (KeyError, ValueError, TypeError):
        words = []
    if not words or words[0].startswith("--"):
        return f"{again} `l1met convert`"
    command = shlex.join(["l1met", "convert", *words, "--overwrite", "-o", str(path)])
    return f"{again} `{command}`"
