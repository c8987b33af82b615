"""Test vectors: formats read by an independent reader, frames by hand, captures with every fault."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from met_head import met_codes, met_words
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.errors import BitExactnessError, ConfigError, ConversionError, DataError
from l1met_fpga.firmware.export.board_data import (
    FORMATS,
    BoardData,
    board_text,
    read_board_data,
)
from l1met_fpga.firmware.export.vector_events import generated_words
from l1met_fpga.firmware.export.vectors import (
    FRAMES_PER_EVENT,
    LinkMap,
    compare_capture,
    events_of_input,
    expected_output,
    export_vectors,
    input_frames,
)
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.words import pack, unpack

MODELS = Path(__file__).parents[2] / "models"
LINKS = LinkMap((0, 1, 2), 7)
DATA = 0x0123456789ABCDEF


def random_board(rng, links=(3, 4, 72), n_frames=40):
    board = BoardData.idle("x0", links, n_frames)
    board.data[:] = rng.integers(0, 1 << 64, board.data.shape, dtype=np.uint64)
    for flags in (board.valid, board.start, board.last, board.start_of_orbit):
        flags[:] = rng.random(flags.shape) < 0.5
    return board


def assert_equal_boards(a, b, marks=("valid", "start", "last", "start_of_orbit")):
    assert a.links == b.links
    for name in ("data", *marks):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_what_is_written_is_read_again(file_format, tmp_path, rng):
    board = random_board(rng)
    (tmp_path / "x.txt").write_text(board_text(board, file_format))
    marks = ("valid",) if file_format == "empv1" else ("valid", "start", "last", "start_of_orbit")
    found = read_board_data(tmp_path / "x.txt")
    assert_equal_boards(board, found, marks)
    assert found.has_marks == (file_format != "empv1")


HEADS = {
    "empv2": [
        "ID: x0",
        "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid",
        "",
    ],
    "empv1": ["Board x0"],
    "apx": ["#Sideband ON"],
}
ROWS = {  # frame 1 of two links by hand: start of packet and orbit on the first, last on the second
    "empv2": r"Frame 0001\s\s\s*1101 0123456789abcdef\s\s+0011 0000000000000005",
    "empv1": r"Frame 0001 :\s+1v0123456789abcdef\s+1v0000000000000005",
    "apx": r"0x0001\s+0x07 0x0123456789abcdef\s+0x09 0x0000000000000005",
}
LABELS = {
    "empv2": r"\s*Link\s\s+003\s+004\s*",
    "empv1": r"\s*Link :\s+003\s+004\s*",
    "apx": r"#LinkLabel\s+LINK_03\s+LINK_04\s*",
}


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_a_frame_by_hand(file_format, tmp_path):
    board = BoardData.idle("x0", (3, 4), 2)
    board.data[1] = [DATA, 5]
    board.valid[1] = True
    board.start[1, 0] = board.start_of_orbit[1, 0] = board.last[1, 1] = True
    (tmp_path / "x.txt").write_text(board_text(board, file_format))
    lines = (tmp_path / "x.txt").read_text().splitlines()
    head = HEADS[file_format]
    assert lines[: len(head)] == head
    assert sum(bool(re.fullmatch(LABELS[file_format], line)) for line in lines) == 1
    assert re.fullmatch(ROWS[file_format], lines[-1]), lines[-1]
    if file_format == "empv1":
        assert re.fullmatch(r" Quad/Chan :\s+q00c3\s+q01c0\s*", lines[1])


def test_files_of_others_are_read(tmp_path):
    """Strobes, comments, other spacing, capital digits."""
    strobed = HEADS["empv2"] + [
        "      Link                000                   112",
        "# a comment",
        "Frame 0000    10001 00000000000000FF  00000 0000000000000000",
        "Frame 0001     1011 00000000000000fe     1101 0000000000000001  ",
    ]
    (tmp_path / "a.txt").write_text("\n".join(strobed))
    board = read_board_data(tmp_path / "a.txt")
    assert board.links == (0, 112)
    assert board.data.tolist() == [[255, 0], [254, 1]]
    assert board.valid.tolist() == [[True, False], [True, True]]
    assert board.start.tolist() == [[False, False], [False, True]]
    assert board.last.tolist() == [[False, False], [True, False]]
    old = "Board x\n Quad/Chan : q00c0\n      Link : 000\nFrame 0000 : 1s1v00000000000000ff\n"
    (tmp_path / "b.txt").write_text(old)
    assert read_board_data(tmp_path / "b.txt").data.tolist() == [[255]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"begins with nothing; expected a file of EMP version 2"),
        ("hello\n", r"begins with 'hello'; expected a file of EMP"),
        ("ID: x\n", r"ends where a line 'Metadata: .* should follow; it is cut"),
        ("ID: x\nMetadata: other\n", r"line 2: expected 'Metadata: \(strobe"),
        ("Board x\nQuad/Chan : q00c0\nLink : abc\n", r"line of link numbers reads 'abc'"),
        ("Board x\nQuad/Chan : q00c0\nLink : 000\nFrame 0001 : 0v0000000000000000\n",
         r"line 4: expected frame 0 .*; a frame is missing"),
        ("Board x\nQuad/Chan : q00c0\nLink : 000 001\nFrame 0000 : 0v0000000000000000\n",
         r"line 4: frame 0 has 1 words that can be read, expected 2"),
        ("Board x\nQuad/Chan : q00c0\nLink : 000\nFrame 0000 : 0v00000000000000\n",
         r"frame 0 has 0 words that can be read, expected 1.*'0v00000000000000'"),
        ("#Sideband OFF\n", r"has no sideband, so it says nothing of valid frames"),
        ("#Sideband ON\n#LinkLabel LINK_00\n0x0000 0x00 0x00\n", r"line 3: expected '#BeginData'"),
    ],
)  # fmt: skip
def test_damaged_files_are_one_sentence(text, says, tmp_path):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(DataError, match=says):
        read_board_data(tmp_path / "x.txt")


def test_unreadable_files_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*missing.txt: No such file"):
        read_board_data(tmp_path / "missing.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"is not text; expected a file of EMP"):
        read_board_data(tmp_path / "binary")
    with pytest.raises(ConfigError, match=r"unknown format 'emp3' .* choose from \['empv2'"):
        board_text(BoardData.idle("x", (0,), 1), "emp3")


# -- frames of events -------------------------------------------------------------------------------


def test_candidates_marks_and_idle_frames_are_where_the_links_want_them(rng):
    network = Network.load(MODELS / "deepmet" / "network.json")
    words = generated_words(network, 4)
    board = input_frames(network, words, LINKS)
    assert board.n_frames == 4 * 54
    for event in range(4):
        first = 54 * event
        for slot in range(128):
            assert board.data[first + slot // 3, slot % 3] == words[event, slot]
        assert board.data[first + 42, 2] == 0, "slot 128 is not there"
        assert board.valid[first : first + 43].all()
        assert not board.valid[first + 43 : first + 54].any()
        assert not board.data[first + 43 : first + 54].any()
    assert np.array_equal(np.flatnonzero(board.start.all(axis=1)), [0, 54, 108, 162])
    assert np.array_equal(np.flatnonzero(board.last.all(axis=1)), [42, 96, 150, 204])
    assert board.start.sum() == board.last.sum() == 12
    assert np.argwhere(board.start_of_orbit).tolist() == [[0, 0], [0, 1], [0, 2]]
    assert np.array_equal(events_of_input(network, board, Path("x")), words)


def test_output_is_one_frame_per_event_with_all_marks():
    network = small_network("deepset")
    words = generated_words(network, 5)
    board = expected_output(network, words, LINKS, latency_frames=80)
    frames = [80 + 54 * event for event in range(5)]
    assert np.flatnonzero(board.valid[:, 0]).tolist() == frames
    expected = met_words(network, met_codes(network, unpack(words)))
    assert board.data[frames, 0].tolist() == expected.tolist()
    assert np.array_equal(board.valid, board.start)
    assert np.array_equal(board.valid, board.last)
    assert np.flatnonzero(board.start_of_orbit).tolist() == [80]


@pytest.mark.parametrize(
    ("file_format", "n"),
    [
        ("empv2", 300),
        ("empv1", 50),
        ("apx", 50),
        pytest.param("empv2", 2000, marks=pytest.mark.slow),
    ],
)
def test_events_there_and_back(file_format, n, tmp_path):
    """Words of the file through the network again: no result differs."""
    network = Network.load(MODELS / "deepset" / "network.json")
    words = generated_words(network, n)
    export_vectors(network, words, tmp_path / "v", file_format=file_format, links=LINKS)
    given = read_board_data(tmp_path / "v" / "input.txt")
    read = events_of_input(network, given, tmp_path)
    assert np.array_equal(read, words)
    assert (np.count_nonzero(words, axis=1) > 0).mean() > 0.75
    found = compare_capture(network, tmp_path / "v" / "output.txt", tmp_path / "v")
    assert found.events == n


def test_too_few_links_are_refused_and_nothing_is_written(tmp_path):
    network = Network.load(MODELS / "deepmet" / "network.json")
    words = generated_words(network, 2)
    with pytest.raises(ConversionError, match=r"128 candidates on 2 links take 64 frames; .* 50"):
        export_vectors(network, words, tmp_path / "v", file_format="apx", links=LinkMap((0, 1), 0))
    with pytest.raises(ConfigError, match=r"unknown format"):
        export_vectors(network, words, tmp_path / "v", file_format="x2o", links=LINKS)
    with pytest.raises(ConversionError, match=r"numbers from 0, each input once"):
        LinkMap((0, 0, 1), 2)
    assert not (tmp_path / "v").exists()


# -- captures ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A network, the folder of vectors that were played, and what a right board gives."""
    network = small_network("deepset")
    folder = tmp_path_factory.mktemp("played") / "v"
    words = pack(random_candidates(np.random.default_rng(5), 20))
    export_vectors(network, words, folder, file_format="empv2", links=LINKS)
    board = expected_output(network, words, LINKS, latency_frames=93)
    return network, folder, replace(board, name="x1")


def capture(tmp_path, board, file_format="empv2"):
    (tmp_path / "capture.txt").write_text(board_text(board, file_format))
    return tmp_path / "capture.txt"


def copied(board):
    arrays = ("data", "valid", "start", "last", "start_of_orbit")
    return replace(board, **{name: getattr(board, name).copy() for name in arrays})


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_a_right_capture_agrees_and_its_latency_is_told(file_format, played, tmp_path):
    network, folder, board = played
    found = compare_capture(network, capture(tmp_path, board, file_format), folder)
    assert (found.events, found.latency_frames) == (20, 93)


@pytest.mark.parametrize(
    ("bit", "field"),
    [(0, "bit 0 of valid"), (1, "bit 0 of size"), (16, "bit 15 of size"), (17, "bit 0 of phi"),
     (29, "bit 12 of phi"), (30, "bit 0 of scalar sum"), (45, "bit 15 of scalar sum"),
     (46, "always zero"), (63, "always zero")],
)  # fmt: skip
def test_the_first_event_frame_and_bit_are_named(bit, field, played, tmp_path):
    network, folder, board = played
    wrong = copied(board)
    wrong.data[93 + 54 * 3] ^= np.uint64(1 << bit)
    wrong.data[93 + 54 * 9] ^= np.uint64(1)
    says = (
        rf"2 of 20 events differ; the first is event 3, frame 255, bit {bit} \({field}\): expected"
    )
    with pytest.raises(BitExactnessError, match=says) as caught:
        compare_capture(network, capture(tmp_path, wrong), folder)
    assert "another network" not in str(caught.value)


def test_a_capture_of_another_network_is_told(played, tmp_path):
    network, folder, board = played
    other = small_network("deepmet")
    words = events_of_input(network, read_board_data(folder / "input.txt"), folder)
    of_other = expected_output(other, words, LINKS)
    with pytest.raises(DataError, match=r"is of another network: it says 'l1met_deepmet"):
        compare_capture(network, capture(tmp_path, of_other), folder)
    with pytest.raises(BitExactnessError, match=r"when the firmware holds another network"):
        compare_capture(network, capture(tmp_path, replace(of_other, name="x1")), folder)
    with pytest.raises(DataError, match=r"vectors .* belongs to other inputs: network was"):
        compare_capture(other, capture(tmp_path, board), folder)


def faulty(board, fault):
    wrong = copied(board)
    frame = 93 + 54 * 2
    match fault:
        case "no start":
            wrong.start[frame] = False
        case "no last":
            wrong.last[frame] = False
        case "mark without data":
            wrong.valid[frame] = False
        case "an event lost":
            for flags in (wrong.valid, wrong.start, wrong.last):
                flags[frame] = False
        case "a frame lost":
            keep = np.arange(wrong.n_frames) != frame - 5
            arrays = ("data", "valid", "start", "last", "start_of_orbit")
            wrong = replace(wrong, **{name: getattr(wrong, name)[keep] for name in arrays})
        case "cut":
            arrays = ("data", "valid", "start", "last", "start_of_orbit")
            wrong = replace(wrong, **{name: getattr(wrong, name)[:400] for name in arrays})
        case "idle":
            wrong = BoardData.idle("x1", board.links, 100)
        case "other links":
            wrong = BoardData.idle("x1", (0, 1), 100)
    return wrong


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("no start", r"frame 201 has no mark `start`"),
        ("no last", r"frame 201 has no mark `last`"),
        ("mark without data", r"frame 201 is not valid but has the mark `start`"),
        ("an event lost", r"event 2 comes in frame 255, expected in frame 201, 54 after"),
        ("a frame lost", r"event 2 comes in frame 200, expected in frame 201"),
        ("cut", r"has 6 output frames, 20 events were played; event 6 is missing in frame 417"),
        ("idle", r"has no valid frame on the output link"),
        ("other links", r"has the links \[0, 1\]; the output is expected on link 7"),
    ],
)
def test_missing_frames_and_marks_are_one_sentence_each(fault, says, played, tmp_path):
    network, folder, board = played
    with pytest.raises(DataError, match=says):
        compare_capture(network, capture(tmp_path, faulty(board, fault)), folder)


def test_without_vectors_it_says_what_to_do(played, tmp_path):
    network, _, board = played
    with pytest.raises(
        DataError, match=r"holds no vectors; write them with `l1met export vectors`"
    ):
        compare_capture(network, capture(tmp_path, board), tmp_path)


def test_inputs_with_a_missing_frame_are_refused(played, tmp_path):
    network, folder, _ = played
    board = read_board_data(folder / "input.txt")
    with pytest.raises(DataError, match=r"has 1079 frames, not a multiple of 54; it is cut"):
        events_of_input(network, faulty(board, "a frame lost"), folder)
    board.valid[54 * 4 + 1, 1] = False
    with pytest.raises(DataError, match=r"event 4 has not 6 valid frames"):
        events_of_input(network, board, folder)
    assert -(-N_SLOTS // 3) == 6
    assert FRAMES_PER_EVENT == 54


@pytest.mark.slow
def test_100_000_events_there_and_back(tmp_path, rng):
    network = small_network("deepset")
    for _ in range(10):
        words = pack(random_candidates(rng, 10_000))
        export_vectors(network, words, tmp_path / "v", file_format="empv2", links=LINKS)
        given = read_board_data(tmp_path / "v" / "input.txt")
        assert np.array_equal(events_of_input(network, given, tmp_path), words)
        found = compare_capture(network, tmp_path / "v" / "output.txt", tmp_path / "v")
        assert found.events == 10_000
