"""Input files: names, globs and URLs, their formats, sizes and checksums."""

import glob
import hashlib
import posixpath
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.addresses import XROOTD_SCHEMES, package_missing
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.signs import refuse_one_sign
from l1met_fpga.errors import ConfigError, DataError

__all__ = ["Source", "expand_sources", "read_source", "refuse_repeated_files"]

_SUFFIXES: Final = {
    ".root": "root",
    ".dump": "words",
    ".words": "words",
    ".bin": "words",
    ".h5": "l1metml",
    ".hdf5": "l1metml",
    ".npz": "l1deepmet",
}
_DEFAULT_PORTS: Final = dict.fromkeys(XROOTD_SCHEMES, 1094) | {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Source:
    """One input file.

    Attributes:
        path: File name or URL.
        format: ``root``, ``jets``, ``elements``, ``words``, ``l1metml`` or ``l1deepmet``.
    """

    path: str
    format: str

    @property
    def is_remote(self) -> bool:
        """Whether the path is a URL."""
        return "://" in self.path

    def absolute(self) -> "Source":
        """Return the same file by a name that holds in every folder."""
        return self if self.is_remote else Source(str(Path(self.path).resolve()), self.format)

    def stamp(self) -> list[int]:
        """Return size and time of change, by which a resumed conversion knows the file.

        Raises:
            DataError: If the file is missing.
        """
        if self.is_remote:
            return []
        try:
            stat = Path(self.path).stat()
        except OSError as err:
            raise DataError(f"cannot read {self.path}: {err.strerror}; check the path") from None
        return [stat.st_size, stat.st_mtime_ns]

    def sha256(self) -> str | None:
        """Return the checksum of a local file, None for a URL (it would be fetched twice).

        Raises:
            DataError: If the file cannot be read.
        """
        if self.is_remote:
            return None
        try:
            with Path(self.path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as err:
            raise DataError(
                f"cannot read {self.path}: {err.strerror}; check the path and its permissions"
            ) from None


def expand_sources(patterns: Sequence[str], file_format: str = "auto") -> list[Source]:
    """Find the files that names, globs and URLs stand for.

    Args:
        patterns: In the order given; the files of a glob are sorted by name.
        file_format: Format of all files, or ``auto`` to tell by the end of each name.

    Raises:
        DataError: If a name or glob matches nothing or a folder, a file is named twice, or a server
            cannot be asked.
        ConfigError: If the format cannot be told.
    """
    paths = [path for pattern in patterns for path in _matching(pattern)]
    refuse_repeated_files(paths)
    return [Source(path, _format_of(path, file_format)) for path in paths]


def _matching(pattern: str) -> list[str]:
    """Return the files that a name, glob or URL stands for, sorted."""
    scheme, separator, rest = pattern.partition("://")
    if separator and scheme.lower() == "file":  # known by its content, as any local file
        pattern = unquote(rest)
    elif separator:
        return _on_server(pattern) if _has_glob(pattern) else [pattern]
    if Path(pattern).is_file():
        return [pattern]
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (patterns may be absolute)
    if not found:
        raise DataError(f"no file matches {pattern}; check the path")
    folder = next((path for path in found if Path(path).is_dir()), None)
    if folder is not None:
        raise DataError(f"{folder} is a folder; name the files in it, for example {folder}/*.root")
    there = (path for path in found if Path(path).exists())
    odd = next((path for path in there if not Path(path).is_file()), None)
    if odd is not None:  # reading a pipe would wait for somebody who writes into it
        raise DataError(
            f"{odd} is no file that can be read from any place (a pipe?); copy it first"
        )
    return found


def _has_glob(url: str) -> bool:
    return any(sign in url.partition("://")[2].partition("?")[0] for sign in "*[")


def _on_server(pattern: str) -> list[str]:
    """Ask a server which of its files a glob stands for."""
    scheme, _, rest = pattern.partition("://")
    if scheme.lower() not in XROOTD_SCHEMES:
        raise DataError(f"{pattern}: globs are known for root:// servers only; name every file")
    import fsspec

    host = rest.partition("/")[0]
    try:
        files, path = fsspec.core.url_to_fs(pattern)
        found = sorted(str(name) for name in files.glob(path))
    except ImportError as err:
        raise DataError(f"cannot look for {pattern}: {package_missing(pattern, err)}") from err
    except OSError as err:
        raise DataError(
            f"cannot look for {pattern} ({' '.join(str(err).split())}); check the server, your "
            "credentials and the path"
        ) from err
    if not found:
        raise DataError(f"no file on the server matches {pattern}; check the path")
    return [f"{scheme}://{host}//{name.lstrip('/')}" for name in found]


def refuse_repeated_files(paths: Iterable[str | Path]) -> None:
    """Refuse two names of one file: another spelling, a link, or a URL written in another way.

    Args:
        paths: File names and URLs; files that do not exist are compared by name.

    Raises:
        DataError: If two of them are one file; names both.
    """
    known: dict[Hashable, str] = {}
    for path in map(str, paths):
        identity = _file_identity(path)
        if identity in known:
            first = known[identity]
            told = "given twice" if first == path else f"the same file as {first}"
            raise DataError(f"{path} is {told}; its events would be counted twice")
        known[identity] = path


def _file_identity(path: str) -> Hashable:
    """Return what two names of one file have in common."""
    scheme, separator, rest = path.partition("://")
    if separator and scheme.lower() != "file":
        return _normalised_url(path)
    local = Path(unquote(rest)) if separator else Path(path)
    try:
        stat = local.stat()
    except OSError:
        return str(local.absolute())
    return stat.st_dev, stat.st_ino


def _normalised_url(url: str) -> tuple[str, str | None, int | None, str, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise DataError(f"{url} is not a URL ({err}); check its spelling") from None
    scheme = parts.scheme.lower()
    xrootd = scheme in XROOTD_SCHEMES
    return (
        "root" if xrootd else scheme,
        parts.hostname,
        port or _DEFAULT_PORTS.get(scheme),
        posixpath.normpath(f"/{unquote(parts.path).lstrip('/')}"),
        # What follows the question mark tells an XRootD server how to serve, not what.
        "" if xrootd else parts.query,
    )


def _format_of(path: str, file_format: str) -> str:
    if file_format != "auto":
        return file_format
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ConfigError(
            f"cannot tell the format of {path} by its name (known ends: {', '.join(_SUFFIXES)}); "
            "give --format"
        )
    return _SUFFIXES[suffix]


def read_source(source: Source, config: ConvertConfig, tally: Counter[str]) -> Iterator[Examples]:
    """Read a file of any known format in steps (see the reader of each format).

    Raises:
        DataError: If the file is damaged or breaks a rule of its format.
    """
    batches = _batches(source, config, tally)
    # Words are what the hardware sends, whatever it is.
    return batches if source.format == "words" else refuse_one_sign(batches, source.path)


def _batches(source: Source, config: ConvertConfig, tally: Counter[str]) -> Iterator[Examples]:
    step = config.events_per_step
    if source.format == "root":
        from l1met_fpga.data.read_root import read_root

        return read_root(source.path, config.branch_map, step, tally)
    if source.format == "jets":
        from l1met_fpga.data.read_jets import read_jets

        return read_jets(source.path, step, tally)
    if source.format == "elements":
        from l1met_fpga.data.read_elements import read_elements

        return read_elements(source.path, tally)
    if source.is_remote:
        raise DataError(f"{source.path}: only ROOT files can be read from a URL; copy it first")
    path = Path(source.path)
    if source.format == "words":
        from l1met_fpga.data.read_words import read_words

        return read_words(path, step, tally)
    if source.format == "l1deepmet":
        from l1met_fpga.data.read_l1deepmet import read_l1deepmet

        return read_l1deepmet(path, step, tally)
    from l1met_fpga.data.read_l1metml import read_l1metml

    return read_l1metml(path, step, tally)
