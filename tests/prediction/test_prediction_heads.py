"""Networks that give something else than one vector: values and columns by the name of the head."""

import numpy as np
import pytest
from contract import N_SLOTS, events, random_network, small_config
from keras_models import random_candidates
from ntuples import make_events, write_words

import l1met_fpga as l1met
from l1met_fpga.archives import read_npz
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_HT
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.models.build import build
from l1met_fpga.models.export import bake_weights, export_network
from l1met_fpga.models.network import Network
from l1met_fpga.prediction.files import column_types
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.tasks.ht import TASK as HT

pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotUniform")


def network(*kinds: str) -> Network:
    return random_network("deepset", kinds)


def test_values_by_head_are_codes_times_the_unit_of_the_head():
    net = LoadedNetwork(network("vector", "scalar", "classes"))
    candidates = events(net.network, 20)
    found, codes = net.predict_heads(candidates), evaluate(net.network, candidates)
    assert list(found) == ["recoil", "activity", "flavour"]
    for name, values in found.items():
        lsb = net.network.type_of(name).lsb
        np.testing.assert_array_equal(values, codes[name] * lsb)
    np.testing.assert_array_equal(net.predict(candidates).codes, codes["recoil"])


def test_a_network_without_a_vector_says_what_to_ask():
    net = LoadedNetwork(network("scalar"))
    with pytest.raises(ConfigError, match=r"gives \['activity'\] and no vector .* predict_heads"):
        net.predict(events(net.network, 2))
    assert net.response.startswith("ACTIVITY is not calibrated")
    assert LoadedNetwork(network("classes")).response.startswith("flavour: no sum of momenta")


def test_a_file_has_a_column_for_every_head(tmp_path):
    net = LoadedNetwork(network("scalar", "classes"))
    write_words(tmp_path / "events.dump", make_events(30, seed=5))
    l1met.predict_files(net, [tmp_path / "events.dump"], tmp_path / "out.npz")
    found = read_npz(tmp_path / "out.npz", error=DataError, next_step="")
    logits = [f"flavour_logit_{k}" for k in range(3)]
    assert list(found) == ["run", "lumi", "event", "activity", *logits]
    assert list(found) == list(column_types(net.network))
    assert np.unique(found["activity"]).size > 10
    assert N_SLOTS < 128, "candidates beyond the slots were cut"


def test_ht_stands_beside_what_the_trigger_has_and_the_truth(tmp_path):
    (head,) = HT.heads
    model = build(small_config("deepset"), HT.heads)
    bake_weights(model)
    net = LoadedNetwork(export_network(model, HT.heads))
    candidates = random_candidates(np.random.default_rng(3), 40, filled=None)
    truth = np.linspace(0, 400, 40)
    write_store(tmp_path / "a.h5", candidates=candidates, truth={GEN_HT: truth}, label="ttbar")
    l1met.predict_files(net, [tmp_path / "a.h5"], tmp_path / "ht.npz")
    found = read_npz(tmp_path / "ht.npz", error=DataError, next_step="")
    assert list(found) == ["run", "lumi", "event", "ht", "puppi_ht", "gen_ht"]
    np.testing.assert_array_equal(found["puppi_ht"], candidates["pt"].sum(axis=1) / 4)
    np.testing.assert_allclose(found["gen_ht"], truth, rtol=1e-6)
    read = HT.files.read(tmp_path / "ht.npz")  # `l1met evaluate -a` takes the file as it is
    np.testing.assert_array_equal(
        [h[head.name][:, 0] for h in read], [found["ht"], found["gen_ht"]]
    )
    write_words(tmp_path / "events.dump", make_events(5, seed=5))
    l1met.predict_files(net, [tmp_path / "events.dump"], tmp_path / "words.npz")
    assert np.isnan(np.load(tmp_path / "words.npz")["gen_ht"]).all()


def test_a_vector_keeps_the_columns_of_met_beside_other_heads():
    names = list(column_types(network("vector", "scalar")))
    assert names[:7] == ["run", "lumi", "event", "px", "py", "pt", "phi"]
    assert names[-2:] == ["gen_phi", "activity"]
