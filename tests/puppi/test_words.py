"""64-bit candidate words: golden words, round trips, what a word has no room for."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, ParticleId
from l1met_fpga.puppi.units import pdg_id_of, to_values
from l1met_fpga.puppi.words import carried_by_words, pack, unpack

CHARGED = tuple(pid for pid in ParticleId if pid >= ParticleId.HADRON_MINUS)
NEUTRAL = (ParticleId.NEUTRAL_HADRON, ParticleId.PHOTON)

# Words of real events (100 W to 3 pions events at 200 pile-up) and what CMS's own unpacker reads.
GOLDEN = [
    (
        0x0400436753C48010,
        {"pt": 4.0, "eta": -1.038471, "phi": 2.042035, "pid": 3, "z0": 3.35, "quality": 1},
    ),
    (
        0x0400295E6C5C0012,
        {"pt": 4.5, "eta": 1.605703, "phi": -0.440696, "pid": 2, "z0": 2.05, "quality": 1},
    ),
    (
        0x00001B070BBCC005,
        {"pt": 1.25, "eta": -1.173734, "phi": 1.963495, "pid": 0, "puppi_weight": 27 / 256},
    ),
    (
        0x00007B280BCF800B,
        {"pt": 2.75, "eta": -0.846485, "phi": 2.242748, "pid": 1, "puppi_weight": 123 / 256},
    ),
    (
        0x1C03D5A63480C052,
        {"pt": 20.5, "eta": 2.247111, "phi": 1.732239, "pid": 5, "z0": -2.15, "quality": 7},
    ),
    (
        0x1C03F283AFB8C014,
        {"pt": 5.0, "eta": -1.243547, "phi": 1.025381, "pid": 4, "z0": -0.70, "quality": 7},
    ),
    (
        0x0403C4EB2FC6C00C,
        {"pt": 3.0, "eta": -0.999201, "phi": 3.119776, "pid": 7, "z0": -3.00, "quality": 1},
    ),
]


def one(**values: int) -> dict[str, npt.NDArray[Any]]:
    columns = {"pt": 8, "eta": 0, "phi": 0, "pid": 0, "puppi_weight": 0} | values
    return {name: np.array([value]) for name, value in columns.items()}


@pytest.mark.parametrize(("word", "values"), GOLDEN)
def test_golden_words(word: int, values: dict[str, float]) -> None:
    columns = unpack(np.array([word], np.uint64))
    charged = values["pid"] >= ParticleId.HADRON_MINUS
    expected = dict.fromkeys(COLUMNS, 0.0) | ({"puppi_weight": 1.0} if charged else {}) | values
    for name, value in expected.items():
        assert to_values(name, columns[name])[0] == pytest.approx(value, abs=1e-6), name
    assert pack(columns)[0] == word


def test_golden_particle_codes() -> None:
    words = np.array([word for word, _ in GOLDEN], np.uint64)
    assert pdg_id_of(unpack(words)["pid"]).tolist() == [211, -211, 130, 22, -11, 11, -13]


@st.composite
def candidates(draw: st.DrawFn) -> dict[str, npt.NDArray[Any]]:
    """One candidate with every field over its whole range."""
    pid = draw(st.sampled_from(list(ParticleId)))

    def code(name: str) -> int:
        kind = COLUMNS[name].type
        edges = st.sampled_from([kind.min_code, -1 if kind.signed else 0, 0, kind.max_code])
        return draw(st.one_of(st.integers(kind.min_code, kind.max_code), edges))

    columns = {name: code(name) for name in ("pt", "eta", "phi")} | {"pid": int(pid)}
    if pid in CHARGED:
        columns |= {name: code(name) for name in ("z0", "dxy", "quality")}
        columns["puppi_weight"] = 256
    else:
        columns |= {name: code(name) for name in ("puppi_weight", "em_id")}
    return {name: np.array([value], np.int16) for name, value in columns.items()}


@given(candidate=candidates())
def test_every_field_round_trips_over_its_range(candidate: dict[str, npt.NDArray[Any]]) -> None:
    back = unpack(pack(candidate))
    for name in COLUMNS:
        assert back[name][0] == candidate.get(name, [0])[0], name


@given(candidate=candidates())
def test_bits_are_where_the_format_says(candidate: dict[str, npt.NDArray[Any]]) -> None:
    layout = {"pt": (0, 14), "eta": (14, 12), "phi": (26, 11), "pid": (37, 3)}
    if int(candidate["pid"][0]) in CHARGED:
        layout |= {"z0": (40, 10), "dxy": (50, 8), "quality": (58, 3)}
    else:
        layout |= {"puppi_weight": (40, 9), "em_id": (49, 6)}
    text = format(int(pack(candidate)[0]), "064b")[::-1]
    wanted = ["0"] * 64
    for name, (low, width) in layout.items():
        digits = format(int(candidate[name][0]) % (1 << width), f"0{width}b")
        wanted[low : low + width] = digits[::-1]
    assert text == "".join(wanted)


def test_every_word_of_61_bits_unpacks_and_packs_back() -> None:
    rng = np.random.default_rng(5)
    words = rng.integers(0, 1 << 61, (300, 128), dtype=np.uint64)
    neutral = ((words >> np.uint64(37)) & np.uint64(7)) < 2
    words[neutral] &= np.uint64((1 << 55) - 1)  # neutral words use 55 bits
    columns = unpack(words)
    assert all(column.shape == (300, 128) for column in columns.values())
    np.testing.assert_array_equal(pack(columns), words)


def test_more_words_than_one_block_keep_their_order() -> None:
    pt = np.arange(1 << 14).repeat(3)
    columns = {name: np.zeros(pt.size, np.int16) for name in ("eta", "phi", "pid", "puppi_weight")}
    back = unpack(pack(columns | {"pt": pt}))
    np.testing.assert_array_equal(back["pt"], pt)


def test_empty_slots_are_zero_both_ways() -> None:
    columns = unpack(np.zeros((2, 128), np.uint64))
    assert set(columns) == set(COLUMNS)
    assert not any(column.any() for column in columns.values())
    assert not pack(columns).any()


def test_header_among_candidates_wrong() -> None:
    words = np.array([GOLDEN[0][0], 0x8000000000000020], np.uint64)
    with pytest.raises(DataError, match=r"word 1 is 0x8000000000000020: bits 63:61 .* are zero"):
        unpack(words)


def test_words_of_another_type_wrong() -> None:
    with pytest.raises(DataError, match="must be uint64, got an array of int64"):
        unpack(np.zeros(3, np.int64))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (one(pt=16384), r"column pt holds 16384 .* 14 bits allow 0 to 16383"),
        (one(eta=-2049), r"column eta holds -2049 .* allow -2048 to 2047"),
        (one(phi=1024), r"column phi holds 1024 .* allow -1024 to 1023"),
        (one(pid=8), r"column pid holds 8 .* allow 0 to 7"),
        (one(z0=1), r"column z0 is 1 for a neutral candidate .* no such field and means 0"),
        (one(pid=2, puppi_weight=255), r"puppi_weight is 255 for a charged .* means 256"),
        (one(pid=2, puppi_weight=256, em_id=3), r"em_id is 3 for a charged candidate"),
        ({"pt": np.zeros(1, int)}, "without the columns eta, phi, pid, puppi_weight"),
        (one() | {"eta": np.zeros(2, int)}, r"column eta has shape \(2,\), pt has \(1,\)"),
        (one() | {"eta": np.zeros(1)}, "column eta must hold integers, got an array of float64"),
    ],
)
def test_pack_wrong(columns: dict[str, npt.NDArray[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        pack(columns)


def test_candidates_that_a_word_cannot_hold_are_told() -> None:
    columns = {name: np.zeros(6, np.int16) for name in COLUMNS}
    columns["pid"][:] = [0, 0, 2, 2, 2, 1]
    columns["puppi_weight"][:] = [3, 3, 256, 255, 256, 256]
    columns["z0"][:] = [0, -1, 5, 0, 0, 0]
    columns["em_id"][:] = [1, 0, 0, 0, 1, 63]
    assert carried_by_words(columns).tolist() == [True, False, True, False, False, True]
