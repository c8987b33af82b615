"""The figures of `l1met inspect` against direct sums over padded arrays; every problem it names."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from l1met_fpga.data.inspect import inspect_file
from l1met_fpga.data.store import is_store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET, PUPPI_MET
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES, ParticleId
from l1met_fpga.puppi.stream import WordEvents, write_word_stream
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.puppi.words import pack

Columns = dict[str, npt.NDArray[np.int16]]


def make_columns(n_events: int, seed: int = 0) -> Columns:
    rng = np.random.default_rng(seed)
    shape = (n_events, N_CANDIDATES)
    pid = rng.integers(0, 8, shape)
    columns = {
        "pt": rng.integers(4, 400, shape),
        "eta": rng.integers(-1100, 1100, shape),
        "phi": rng.integers(-720, 721, shape),
        "pid": pid,
        "puppi_weight": np.where(pid > 1, 256, rng.integers(20, 257, shape)),
        "z0": np.where(pid > 1, rng.integers(-300, 300, shape), 0),
    }
    empty = np.arange(N_CANDIDATES) >= rng.integers(1, N_CANDIDATES + 1, n_events)[:, None]
    return {name: np.where(empty, 0, column).astype(np.int16) for name, column in columns.items()}


def make_store(path: Path, columns: Columns, **overrides: Any) -> Path:
    met = puppi_met_xy_gev(columns)
    given = {"truth": {GEN_MET: 0.8 * met}, "baselines": {PUPPI_MET: met}} | overrides
    write_store(path, candidates=columns, label="toy", order="pt", **given)
    return path


def make_words(path: Path, columns: Columns) -> Path:
    words = pack(columns)
    number, nothing = np.arange(len(words), dtype=np.uint64), np.zeros(len(words), np.uint64)
    counts, none = np.count_nonzero(words, axis=1), nothing.astype(bool)
    write_word_stream(path, [WordEvents(words[words != 0], counts, nothing, number, nothing, none)])
    return path


def problems(path: Path) -> str:
    return "\n".join(inspect_file(str(path)).problems)


def test_store_figures_match_direct_sums(tmp_path: Path) -> None:
    columns = make_columns(300)
    found = inspect_file(str(make_store(tmp_path / "a.h5", columns)))
    filled = columns["pt"] > 0
    assert found.format == "store"
    assert found.about["label"] == "toy"
    assert found.about["order"] == "pt"
    assert found.n_events == 300
    assert sum(found.parts.values()) == 300
    assert found.problems == ()
    np.testing.assert_array_equal(
        found.totals.multiplicity[: N_CANDIDATES + 1],
        np.bincount(filled.sum(axis=1), minlength=N_CANDIDATES + 1),
    )
    met_gev = np.hypot(*puppi_met_xy_gev(columns).T)
    sums = found.totals.sums
    assert sums["vector"].mean_gev == pytest.approx(met_gev.mean())
    assert sums["scalar"].mean_gev == pytest.approx(columns["pt"].sum() / 4 / 300)
    assert found.totals.truths[GEN_MET].n == 300
    assert found.totals.truths[GEN_MET].mean_gev == pytest.approx(0.8 * met_gev.mean(), rel=1e-6)
    want = np.histogram(met_gev, np.arange(1001))[0]
    assert sums["vector"].histogram[:1000].tolist() == want.tolist()


def test_ranges_are_in_physical_units(tmp_path: Path) -> None:
    columns = make_columns(100)
    ranges = inspect_file(str(make_store(tmp_path / "a.h5", columns))).ranges()
    filled, charged = columns["pt"] > 0, columns["pid"] > 1
    lsb = {"pt": 0.25, "eta": np.pi / 720, "phi": np.pi / 720, "z0": 0.05, "puppi_weight": 1 / 256}
    for name, unit in lsb.items():
        chosen = filled & {"z0": charged, "puppi_weight": ~charged}.get(name, filled)
        codes = np.sort(columns[name][chosen])
        got = ranges[name]
        want = codes[[0, codes.size // 2, -1]] * unit
        np.testing.assert_allclose([got.lowest, got.median, got.highest], want, err_msg=name)
    assert ranges["pt"].unit == "GeV"
    assert "dxy" not in ranges


def test_composition_adds_up(tmp_path: Path) -> None:
    columns = make_columns(50)
    rows = inspect_file(str(make_words(tmp_path / "a.dump", columns))).composition()
    filled = columns["pt"] > 0
    assert set(rows) == set(ParticleId)
    for pid, row in rows.items():
        own = filled & (columns["pid"] == pid)
        assert row.per_event == pytest.approx(own.sum() / 50)
        assert row.fraction == pytest.approx(own.sum() / filled.sum())
        assert row.pt_fraction == pytest.approx(columns["pt"][own].sum() / columns["pt"].sum())
        pt = np.sort(columns["pt"][own])
        assert row.median_pt_gev == pt[pt.size // 2] * 0.25


def test_words_and_store_of_the_same_events_agree(tmp_path: Path) -> None:
    columns = make_columns(40)
    words = inspect_file(str(make_words(tmp_path / "a.dump", columns)))
    store = inspect_file(str(make_store(tmp_path / "a.h5", columns)))
    assert words.format == "words"
    for name in columns:
        np.testing.assert_array_equal(words.totals.codes[name], store.totals.codes[name])
    np.testing.assert_array_equal(words.totals.pt_by_pid, store.totals.pt_by_pid)


def test_json_has_no_nan(tmp_path: Path) -> None:
    columns = make_columns(5)
    columns["pid"][:] = np.where(columns["pt"] > 0, ParticleId.PHOTON, 0)
    columns["puppi_weight"][columns["pt"] > 0] = 100
    columns["z0"][:] = 0
    found = inspect_file(str(make_words(tmp_path / "a.dump", columns))).to_dict()
    text = json.loads(json.dumps(found, allow_nan=False))
    assert text["composition"]["photon"]["fraction"] == 1
    assert text["composition"]["muon_plus"]["median_pt_gev"] is None
    assert text["truths"] == {}
    assert text["sums_of_candidates"]["scalar"]["mean_gev"] > 0
    assert sum(text["multiplicity"]) == 5


def test_a_store_is_told_by_its_content(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["X"] = np.zeros((2, 3))
    store = make_store(tmp_path / "a.h5", make_columns(2))
    assert is_store(store)
    assert not is_store(tmp_path / "other.h5")
    assert not is_store(tmp_path / "missing.h5")


def test_missing_file_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file matches .*missing\.h5; check the path"):
        inspect_file(str(tmp_path / "missing.h5"))


def test_problem_events_without_generator_met(tmp_path: Path) -> None:
    columns = make_columns(10)
    gen = np.full((10, 2), np.nan)
    gen[3] = 1.0
    path = make_store(tmp_path / "a.h5", columns, truth={GEN_MET: gen})
    assert problems(path) == "9 events without generator MET; they cannot be trained on"


def test_problem_no_truth_at_all(tmp_path: Path) -> None:
    text = problems(make_store(tmp_path / "a.h5", make_columns(10), truth={}))
    assert text == (
        "10 events without any truth; they cannot be trained on; if they are pile-up only, convert "
        "with --role background"
    )


def test_problem_source_met_disagrees(tmp_path: Path) -> None:
    columns = make_columns(10)
    met = puppi_met_xy_gev(columns)
    met[:4] += [2.0, 0.0]
    path = make_store(tmp_path / "a.h5", columns, baselines={PUPPI_MET: met})
    assert "4 of 10 events whose PUPPI MET in the source is over 1 GeV from that" in problems(path)


def test_problem_sign_of_the_generator_met(tmp_path: Path) -> None:
    columns = make_columns(400)
    gen = -puppi_met_xy_gev(columns)
    path = make_store(tmp_path / "a.h5", columns, truth={GEN_MET: gen})
    assert "points away from the generator MET in" in problems(path)
    assert "a sign is wrong" in problems(path)


def test_problem_repeated_events(tmp_path: Path) -> None:
    event_id = np.ones((10, 3), np.uint64)
    event_id[:, 2] = [0, 1, 2, 3, 4, 5, 6, 7, 2, 2]
    path = make_store(tmp_path / "a.h5", make_columns(10), event_id=event_id)
    assert problems(path).startswith("2 events with the run, luminosity block and event number of")


def test_problem_codes_without_meaning(tmp_path: Path) -> None:
    columns = make_columns(3)
    neutral = int(np.argmax(columns["pid"][0] < 2))
    columns["phi"][0, 0] = 721
    columns["puppi_weight"][0, neutral] = 300
    text = problems(make_store(tmp_path / "a.h5", columns))
    assert "1 candidates with phi outside -720 to 720, which has no meaning" in text
    assert "1 candidates with puppi_weight outside 0 to 256" in text


def test_problem_weights(tmp_path: Path) -> None:
    columns = make_columns(3)
    columns["puppi_weight"][columns["pt"] > 0] = 128
    text = problems(make_store(tmp_path / "a.h5", columns))
    n_charged = int((columns["pid"] > 1).sum())
    assert f"{n_charged} charged candidates with a PUPPI weight other than 1" in text
    assert "every neutral candidate has the PUPPI weight 0.5; the source probably does not" in text


def test_problem_counts_of_a_changed_store(tmp_path: Path) -> None:
    path = make_store(tmp_path / "a.h5", make_columns(5))
    with h5py.File(path, "r+") as file:
        file["candidates/pt"][1] = 0
        file["n_candidates"][2] += 1
    text = problems(path)
    assert "1 candidates without pt" in text
    assert "1 events whose number of candidates disagrees with those that are there" in text


def test_problem_truncated_and_empty_events(tmp_path: Path) -> None:
    words = np.array([pack({n: c[:1] for n, c in make_columns(1).items()})[0, 0]], np.uint64)
    counts = [130, 0, 3]
    header = np.zeros(3, np.uint64)
    events = WordEvents(
        np.repeat(words, sum(counts)),
        np.array(counts),
        header,
        header,
        header,
        np.array([0, 1, 0]) > 0,
    )
    path = tmp_path / "a.dump"
    write_word_stream(path, [events])
    text = problems(path)
    assert "1 events with more than 128 candidates" in text
    assert "1 events without a candidate" in text
    assert "1 events with the error flag in their header" in text


def pile(columns: Columns, fraction: float, **values: int) -> tuple[Columns, int]:
    """Give that fraction of the candidates the same codes; return how many these are."""
    rng = np.random.default_rng(9)
    chosen = (columns["pt"] > 0) & (rng.random(columns["pt"].shape) < fraction)
    changed = {
        n: np.where(chosen, values.get(n, c), c).astype(np.int16) for n, c in columns.items()
    }
    return changed, int(chosen.sum())


@pytest.mark.parametrize(
    "values", [{"eta": 0, "phi": 0}, {"eta": 917}, {"phi": -720}, {"phi": 300}]
)
def test_problem_piled_up_codes(tmp_path: Path, values: dict[str, int]) -> None:
    columns, n_piled = pile(make_columns(200), 0.15, **values)
    text = problems(make_store(tmp_path / "a.h5", columns))
    filled = columns["pt"] > 0
    for name, code in values.items():
        n = int((columns[name][filled] == code).sum())
        assert n >= n_piled
        assert f"{n} of {filled.sum()} candidates have {name} = " in text
        assert f"(code {code}), the codes around it " in text
    assert text.count("a default that was filled in?") == len(values)


def test_no_pile_in_cells_of_a_detector_or_in_few_events(tmp_path: Path) -> None:
    columns = make_columns(200)
    cells = {**columns, "eta": (columns["eta"] // 40 * 40).astype(np.int16)}
    assert "filled in" not in problems(make_store(tmp_path / "a.h5", cells))
    for seed in range(5):
        assert "filled in" not in problems(
            make_store(tmp_path / "b.h5", make_columns(2, seed=seed))
        )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("z0", "every charged candidate has the z0 -1.5 cm; the source probably does not store it"),
        ("eta", "every candidate has the eta -0.1309; the source probably does not store it"),
    ],
)
def test_problem_constant_columns(tmp_path: Path, name: str, text: str) -> None:
    columns, _ = pile(make_columns(5), 1.0, **{name: -30})
    if name == "z0":
        columns["z0"][columns["pid"] < 2] = 0
    assert text in problems(make_store(tmp_path / "a.h5", columns))


def test_problem_values_beyond_their_type(tmp_path: Path) -> None:
    columns = make_columns(5)
    columns["eta"][0, 0], columns["pid"][1, 0], columns["phi"][2, 0] = 2048, 8, -2000
    found = inspect_file(str(make_store(tmp_path / "a.h5", columns)))
    text = "\n".join(found.problems)
    assert "1 candidates with eta beyond its type (-2048 to 2047), in no figure" in text
    assert "1 candidates with pid beyond its type (0 to 7), in no figure" in text
    assert "1 candidates with phi beyond its type (-1024 to 1023), in no figure" in text


@pytest.mark.parametrize(
    ("n_events", "n_backward", "named"),
    # Five sigma of a fair coin: 100 / 2 + 5 sqrt(100) / 2 = 75; 400: 250; 25: 25
    [(100, 75, False), (100, 76, True), (400, 250, False), (400, 251, True), (25, 25, False)],
)
def test_a_coin_is_no_wrong_sign(
    tmp_path: Path, n_events: int, n_backward: int, named: bool
) -> None:
    columns = make_columns(n_events)
    met = puppi_met_xy_gev(columns)
    direction = met / np.hypot(*met.T)[:, None]
    sign = np.where(np.arange(n_events) < n_backward, -1.0, 1.0)
    gen = 60 * sign[:, None] * direction
    text = problems(make_store(tmp_path / "a.h5", columns, truth={GEN_MET: gen}))
    assert ("a sign is wrong" in text) == named
    if named:
        assert f"in {n_backward} of {n_events} events above 50 GeV" in text


def test_problem_charges_without_their_sign(tmp_path: Path) -> None:
    columns = make_columns(20)
    pid = columns["pid"]
    absolute = np.where(np.isin(pid, [2, 4, 6]), pid + 1, pid).astype(np.int16)
    text = problems(make_store(tmp_path / "a.h5", {**columns, "pid": absolute}))
    n_hadrons = int((absolute == ParticleId.HADRON_PLUS).sum())
    assert f"0 of {n_hadrons} charged hadrons are negative; the sign of the charge was lost" in text
    assert "charged electrons are negative" in text
    # Twice as many of one charge, as in W bosons, is physics.
    rng = np.random.default_rng(0)
    more = np.where((pid == 2) & (rng.random(pid.shape) < 0.4), 3, pid).astype(np.int16)
    assert "sign of the charge" not in problems(
        make_store(tmp_path / "b.h5", {**columns, "pid": more})
    )


def test_problem_events_that_fill_all_slots_of_their_source(tmp_path: Path) -> None:
    columns = make_columns(400)
    cut = {n: np.where(np.arange(N_CANDIDATES) < 100, c, 0) for n, c in columns.items()}
    n_full = int(((columns["pt"] > 0).sum(axis=1) >= 100).sum())
    text = problems(make_store(tmp_path / "a.h5", {n: c.astype(np.int16) for n, c in cut.items()}))
    assert f"{n_full} of 400 events have 100 candidates, and none has more; the source was" in text


def test_problem_a_store_that_was_changed(tmp_path: Path) -> None:
    path = make_store(tmp_path / "a.h5", make_columns(50))
    said = "the events are not those that the store was made with; it was changed afterwards"
    assert said not in problems(path)
    with h5py.File(path, "r+") as file:
        file["truth/gen_met_xy_gev"][7, 0] += 1
    assert said in problems(path)


def test_a_built_in_sample_shows_no_problem_but_events_without_candidates() -> None:
    found = inspect_file(str(Path(__file__).parents[2] / "data" / "znunu.root"))
    assert [p for p in found.problems if "without a candidate" not in p] == []
