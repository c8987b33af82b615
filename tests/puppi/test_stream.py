"""Word files: chunks, round trips, damaged files, and a real one against its ROOT twin."""

import dataclasses
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.stream import WordEvents, read_word_stream, write_word_stream
from l1met_fpga.puppi.units import pdg_id_of, to_counts
from l1met_fpga.puppi.words import is_charged, unpack


def header(n: int, *, bunch_crossing: int = 0, orbit: int = 0, run: int = 0, error: int = 0) -> int:
    return 0b10 << 62 | error << 61 | run << 56 | orbit << 24 | bunch_crossing << 12 | n


def make_events(counts: list[int], seed: int = 0) -> WordEvents:
    rng = np.random.default_rng(seed)
    n = len(counts)
    return WordEvents(
        words=rng.integers(1, 1 << 61, sum(counts), dtype=np.uint64),
        counts=np.array(counts, np.int64),
        run=rng.integers(0, 1 << 5, n, dtype=np.uint64),
        orbit=rng.integers(0, 1 << 32, n, dtype=np.uint64),
        bunch_crossing=rng.integers(0, 1 << 12, n, dtype=np.uint64),
        error=rng.random(n) < 0.5,
    )


def joined(chunks: list[WordEvents]) -> WordEvents:
    fields = [field.name for field in dataclasses.fields(WordEvents)]
    return WordEvents(**{f: np.concatenate([getattr(c, f) for c in chunks]) for f in fields})


def assert_same(a: WordEvents, b: WordEvents) -> None:
    for field in dataclasses.fields(WordEvents):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


def write_raw(path: Path, words: list[int], tail: bytes = b"") -> Path:
    path.write_bytes(np.array(words, "<u8").tobytes() + tail)
    return path


def test_header_fields_are_where_the_format_says(tmp_path: Path) -> None:
    first = header(2, bunch_crossing=3563, orbit=0xDEADBEEF, run=21, error=1)
    path = write_raw(tmp_path / "a.dump", [first, 7, 9, header(0)])
    (events,) = read_word_stream(path)
    assert events.counts.tolist() == [2, 0]
    assert events.words.tolist() == [7, 9]
    assert events.bunch_crossing.tolist() == [3563, 0]
    assert events.orbit.tolist() == [0xDEADBEEF, 0]
    assert events.run.tolist() == [21, 0]
    assert events.error.tolist() == [True, False]


@pytest.mark.parametrize("words_per_chunk", [1, 300, 777, 1 << 20])
def test_round_trip_whatever_the_chunks(tmp_path: Path, words_per_chunk: int) -> None:
    counts = [0, 208, 1, 0, 0, 55, *np.random.default_rng(1).integers(0, 209, 60).tolist(), 0]
    events = make_events(counts)
    path = tmp_path / "events.dump"
    assert write_word_stream(path, [events, make_events([3, 2], 1)]) == len(counts) + 2
    chunks = list(read_word_stream(path, words_per_chunk=words_per_chunk))
    assert_same(joined(chunks), joined([events, make_events([3, 2], 1)]))
    assert (len(chunks) > 1) == (words_per_chunk < 1000)


def test_padding_keeps_the_first_words() -> None:
    events = make_events([2, 0, 5])
    padded = events.padded(4)
    assert padded[0].tolist() == [*events.words[:2].tolist(), 0, 0]
    assert padded[1].tolist() == [0, 0, 0, 0]
    assert padded[2].tolist() == events.words[2:6].tolist()
    whole = events.padded(5)
    assert whole[whole != 0].tolist() == events.words.tolist()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(n_events: int) -> int:
        path = tmp_path / f"{n_events}.dump"
        write_word_stream(path, (make_events([100] * 100) for _ in range(n_events // 100)))
        tracemalloc.start()
        n_read = sum(events.n_events for events in read_word_stream(path, words_per_chunk=20_000))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n_read == n_events
        return most

    assert peak(8000) < 1.1 * peak(1000)


@pytest.mark.parametrize(
    ("words", "tail", "message"),
    [
        ([], b"", "is empty; a word stream holds at least one event header"),
        ([header(1), 5], b"abc", "has 19 bytes, not a multiple of 8: a 64-bit word is cut"),
        ([header(3), 5, 6], b"", r"event 0 promises 3 words, but 2 follow until the end"),
        ([header(0), header(1), 5, header(9)], b"", r"word 3: .* event 2 promises 9 .* but 0"),
        ([5, header(0)], b"", r"word 0: expected an event header .* got 0x0000000000000005"),
        ([header(3), 5, 6, header(0)], b"", r"event 0 promises 3 words, but 2 follow until the ne"),
        ([header(1), 5, 6, header(0)], b"", r"event 0 promises 1 words, but 2 follow until the ne"),
        ([header(1), 5, 6], b"", r"event 0 promises 1 words, but 2 follow until the end"),
        ([header(0) | 1 << 9], b"", r"header of event 0 is 0x8000000000000200; its bits 11:8"),
        ([3 << 62], b"", r"expected an event header .* got 0xc000000000000000"),
    ],
)
def test_damaged_stream_wrong(tmp_path: Path, words: list[int], tail: bytes, message: str) -> None:
    path = write_raw(tmp_path / "bad.dump", words, tail)
    with pytest.raises(DataError, match=message):
        list(read_word_stream(path))


def test_damage_in_a_later_chunk_is_placed_in_the_file(tmp_path: Path) -> None:
    good = [header(2), 5, 6] * 300
    path = write_raw(tmp_path / "bad.dump", [*good, header(4), 1, header(0)])
    with pytest.raises(
        DataError, match=f"word {len(good)}: .* event 300 promises 4 .* but 1 follow"
    ):
        list(read_word_stream(path, words_per_chunk=256))


def test_missing_file_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no.dump: No such file or directory; check the path"):
        list(read_word_stream(tmp_path / "no.dump"))


def test_write_refuses_what_the_format_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "out.dump"
    with pytest.raises(DataError, match="event 1 has 209 words; the format holds at most 208"):
        write_word_stream(path, [make_events([3]), make_events([209])])
    with pytest.raises(DataError, match="run 32 does not fit the 5 bits of the event header"):
        write_word_stream(path, [dataclasses.replace(make_events([1]), run=np.uint64([32]))])
    assert list(tmp_path.iterdir()) == []


@given(
    seed=st.integers(0, 50),
    damage=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.integers(0, 40),
)
def test_damaged_bytes_are_refused_or_read_as_they_stand(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    damage: list[tuple[int, int]],
    cut: int,
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.dump"
    write_word_stream(path, [make_events([5, 0, 40, 17], seed)])
    content = bytearray(path.read_bytes())
    for place, value in damage:
        content[place % len(content)] = value
    content = content[: len(content) - 8 * (cut // 4) - (cut % 4 == 3)]
    path.write_bytes(content)
    try:
        events = joined(list(read_word_stream(path, words_per_chunk=1)))
    except DataError:
        return
    again = path.with_name("b.dump")
    assert write_word_stream(again, [events]) == events.n_events
    assert again.read_bytes() == bytes(content)


def test_real_dump_decodes_to_what_the_root_file_holds(
    reference_data: Path, tmp_path: Path
) -> None:
    import awkward as ak
    import uproot

    dump = reference_data / "Puppi_w3p_PU200.dump"
    (events,) = read_word_stream(dump)
    n = events.n_events
    assert n == 100
    with uproot.open(reference_data / "Puppi_w3p_PU200.root") as file:
        tree = file["Events"]
        assert tree.num_entries == n + 1
        branches = tree.arrays(entry_stop=n)
    flat = {
        name.removeprefix("Puppi_"): ak.to_numpy(ak.flatten(branches[name]))
        for name in branches.fields
        if name.startswith("Puppi_")
    }
    columns = unpack(events.words)
    charged = is_charged(columns["pid"])
    np.testing.assert_array_equal(events.counts, ak.to_numpy(branches["nPuppi"]))
    np.testing.assert_array_equal(events.orbit, ak.to_numpy(branches["orbit"]))
    np.testing.assert_array_equal(events.bunch_crossing, ak.to_numpy(branches["bx"]))
    np.testing.assert_array_equal(~events.error, ak.to_numpy(branches["good"]))
    # That unpacker takes ten bits from 54 up as the run, so the header mark counts as 512.
    np.testing.assert_array_equal(events.run, ak.to_numpy(branches["run"]) - 512)
    np.testing.assert_array_equal(pdg_id_of(columns["pid"]), flat["pdgId"])
    for name in ("pt", "eta", "phi", "z0", "dxy"):
        np.testing.assert_array_equal(columns[name], to_counts(name, flat[name]), err_msg=name)
    # It reads quality of neutral candidates from the bits of em_id, and the PUPPI weight of
    # charged ones from those of z0 (neutral ones have 1).
    quality = np.where(charged, columns["quality"], columns["em_id"] >> 1)
    np.testing.assert_array_equal(quality, flat["quality"])
    weight = np.where(charged, (columns["z0"].astype(int) % 1024) / 256, 1.0)
    np.testing.assert_array_equal(weight, flat["wpuppi"])
    write_word_stream(tmp_path / "again.dump", [events])
    assert (tmp_path / "again.dump").read_bytes() == dump.read_bytes()
