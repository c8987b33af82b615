"""The shipped network of jets: what its card says of it, and public jets of CMS that it was not trained on."""

from itertools import combinations

import numpy as np
from keras_models import MODELS

import l1met_fpga as l1met
from l1met_fpga.archives import read_npz
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.sample_store import store_of
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.metrics.classes import area


def test_real_jets_are_told_apart_without_training_again(reference_data, tmp_path):
    source, found = reference_data / "tagger_jets_bbbb.root", tmp_path / "jets.npz"
    jets = ConvertConfig(format="jets")
    l1met.predict_files(l1met.load(MODELS / "jets"), [source], found, config=jets)
    told = read_npz(found, error=DataError, next_step="")
    logits = np.stack([told[f"flavour_logit_{k}"] for k in range(len(JET_CLASSES))], axis=1)
    with Store.open(store_of(TrainingSample(path=source, role="signal"))) as store:
        truth = store.examples(columns=(), truths=store.truths).truth
    true = truth["jet_class"]
    assert len(true) == len(logits) == 3626
    for first, second in combinations(("b", "charm", "light", "gluon"), 2):
        i, j = JET_CLASSES.index(first), JET_CLASSES.index(second)
        both = (true == i) | (true == j)
        right = area(logits[both, i] - logits[both, j], true[both] == i)
        assert right.value > 0.5, (first, second)
        if "charm" not in (first, second):  # of which there are 85
            assert right.value - 0.5 > 3 * right.error, (first, second)
    # pt comes closer to the generated one: medians of their ratio
    has_partner = truth["jet_pt_ratio"] > 0
    before = np.median(truth["jet_pt_ratio"][has_partner])
    after = np.median((truth["jet_pt_ratio"] / told["pt_ratio"])[has_partner])
    assert abs(after - 1) < abs(before - 1) / 2
