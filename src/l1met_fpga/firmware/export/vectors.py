"""Test vectors for boards: input words and expected output frames of events, and the comparison."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import BitExactnessError, ConversionError, DataError
from l1met_fpga.files import MARK, read_json
from l1met_fpga.firmware.export.board_data import (
    BoardData,
    board_text,
    read_board_data,
)
from l1met_fpga.firmware.export.rendering import write_folder
from l1met_fpga.firmware.gt_head import require_gt_head
from l1met_fpga.firmware.meaning import require_no_vertex
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.firmware.rtl.cordic import gt_words
from l1met_fpga.identity import require_same
from l1met_fpga.models.network import Network
from l1met_fpga.puppi import gt_word
from l1met_fpga.puppi.words import unpack

__all__ = [
    "FRAMES_PER_EVENT",
    "TIME_MULTIPLEXING",
    "Comparison",
    "LinkMap",
    "compare_capture",
    "events_of_input",
    "expected_output",
    "export_vectors",
    "input_frames",
]

Words = npt.NDArray[np.uint64]

TIME_MULTIPLEXING: Final = 6
FRAMES_PER_CROSSING: Final = 9
FRAMES_PER_EVENT: Final = TIME_MULTIPLEXING * FRAMES_PER_CROSSING
"""54 frames: at 360 MHz a board gets an event every six bunch crossings."""
GAP_FRAMES: Final = 4
"""Frames at the end of an event that carry nothing."""
INPUT, OUTPUT, IDENTITY = "input.txt", "output.txt", "vectors.json"


@dataclass(frozen=True, slots=True)
class LinkMap:
    """Which link is what.

    Attributes:
        inputs: Links that carry candidate ``len(inputs) * f + k`` in frame f of link k.
        output: Link with one frame per event, the word for the global trigger.
    """

    inputs: tuple[int, ...]
    output: int

    def __post_init__(self) -> None:
        """Refuse the same link twice."""
        if len(set(self.inputs)) != len(self.inputs) or min((*self.inputs, self.output)) < 0:
            raise ConversionError(
                f"input links {list(self.inputs)} and output link {self.output}: numbers from 0, "
                "each input once"
            )

    def beats(self, network: Network) -> int:
        """Frames that candidates take.

        Raises:
            ConversionError: If an event has not as many.
        """
        beats = -(-network.n_candidates // len(self.inputs))
        if beats > FRAMES_PER_EVENT - GAP_FRAMES:
            raise ConversionError(
                f"{network.n_candidates} candidates on {len(self.inputs)} links take {beats} "
                f"frames; time multiplexing by {TIME_MULTIPLEXING} has "
                f"{FRAMES_PER_EVENT - GAP_FRAMES} and {GAP_FRAMES} for the gap. Use more lanes"
            )
        return beats


def export_vectors(
    network: Network,
    words: Words,
    folder: Path,
    *,
    file_format: str,
    links: LinkMap,
    latency_frames: int = 0,
) -> None:
    """Write ``input.txt``, ``output.txt`` and what they belong to.

    Args:
        network: The integer network.
        words: Candidate words, shape (n_events, n_candidates), zero where a slot is empty.
        folder: New, empty, or an earlier export of vectors.
        file_format: One of :data:`~l1met_fpga.firmware.export.board_data.FORMATS`.
        links: Links to use.
        latency_frames: Frames from an event's first input frame to its output frame.

    Raises:
        ConversionError: If the events do not fit the frames, or the folder holds anything else.
        ConfigError: If there is no such format.
    """
    given = input_frames(network, words, links)
    expected = expected_output(network, words, links, latency_frames)
    identity = {
        "network": network.digest,
        "events": len(words),
        "format": file_format,
        "input_links": list(links.inputs),
        "output_link": links.output,
        "frames_per_event": FRAMES_PER_EVENT,
    }
    files = {
        INPUT: board_text(given, file_format),
        OUTPUT: board_text(expected, file_format),
        IDENTITY: json.dumps(identity, indent=2) + "\n",
    }
    write_folder(folder, files, kind="vectors")


def input_frames(network: Network, words: Words, links: LinkMap) -> BoardData:
    """Lay events out on the input links, all of them of full length, with idle frames between.

    Start stands on the first frame of an event, last on its last one, on every link; so the
    latency from the start does not depend on the number of candidates.
    """
    beats, lanes = links.beats(network), len(links.inputs)
    n_events, n_slots = words.shape
    if n_slots > network.n_candidates:
        raise ConversionError(f"{n_slots} words per event; {network.n_candidates} at most")
    board = BoardData.idle(_name(network), links.inputs, n_events * FRAMES_PER_EVENT)
    padded = np.pad(words, ((0, 0), (0, beats * lanes - n_slots)))

    def by_event(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array.reshape(n_events, FRAMES_PER_EVENT, lanes)

    by_event(board.data)[:, :beats] = padded.reshape(n_events, beats, lanes)
    by_event(board.valid)[:, :beats] = True
    by_event(board.start)[:, 0] = True
    by_event(board.last)[:, beats - 1] = True
    board.start_of_orbit[:1] = n_events > 0
    return board


def expected_output(
    network: Network, words: Words, links: LinkMap, latency_frames: int = 0
) -> BoardData:
    """Return the output link's frames: one per event, with all marks."""
    frames = latency_frames + FRAMES_PER_EVENT * np.arange(len(words))
    n_frames = max(FRAMES_PER_EVENT * len(words), int(frames.max(initial=-1)) + 1)
    board = BoardData.idle(_name(network), (links.output,), n_frames)
    board.data[frames, 0] = expected_words(network, words)
    for flags in (board.valid, board.start, board.last):
        flags[frames] = True
    board.start_of_orbit[frames[:1]] = True
    return board


def expected_words(network: Network, words: Words) -> Words:
    """Return the word for the global trigger of each event, shape (n_events,).

    Raises:
        ConversionError: If the network gives no vector, or reads z0 from the vertex.
    """
    head = require_gt_head(network, "a test vector")
    require_no_vertex(network, "a test vector")
    codes = evaluate(network, unpack(words))[head.name]
    return gt_words(network.type_of(head.name), codes, head.calibration)


def _name(network: Network) -> str:
    return f"l1met_{network.name} {network.digest[:12]}"


def events_of_input(network: Network, board: BoardData, where: Path) -> Words:
    """Take input frames apart; the inverse of :func:`input_frames`.

    Raises:
        DataError: If the frames are not events of this network's size.
    """
    lanes = len(board.links)
    beats = LinkMap(board.links, 0).beats(network)
    if board.n_frames % FRAMES_PER_EVENT:
        raise DataError(
            f"{where} has {board.n_frames} frames, not a multiple of {FRAMES_PER_EVENT}; it is cut"
        )
    shape = (-1, FRAMES_PER_EVENT, lanes)
    valid = board.valid.reshape(shape)
    wrong = ~valid[:, :beats].all(axis=(1, 2)) | valid[:, beats:].any(axis=(1, 2))
    if wrong.any():
        raise DataError(
            f"{where}: event {int(np.argmax(wrong))} has not {beats} valid frames from its first "
            "one on; a frame or a valid mark is missing"
        )
    words = board.data.reshape(shape)[:, :beats].reshape(-1, beats * lanes)
    return np.ascontiguousarray(words[:, : network.n_candidates])


# -- comparison -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a capture compares with what was expected.

    Attributes:
        events: Events compared.
        latency_frames: Frame of the first output frame.
    """

    events: int
    latency_frames: int


def compare_capture(network: Network, capture: Path, vectors: Path) -> Comparison:
    """Compare a file captured on a board with the vectors that were played into it.

    Args:
        network: The network that the firmware is said to hold.
        capture: Captured output, any format; only its link of the vectors' output link counts, or
            its only link.
        vectors: Folder of :func:`export_vectors`, played from frame 0 on.

    Raises:
        DataError: If the capture lacks frames or marks, or the vectors are of another network.
        BitExactnessError: Names the first event, frame and bit that differ.
    """
    identity = _identity(network, vectors)
    words = events_of_input(network, read_board_data(vectors / INPUT), vectors / INPUT)
    expected = expected_words(network, words)
    board = read_board_data(capture)
    _check_name(network, board, capture)
    column = _output_column(board, identity["output_link"], capture)
    frames = _packet_frames(board, column, capture)
    _check_spacing(frames, len(expected), capture)
    got = board.data[frames[: len(expected)], column]
    wrong = got != expected
    if wrong.any():
        raise BitExactnessError(_difference(capture, expected, got, frames))
    return Comparison(len(expected), int(frames[0]))


def _identity(network: Network, vectors: Path) -> dict[str, Any]:
    path = vectors / IDENTITY
    if not path.is_file() or not (vectors / MARK).is_file():
        raise DataError(
            f"{vectors} holds no vectors; write them with `l1met export vectors` and play those"
        )
    again = "write the vectors again with `l1met export vectors`"
    identity = read_json(path, error=DataError, next_step=again)
    if not isinstance(identity.get("output_link"), int):
        raise DataError(f"{path} does not say on which link the output is; {again}")
    require_same(
        {"network": identity.get("network")},
        {"network": network.digest},
        what=f"vectors {vectors}",
        next_step="Compare with the run they were exported from",
        error=DataError,
    )
    return identity


def _check_name(network: Network, board: BoardData, where: Path) -> None:
    """Where the file says which network it is of (ours do, boards write their own name)."""
    if board.name.startswith("l1met_") and board.name != _name(network):
        raise DataError(
            f"{where} is of another network: it says {board.name!r}, the run is {_name(network)!r}"
        )


def _output_column(board: BoardData, link: int, where: Path) -> int:
    if link in board.links:
        return board.links.index(link)
    if len(board.links) == 1:
        return 0
    raise DataError(
        f"{where} has the links {list(board.links)}; the output is expected on link {link}"
    )


def _packet_frames(board: BoardData, column: int, where: Path) -> npt.NDArray[np.intp]:
    """Return the frames of packets of one frame; every mark must be there.

    Raises:
        DataError: If a mark is missing or stands where no data is.
    """
    valid = board.valid[:, column]
    if board.has_marks:
        for name in ("start", "last"):
            marks = getattr(board, name)[:, column]
            odd = np.flatnonzero(marks != valid)
            if odd.size:
                frame = int(odd[0])
                what = "has no mark" if valid[frame] else "is not valid but has the mark"
                raise DataError(
                    f"{where}: frame {frame} {what} `{name}`; the output is packets of one frame"
                )
    return np.flatnonzero(valid)


def _check_spacing(frames: npt.NDArray[np.intp], n_events: int, where: Path) -> None:
    """Events come at a fixed distance; what is missing is named."""
    if not frames.size:
        raise DataError(f"{where} has no valid frame on the output link")
    expected = frames[0] + FRAMES_PER_EVENT * np.arange(n_events)
    common = min(len(frames), n_events)
    off = np.flatnonzero(frames[:common] != expected[:common])
    if off.size:
        event = int(off[0])
        raise DataError(
            f"{where}: event {event} comes in frame {int(frames[event])}, expected in frame "
            f"{int(expected[event])}, {FRAMES_PER_EVENT} after the one before; frames are missing "
            "or there are too many"
        )
    if len(frames) < n_events:
        raise DataError(
            f"{where} has {len(frames)} output frames, {n_events} events were played; event "
            f"{len(frames)} is missing in frame {int(expected[len(frames)])}. Capture more frames"
        )


def _difference(where: Path, expected: Words, got: Words, frames: npt.NDArray[np.intp]) -> str:
    wrong = np.flatnonzero(expected != got)
    event = int(wrong[0])
    want, have = int(expected[event]), int(got[event])
    bit = ((want ^ have) & -(want ^ have)).bit_length() - 1
    sentence = (
        f"{where}: {len(wrong)} of {len(expected)} events differ; the first is event {event}, "
        f"frame {int(frames[event])}, bit {bit} ({_field(bit)}): expected {want:#018x}, got "
        f"{have:#018x}"
    )
    if len(wrong) * 2 > len(expected):
        sentence += (
            ". So many differ when the firmware holds another network, or other events were played"
        )
    return sentence


def _field(bit: int) -> str:
    """Name of the field of the global-trigger word that a bit belongs to."""
    scalar = gt_word.VECTOR_PHI_BIT + gt_word.GT_PHI_TYPE.width
    fields = (
        ("valid", 0, 1),
        ("size", gt_word.VECTOR_PT_BIT, gt_word.GT_PT_TYPE.width),
        ("phi", gt_word.VECTOR_PHI_BIT, gt_word.GT_PHI_TYPE.width),
        ("scalar sum", scalar, gt_word.GT_PT_TYPE.width),
    )
    for name, lowest, width in fields:
        if lowest <= bit < lowest + width:
            return f"bit {bit - lowest} of {name}"
    return "always zero"
