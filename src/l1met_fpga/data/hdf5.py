"""Open HDF5 files for reading, whoever else has them open and whatever the file system can lock.

Files that are only read need no lock: stores appear whole and never change. And a program that has
a file open for writing marks it in its first bytes, as does one that died so; HDF5 refuses such a
file even without locks. The mark says nothing about the content, which has checksums of its own.
"""

import errno
import os
import weakref
from pathlib import Path
from typing import Final

import h5py

__all__ = ["lookup3", "open_hdf5"]

_NO_MATTER: Final = ("already open for write", "unable to lock file")
"""What HDF5 says where a file is marked, or locked although no lock was asked for."""
_VERSION_AT, _FLAGS_AT, _CHECKSUM_AT, _SUPERBLOCK_BYTES = 8, 11, 44, 48
"""Superblock of version 3 with addresses of 8 bytes (HDF5 file format specification, II.A)."""
_WORD: Final = 0xFFFFFFFF


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading.

    Raises:
        OSError: With ``errno`` None if the file is no HDF5 file or damaged; otherwise what the
            system said.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # HDF5 would wait for its writer
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE), str(path))
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as err:
        if not any(reason in str(err) for reason in _NO_MATTER):
            raise
    return h5py.File(_Unmarked(path), "r")


class _Unmarked:
    """A file whose superblock shows no writer, as the object that h5py reads from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        self._size = os.fstat(self._handle).st_size
        self._place = 0
        self._start = _without_mark(os.pread(self._handle, _SUPERBLOCK_BYTES, 0))

    def __repr__(self) -> str:
        return str(self._path)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:
        view = memoryview(buffer).cast("B")
        n = os.preadv(self._handle, [view], self._place)
        shown = self._start[self._place : self._place + n]
        view[: len(shown)] = shown
        self._place += n
        return n

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(memoryview(buffer))])


def _without_mark(superblock: bytes) -> bytes:
    """Clear the marks of a writer; a superblock that is damaged or of another version stays."""
    checksum = superblock[_CHECKSUM_AT:]
    if superblock[_VERSION_AT] != 3 or checksum != _checksum(superblock[:_CHECKSUM_AT]):
        return superblock
    changed = bytearray(superblock[:_CHECKSUM_AT])
    changed[_FLAGS_AT] = 0
    return bytes(changed) + _checksum(changed)


def _checksum(data: bytes | bytearray) -> bytes:
    return lookup3(data).to_bytes(4, "little")


def lookup3(data: bytes | bytearray) -> int:
    """Return the checksum of HDF5's metadata: ``hashlittle`` of Bob Jenkins' lookup3 (2006)."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    blocks = [data[k : k + 12].ljust(12, b"\0") for k in range(0, len(data), 12)]
    for index, block in enumerate(blocks):
        words = [int.from_bytes(block[k : k + 4], "little") for k in (0, 4, 8)]
        a, b, c = ((x + w) & _WORD for x, w in zip((a, b, c), words, strict=True))
        a, b, c = _mixed(a, b, c) if index < len(blocks) - 1 else _final(a, b, c)
    return c


def _turned(word: int, n: int) -> int:
    return ((word << n) | (word >> (32 - n))) & _WORD


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for n in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & _WORD) ^ _turned(c, n)
        c = (c + b) & _WORD
        a, b, c = b, c, a
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int, int]:
    for n in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, n)) & _WORD
        a, b, c = b, c, a
    return c, a, b
