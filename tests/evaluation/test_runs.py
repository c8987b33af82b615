"""A run folder with a Keras network is evaluated beside baselines, stored forms and arrays."""

from pathlib import Path

import numpy as np
import pytest
from keras_models import MODELS, random_candidates, scrambled

from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import ConfigError, RunFolderError
from l1met_fpga.evaluation.runs import ArrayFile, NamedRun, evaluate_runs, predictions_path
from l1met_fpga.models.export import export_network
from l1met_fpga.models.storage import predict_met_xy_gev, save_model
from l1met_fpga.puppi.met import puppi_met_xy_gev
from l1met_fpga.run_folder import RunFolder


def make_stores(folder: Path) -> list[Path]:
    paths = []
    for seed, label in enumerate(("ttbar", "pileup")):
        rng = np.random.default_rng(seed)
        candidates = random_candidates(rng, 300)
        candidates["pt"] = np.minimum(candidates["pt"], 400).astype(np.int16)
        gen = np.zeros((300, 2)) if label == "pileup" else 0.5 * puppi_met_xy_gev(candidates)
        paths.append(folder / f"{label}.h5")
        write_store(paths[-1], candidates=candidates, gen_met_xy_gev=gen, label=label)
    return paths


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> NamedRun:
    folder = tmp_path_factory.mktemp("run")
    stores = make_stores(folder)
    run = RunFolder.create(folder / "run")
    samples = [{"path": str(path)} for path in stores]
    config = load_run(
        MODELS / "deepset.yaml", {"samples": samples, "evaluation.bootstrap_samples": 3}
    )
    save_run(config, run.config)
    model = scrambled("deepset", "quantized")
    save_model(model, run.model)
    export_network(model).save(run.network)
    return NamedRun.open(f"{run.root}:mine")


def test_all_estimates_of_a_run(named, tmp_path):
    stores = [sample.path for sample in named.config.samples]
    with Store.open(stores[0]) as store:
        test = store.candidates(store.events_of(Part.TEST))
        gen = store.gen_met_xy_gev(store.events_of(Part.TEST))
    other = tmp_path / "other.npz"
    np.savez(other, px=gen[:, 0], py=gen[:, 1])
    with Store.open(stores[1]) as store:
        n_pileup = len(store.events_of(Part.TEST))
    quiet = tmp_path / "quiet.npz"
    np.savez(quiet, px=np.ones(n_pileup), py=np.arange(n_pileup) * 1.0)
    arrays = [ArrayFile("ttbar", "perfect", other), ArrayFile("pileup", "perfect", quiet)]
    found = evaluate_runs([named], named.config.evaluation, arrays=arrays)
    assert list(found.estimates) == [
        "puppi", "cmssw", "scaled_puppi", "per_type", "table", "mine", "perfect",
    ]  # fmt: skip
    assert found.primary == "mine"
    sample = found.samples["ttbar"]
    np.testing.assert_allclose(sample.met_xy_gev["puppi"], puppi_met_xy_gev(test), atol=1e-9)
    expected = predict_met_xy_gev(scrambled("deepset", "quantized"), test)
    np.testing.assert_array_equal(sample.met_xy_gev["mine"], expected)
    # gen = PUPPI / 2 in ttbar and 0 in pile-up, so the constant lies between 0 and 1/2
    assert 0 < found.baselines["scaled_puppi"].weights.item() < 0.5
    assert found.weights is not None
    assert found.rates is not None


def test_stored_form_must_cover_the_test_part(named):
    path = predictions_path(named.run, "hls_csim")
    path.parent.mkdir(exist_ok=True)
    np.savez(path, ttbar=np.zeros((3, 2)))
    try:
        with pytest.raises(RunFolderError, match=r"hls_csim\.npz must hold .* events of 'ttbar'"):
            evaluate_runs([named], named.config.evaluation)
    finally:
        path.unlink()


def test_same_name_twice_wrong(named):
    with pytest.raises(ConfigError, match="its own name"):
        evaluate_runs([named, named], named.config.evaluation)


def test_run_without_model_wrong(named, tmp_path):
    run = RunFolder.create(tmp_path / "empty")
    save_run(named.config, run.config)
    with pytest.raises(RunFolderError, match=r"has no model\.keras; it is made by `l1met train`"):
        evaluate_runs([NamedRun(run, "a")], named.config.evaluation)
