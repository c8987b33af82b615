"""Frames on links as the files of the board frameworks hold them: EMP (two versions) and APx.

Sources of the formats: the readers and writers of CMSSW ``L1Trigger/DemonstratorTools``
(``src/utilities.cc``), which test stands use. EMP version 1 has no marks of packets, only ``valid``.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConfigError, DataError

__all__ = ["FORMATS", "BoardData", "board_text", "read_board_data"]

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BoardData:
    """What stands on some links, frame by frame.

    Attributes:
        name: Name of the board or of who wrote the file.
        links: Link numbers.
        data: 64-bit words, uint64, shape (n_frames, n_links).
        valid: Whether a frame carries data, shape as ``data``.
        start: First frame of a packet.
        last: Last frame of a packet.
        start_of_orbit: First frame of the orbit's first packet.
        has_marks: False where the format knows ``valid`` alone (EMP version 1).
    """

    name: str
    links: tuple[int, ...]
    data: npt.NDArray[np.uint64]
    valid: Flags
    start: Flags
    last: Flags
    start_of_orbit: Flags
    has_marks: bool = True

    @classmethod
    def idle(cls, name: str, links: tuple[int, ...], n_frames: int) -> "BoardData":
        """Return frames without data; the arrays may be filled."""
        shape = (n_frames, len(links))
        valid, start, last, orbit = (np.zeros(shape, np.bool_) for _ in range(4))
        return cls(name, links, np.zeros(shape, np.uint64), valid, start, last, orbit)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.data)


def board_text(board: BoardData, file_format: str) -> str:
    """Return the text of a file.

    Raises:
        ConfigError: If there is no such format.
    """
    if file_format not in FORMATS:
        raise ConfigError(
            f"unknown format {file_format!r} of board files; choose from {list(FORMATS)}"
        )
    return "".join(f"{line}\n" for line in FORMATS[file_format].lines(board))


def read_board_data(path: Path) -> BoardData:
    """Read a file of any of the formats; its first line tells which one.

    Raises:
        DataError: If it is missing, of none of the formats, or a line is not as it should be; says
            which line.
    """
    try:
        text = path.read_text(encoding="ascii")
    except OSError as err:
        raise DataError(f"cannot read {path}: {err.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not text; expected {_FORMATS_IN_WORDS}") from None
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    for known in FORMATS.values():
        if lines and lines[0][1].startswith(known.begins):
            return known.read(_Lines(path, deque(lines)))
    first = repr(lines[0][1][:40]) if lines else "nothing"
    raise DataError(f"{path} begins with {first}; expected {_FORMATS_IN_WORDS}")


# -- lines ------------------------------------------------------------------------------------------


@dataclass
class _Lines:
    """Lines of a file that are not empty, with their numbers."""

    path: Path
    lines: deque[tuple[int, str]]

    def take(self, begins: str) -> str:
        """Return what follows ``begins`` in the next line.

        Raises:
            DataError: If the file ends or the line begins in another way.
        """
        while self.lines and self.lines[0][1].startswith("#") and not begins.startswith("#"):
            self.lines.popleft()  # a comment
        if not self.lines:
            raise DataError(f"{self.path} ends where a line {begins!r} should follow; it is cut")
        number, line = self.lines.popleft()
        if not line.startswith(begins):
            raise DataError(f"{self.path}, line {number}: expected {begins!r}, got {line[:40]!r}")
        return line[len(begins) :]

    def links(self, text: str, prefix: str = "") -> tuple[int, ...]:
        """Return the link numbers of a header line."""
        found = re.fullmatch(rf"(\s*{prefix}\d+)+\s*", text)
        if found is None:
            raise DataError(f"{self.path}: the line of link numbers reads {text.strip()!r}")
        return tuple(int(word.removeprefix(prefix)) for word in text.split())

    def frames(self, beginning: Callable[[int], str], links: int, token: str) -> Iterator[Any]:
        """Yield the matches of ``token``, one per link, of each frame.

        Raises:
            DataError: If a frame is missing or a line is not as it should be.
        """
        pattern = re.compile(rf"\s*{token}")
        frame = 0
        while self.lines:
            number, line = self.lines.popleft()
            if line.startswith("#"):
                continue
            where = f"{self.path}, line {number}"
            begins = beginning(frame)
            if not line.startswith(begins):
                raise DataError(
                    f"{where}: expected frame {frame} ({begins!r}), got {line[:20]!r}; a frame is "
                    "missing, or comes twice"
                )
            rest, found = line[len(begins) :], []
            while match := pattern.match(rest):
                found.append(match)
                rest = rest[match.end() :]
            if rest.strip() or len(found) != links:
                raise DataError(
                    f"{where}: frame {frame} has {len(found)} words that can be read, expected "
                    f"{links}, one per link; rest of the line: {rest.strip()[:30]!r}"
                )
            yield found
            frame += 1


def _board(
    name: str, links: tuple[int, ...], rows: list[list[tuple[int, int]]], *, has_marks: bool = True
) -> BoardData:
    """Put rows of (flags, word) together; flags: 1 valid, 2 start, 4 orbit, 8 last (as in APx)."""
    numbers = np.array(rows, dtype=np.uint64).reshape(len(rows), len(links), 2)
    flags, data = numbers[..., 0], numbers[..., 1]
    one = {name: (flags & np.uint64(bit)) != 0 for name, bit in _FLAGS.items()}
    return BoardData(name, links, data, has_marks=has_marks, **one)


_FLAGS: Final = {"valid": 1, "start": 2, "start_of_orbit": 4, "last": 8}


def _number(*bits: Flags) -> list[list[int]]:
    """Return numbers made of flags, the first one in the lowest bit."""
    total = np.zeros(bits[0].shape, np.int64)
    for place, bit in enumerate(bits):
        total |= bit.astype(np.int64) << place
    return [[int(number) for number in row] for row in total]


# -- formats ----------------------------------------------------------------------------------------


def _empv2_lines(board: BoardData) -> Iterator[str]:
    yield f"ID: {board.name}"
    yield "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid"
    yield ""
    yield "      Link  " + "".join(f"            {link:03d}        " for link in board.links)
    flags = _number(board.valid, board.last, board.start, board.start_of_orbit)
    for frame, (marks, words) in enumerate(zip(flags, board.data.tolist(), strict=True)):
        text = "".join(f"  {m:04b} {word:016x}" for m, word in zip(marks, words, strict=True))
        yield f"Frame {frame:04d}  {text}"


def _read_empv2(lines: _Lines) -> BoardData:
    name = lines.take("ID: ")
    lines.take("Metadata: (strobe,) start of orbit, start of packet, end of packet, valid")
    links = lines.links(lines.take("Link "))
    token = r"[01]?([01])([01])([01])([01]) ([0-9a-fA-F]{16})(?:\s+|$)"
    rows = []
    for matches in lines.frames(lambda frame: f"Frame {frame:04d}", len(links), token):
        row = []
        for match in matches:
            orbit, start, last, valid = (int(bit) for bit in match.groups()[:4])
            row.append((valid | start << 1 | orbit << 2 | last << 3, int(match[5], 16)))
        rows.append(row)
    return _board(name, links, rows)


def _empv1_lines(board: BoardData) -> Iterator[str]:
    yield f"Board {board.name}"
    quads = (f"         q{link // 4:02d}c{link % 4}       " for link in board.links)
    yield " Quad/Chan :" + "".join(quads)
    yield "      Link :" + "".join(f"          {link:03d}        " for link in board.links)
    flags = _number(board.valid)
    for frame, (marks, words) in enumerate(zip(flags, board.data.tolist(), strict=True)):
        text = "".join(f"   {m}v{word:016x}" for m, word in zip(marks, words, strict=True))
        yield f"Frame {frame:04d} :{text}"


def _read_empv1(lines: _Lines) -> BoardData:
    name = lines.take("Board ")
    lines.take("Quad/Chan :")
    links = lines.links(lines.take("Link :"))
    token = r"(?:[01]s)?([01])v([0-9a-fA-F]{16})(?:\s+|$)"
    rows = [
        [(int(match[1]), int(match[2], 16)) for match in matches]
        for matches in lines.frames(lambda frame: f"Frame {frame:04d} :", len(links), token)
    ]
    return _board(name, links, rows, has_marks=False)


def _apx_lines(board: BoardData) -> Iterator[str]:
    yield "#Sideband ON"
    yield "#LinkLabel" + "".join(f"                LINK_{link:02d}    " for link in board.links)
    yield "#BeginData"
    flags = _number(*(getattr(board, name) for name in _FLAGS))
    for frame, (marks, words) in enumerate(zip(flags, board.data.tolist(), strict=True)):
        text = "".join(f"    0x{m:02x} 0x{w:016x}" for m, w in zip(marks, words, strict=True))
        yield f"0x{frame:04x}{text}"


def _read_apx(lines: _Lines) -> BoardData:
    if lines.take("#Sideband ").strip() != "ON":
        raise DataError(f"{lines.path} has no sideband, so it says nothing of valid frames")
    links = lines.links(lines.take("#LinkLabel"), "LINK_")
    lines.take("#BeginData")
    token = r"0x([0-9a-fA-F]{1,2})\s+0x([0-9a-fA-F]{1,16})(?:\s+|$)"
    rows = [
        [(int(match[1], 16), int(match[2], 16)) for match in matches]
        for matches in lines.frames(lambda frame: f"0x{frame:04x}", len(links), token)
    ]
    return _board("APx", links, rows)


@dataclass(frozen=True, slots=True)
class _Format:
    begins: str
    lines: Callable[[BoardData], Iterator[str]]
    read: Callable[[_Lines], BoardData]


FORMATS: Final = {
    "empv2": _Format("ID: ", _empv2_lines, _read_empv2),
    "empv1": _Format("Board ", _empv1_lines, _read_empv1),
    "apx": _Format("#Sideband ", _apx_lines, _read_apx),
}
"""File formats by name."""
_FORMATS_IN_WORDS: Final = "a file of EMP version 2 ('ID: '), EMP version 1 ('Board ') or APx"
