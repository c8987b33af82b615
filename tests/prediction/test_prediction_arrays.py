"""Events from Python, in every form in which a program may hold them."""

import shutil
import subprocess
import sys

import awkward as ak
import numpy as np
import pytest
from keras_models import random_candidates
from met_head import met_codes
from plain_networks import plain_network
from require import require

import l1met_fpga as l1met
from l1met_fpga.errors import ConfigError, DataError, RunFolderError
from l1met_fpga.models.network import Network
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.puppi.words import pack

# Two photons, 10 GeV along x and 20 GeV along y, and an event with nothing.
COLUMNS = {
    "pt": [[40, 80], []],
    "eta": [[0, 7], []],
    "phi": [[0, 360], []],
    "pid": [[1, 1], []],
    "puppi_weight": [[256, 256], []],
}
PADDED = {name: np.array([event + [0] * (3 - len(event)) for event in rows]) for name, rows in
          COLUMNS.items()}  # fmt: skip
RECORDS = ak.zip(
    {name: ak.values_astype(ak.Array(rows), np.int32) for name, rows in COLUMNS.items()}
)
WORDS = pack({name: codes.astype(np.int16) for name, codes in PADDED.items()})
FORMS = {
    "NumPy columns": PADDED,
    "a network's columns alone": {name: PADDED[name] for name in ("pt", "phi")},
    "unsigned columns": {name: codes.astype(np.uint16) for name, codes in PADDED.items()},
    "awkward records": RECORDS,
    "awkward columns": {name: RECORDS[name] for name in COLUMNS},
    "words": WORDS,
    "awkward words": ak.unflatten(WORDS[0, :2], [2, 0]),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_event_computed_by_hand(form):
    met = LoadedNetwork(plain_network()).predict(FORMS[form])
    assert len(met) == 2
    np.testing.assert_array_equal(met.xy_gev, [[-10, -20], [0, 0]])
    np.testing.assert_array_equal(met.codes, [[-320, -640], [0, 0]])  # 32 counts are a GeV
    np.testing.assert_array_equal(met.px_gev, [-10, 0])
    np.testing.assert_array_equal(met.py_gev, [-20, 0])
    np.testing.assert_allclose(met.pt_gev, [500**0.5, 0])
    np.testing.assert_allclose(met.phi_rad, [np.arctan(2) - np.pi, 0])


def test_no_bit_of_a_long_word_is_lost():
    """Beside an integer 0, awkward makes uint64 a float, which has 53 bits."""
    columns = {"pt": 1, "eta": 0, "phi": 0, "pid": 1, "puppi_weight": 256, "em_id": 63}
    word = pack({name: np.array([code], np.int16) for name, code in columns.items()})
    assert int(word[0]) != int(float(word[0]))
    met = LoadedNetwork(plain_network()).predict(ak.unflatten(word, [1, 0]))
    np.testing.assert_array_equal(met.xy_gev, [[-0.25, 0], [0, 0]])


def test_no_event_at_all():
    for events in (RECORDS[:0], WORDS[:0], {name: codes[:0] for name, codes in PADDED.items()}):
        met = LoadedNetwork(plain_network()).predict(events)
        assert met.xy_gev.shape == (0, 2)


def test_forms_of_a_shipped_network_agree():
    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")
    events = random_candidates(np.random.default_rng(3), 40)
    net = l1met.load("deepset")
    expected = met_codes(net.network, events)
    assert np.abs(expected).max() > 1000
    for form in ("int64", "cpp", "keras"):
        np.testing.assert_array_equal(net.predict(events, form=form).codes, expected)


def test_candidates_beyond_the_slots_are_cut_and_told(caplog):
    met = LoadedNetwork(plain_network(n_candidates=1)).predict(RECORDS)
    np.testing.assert_array_equal(met.xy_gev, [[-10, 0], [0, 0]])
    assert "the events given: the network has 1 slots; 1 of 2 candidates" in caplog.text


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([[1, 2]], "cannot take <class 'list'> for events; give an awkward array of records"),
        (np.zeros((2, 3)), r"cannot take float64 \(2, 3\) for events"),
        (WORDS[0], r"cannot take uint64 \(3,\) for events"),
        (WORDS | (np.uint64(1) << np.uint64(63)), "bits 63:61 of a candidate word are zero"),
        ({"pt": PADDED["pt"]}, r"needs the columns \['phi'\]"),
        (PADDED | {"pt": PADDED["pt"] / 4}, r"'pt' holds float64, not integers.*0\.25 GeV"),
        (PADDED | {"pt": PADDED["pt"][0]}, r"column 'pt' has shape \(3,\)"),
        (PADDED | {"pt": PADDED["pt"][:1]}, "column 'p[th]+i?' has shape"),
        (PADDED | {"pt": PADDED["pt"] * 1000}, "'pt' holds codes 0 to 80000"),
        (PADDED | {"phi": PADDED["phi"] - 2000}, "'phi' holds codes -2000"),
        (RECORDS[["pt"]], r"needs the columns \['phi'\]"),
        (ak.Array([[{"pt": 1, "phi": 0}], None]), "without missing values"),
        (ak.Array([{"pt": 1, "phi": 0}]), "every event needs one list"),
        (ak.Array([[1.5], []]), "cannot take lists of float64"),
        ({"pt": RECORDS["pt"], "phi": RECORDS["phi"][:, :1]}, "not of the same lengths"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(events, sentence):
    with pytest.raises(DataError, match=sentence):
        LoadedNetwork(plain_network()).predict(events)


def test_what_can_be_loaded(tmp_path):
    path = tmp_path / "network.json"
    plain_network().save(path)
    assert l1met.load(path).network == plain_network()
    assert l1met.load(str(path)).run is None
    assert l1met.load("garnet").network.name == "garnet"
    with pytest.raises(
        RunFolderError, match=r"no run folder.*deepsat.*shipped are deepmet, deepset"
    ):
        l1met.load("deepsat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunFolderError, match="was not made by l1met"):
        l1met.load(tmp_path / "empty")
    with pytest.raises(ConfigError, match=r"a network\.json has no Keras model"):
        l1met.load(path).predict(PADDED, form="keras")
    with pytest.raises(ConfigError, match="no form 'onnx' to predict with; choose int64, keras"):
        l1met.load(path).predict(PADDED, form="onnx")


def test_a_folder_of_the_user_comes_before_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain_network().save(tmp_path / "deepset")
    assert l1met.load("deepset").network.name == "plain"


def test_what_is_seen_of_a_network():
    network = plain_network(kernel=-1)
    text = repr(LoadedNetwork(network))
    head, note, *lines = text.splitlines()
    assert head == (
        "plain: 7 nodes, 128 candidates per event, 0% of 1 weights zero; "
        "met (vector) in GeV as ap_fixed<18,13,AP_RND,AP_SAT>"
    )
    total = int(note.split()[1].replace(",", ""))
    assert note == f"about {total:,} LUT as streaming firmware, before synthesis"
    names = ["node", *(node.name for node in network), "around"]
    assert [line.split()[0] for line in lines] == names
    assert lines[4].split()[:-1] == ["momentum", "momentum", "pt,", "phi", "128", "x", "2",
                                     network.node("momentum").type.hls_name]  # fmt: skip
    luts = [int(line.split()[-1].replace(",", "")) for line in lines[1:]]
    assert sum(luts) == pytest.approx(total, abs=len(luts) / 2)
    html = LoadedNetwork(network)._repr_html_()
    assert html.count("<tr>") == 2 + len(network.nodes)
    assert "ap_fixed&lt;18,13,AP_RND,AP_SAT&gt;" in html


def test_the_public_attributes_are_these():
    """Whoever changes them changes docs/python.md and the version of the package."""
    assert {name for name in dir(l1met.LoadedNetwork) if not name.startswith("_")} == {
        "form", "luts", "predict", "predict_heads", "response", "units",
    }  # fmt: skip
    assert {name for name in dir(l1met.Met) if not name.startswith("_")} == {
        "codes", "type", "xy_gev", "px_gev", "py_gev", "pt_gev", "phi_rad",
    }  # fmt: skip
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        l1met.lode  # noqa: B018


def test_predicting_loads_neither_tensorflow_nor_hls4ml():
    code = (
        "import sys, numpy as np, l1met_fpga as l1met\n"
        "l1met.load('deepset').predict(np.zeros((1, 2), np.uint64))\n"
        "print({'tensorflow', 'tf_keras', 'hls4ml', 'matplotlib', 'awkward'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_the_shipped_networks_are_read_whole():
    for name in ("deepmet", "deepset", "garnet"):
        assert isinstance(l1met.load(name).network, Network)
