"""A file for HDF5 to write into that never fails while HDF5 holds it.

When HDF5 cannot write (full disk, quota), closing the file crashes the whole process. So the
first error is kept here, further writes are dropped, and whoever made the file raises the error
when HDF5 is out of the way. The file is good for nothing then and must be removed.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["GuardedFile"]


class GuardedFile:
    """A new file; use it as a context manager, hand it to ``h5py.File`` and call :meth:`check`.

    Args:
        path: File to make or empty.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def check(self) -> None:
        """Raise the first error of the past, if any.

        Raises:
            OSError: What the system said.
        """
        if self._error is not None:
            raise self._error

    def write(self, data: memoryview) -> int:
        """Write all bytes, or drop them after an error."""
        left = memoryview(data)
        try:
            while self._error is None and len(left):
                left = left[self._file.write(left) :]
        except OSError as err:
            self._error = err
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Change the size of the file."""
        try:
            if self._error is None:
                return self._file.truncate(size)
        except OSError as err:
            self._error = err
        return size or 0

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        return self._file.read(size) or b""

    def readinto(self, buffer: memoryview) -> int:
        """Read into a buffer."""
        return self._file.readinto(buffer) or 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def flush(self) -> None:
        """Nothing waits in memory."""
