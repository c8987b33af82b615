"""A run folder with a Keras network is evaluated beside baselines, stored forms and arrays."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras_models import MODELS, random_candidates, scrambled
from met_head import predict_met
from ntuples import make_events, write_perfnano
from run_records import write_training

from l1met_fpga.config.data import SplitConfig
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError, DataError, RunFolderError
from l1met_fpga.evaluation.predictions import (
    predictions_path,
    save_predictions,
    stored_predictions,
)
from l1met_fpga.evaluation.runs import ArrayFile, NamedRun, evaluate_runs
from l1met_fpga.evaluation.sample import load_store
from l1met_fpga.models.export import export_network
from l1met_fpga.models.storage import save_model
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.ht import TASK as HT
from l1met_fpga.tasks.met.task import TASK as MET


def make_stores(folder: Path) -> list[Path]:
    paths = []
    for seed, label in enumerate(("ttbar", "pileup")):
        rng = np.random.default_rng(seed)
        candidates = random_candidates(rng, 300)
        candidates["pt"] = np.minimum(candidates["pt"], 400).astype(np.int16)
        gen = np.zeros((300, 2)) if label == "pileup" else 0.5 * puppi_met_xy_gev(candidates)
        paths.append(folder / f"{label}.h5")
        write_store(paths[-1], candidates=candidates, truth={GEN_MET: gen}, label=label)
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
    export_network(model, MET.heads).save(run.network)
    return NamedRun.open(f"{run.root}:mine")


def test_all_estimates_of_a_run(named, tmp_path):
    stores = [sample.path for sample in named.config.samples]
    with Store.open(stores[0]) as store:
        test = store.candidates(store.events_of(Part.TEST))
        gen = store.truth(GEN_MET, store.events_of(Part.TEST))
    other = tmp_path / "other.npz"
    np.savez(other, px=gen[:, 0], py=gen[:, 1])
    with Store.open(stores[1]) as store:
        n_pileup = len(store.events_of(Part.TEST))
    quiet = tmp_path / "quiet.npz"
    np.savez(quiet, px=np.ones(n_pileup), py=np.arange(n_pileup) * 1.0)
    arrays = [ArrayFile("ttbar", "perfect", other), ArrayFile("pileup", "perfect", quiet)]
    found = evaluate_runs([named], MET, named.config.evaluation, arrays=arrays)
    assert list(found.estimates) == [
        "puppi", "cmssw", "jump", "mht", "scaled_puppi", "per_type", "table", "mine", "perfect",
    ]  # fmt: skip
    assert found.primary == "mine"
    sample = found.samples["ttbar"]
    np.testing.assert_allclose(sample.estimates["puppi"]["met"], puppi_met_xy_gev(test), atol=1e-9)
    expected = predict_met(scrambled("deepset", "quantized"), test)
    np.testing.assert_array_equal(sample.estimates["mine"]["met"], expected)
    # gen = PUPPI / 2 in ttbar and 0 in pile-up, so the constant lies between 0 and 1/2
    assert 0 < found.baselines["scaled_puppi"].weights.item() < 0.5
    assert found.weights is not None
    assert found.rates is not None
    note = f"mine: {named.run.root} does not record what it was trained on, so nobody can tell"
    assert found.notes[-1].startswith(note)


def test_jump_behind_a_network(named):
    found = evaluate_runs([named], MET, quick(named), steps=["jump", "turning_jump"])
    names = ["mine", "mine_jump", "mine_turning_jump"]
    titles = ["mine", "mine + JUMP", "mine + JUMP that turns with the event"]
    assert [found.estimates[name].title for name in names] == titles
    sample = found.samples["ttbar"]
    plain, raised, turned = (sample.estimates[name]["met"] for name in names)
    x, y = plain.T
    ux, uy = turned.T
    np.testing.assert_allclose(x * uy, y * ux, atol=1e-6)  # along itself
    assert (np.hypot(ux, uy) > np.hypot(x, y)).any()
    # the rule is per axis: no component is lowered but by rounding of pt and phi
    lost = np.abs(plain) - np.abs(raised)
    assert (lost < 0.5 + 0.005 * np.hypot(x, y)[:, None]).all()
    with pytest.raises(
        ConfigError, match=r"--then jmp: .* task 'met'; there is jump, turning_jump"
    ):
        evaluate_runs([named], MET, quick(named), steps=["jmp"])
    with pytest.raises(ConfigError, match=r"--then jump: .* there is none"):
        evaluate_runs([named], replace(MET, steps={}), quick(named), steps=["jump"])


def test_stored_form_must_cover_the_test_part(named):
    path = predictions_path(named.run, "hls_csim")
    path.parent.mkdir(exist_ok=True)
    np.savez(path, ttbar=np.zeros((3, 2)))
    try:
        with pytest.raises(RunFolderError, match=r"hls_csim\.npz must hold .* events of ttbar:met"):
            evaluate_runs([named], MET, named.config.evaluation)
    finally:
        path.unlink()


def quick(named) -> EvaluationConfig:
    return named.config.evaluation.model_copy(update={"bootstrap_samples": 2})


def test_predictions_belong_to_their_network_and_events(named):
    run, stores = named.run, [sample.path for sample in named.config.samples]
    signal, pileup = (load_store(path, MET) for path in stores)
    answers = [(s, {"met": np.full((len(s), 2), 7.0)}) for s in (signal, pileup)]
    path = save_predictions(run, "hls_cosim", answers)
    read = stored_predictions(run, path, MET)
    network = run.network.read_text()
    try:
        np.testing.assert_array_equal(read(pileup)["met"], np.full((len(pileup), 2), 7.0))
        run.network.write_text(network + " ")
        said = (
            r"hls_cosim\.npz \(ttbar\) belongs to other inputs: network was '[0-9a-f]{32}', is "
            r"'[0-9a-f]{32}'\. Make it again"
        )
        with pytest.raises(RunFolderError, match=said):
            read(signal)
        run.network.write_text(network)
        other = replace(signal, identity={**signal.identity, "content": "other"})
        with pytest.raises(RunFolderError, match=r"content was '[0-9a-f]{32}', is 'other'"):
            read(other)
        np.savez(path, **{"ttbar:met": np.zeros((len(signal), 2))})  # nobody knows of what
        with pytest.raises(RunFolderError, match=r"network was None, is .*save_predictions"):
            read(signal)
        path.write_bytes(b"PK cut")
        with pytest.raises(RunFolderError, match=r"hls_cosim\.npz is not a readable NumPy archive"):
            read(signal)
    finally:
        run.network.write_text(network)
        path.unlink()


def test_a_run_is_not_judged_by_what_it_was_trained_on(named, tmp_path):
    stores = [sample.path for sample in named.config.samples]
    samples = []
    for path in stores:
        with Store.open(path) as store:
            columns, gen = store.candidates(), store.truth(GEN_MET)
            about = {"identity": store.identity, "units": store.attributes.units, "sources": []}
            samples.append({"label": store.label, "path": str(path), **about})
    write_training(named.run.training, samples)
    try:
        other = tmp_path / "pileup.h5"
        split = SplitConfig(seed=8)
        write_store(other, candidates=columns, truth={GEN_MET: gen}, label="pileup", splits=split)
        with pytest.raises(DataError) as caught:
            evaluate_runs([named], MET, quick(named), stores=[stores[0], other])
        with Store.open(other) as new, Store.open(stores[1]) as old:
            test = new.parts() == Part.TEST
            used = test & (old.parts() != Part.TEST)
        said = f"{int(used.sum())} of its {int(test.sum())} test events"
        assert str(caught.value).startswith(f"{other}: {named.run.root} was trained on {said}, so")
        found = evaluate_runs(
            [named], MET, quick(named), stores=[stores[0], other], allow_training_events=True
        )
        assert [note for note in found.notes if "trained on" in note] == [
            (
                f"mine was trained on {int(used.sum())} of the {int(test.sum())} test events of {other}: "
                "its figures are too good."
            )
        ]
    finally:
        named.run.training.unlink()


def test_other_algorithms_of_the_source_stand_beside_puppi(named, tmp_path, caplog):
    """Those that every sample has for every event."""
    paths = []
    for old in (sample.path for sample in named.config.samples):
        with Store.open(old) as store:
            n, columns, gen = store.n_events, store.candidates(), store.truth(GEN_MET)
            label = store.label
        missing = np.where(np.arange(n)[:, None] % 50 == 3, np.nan, 1.0) * gen
        others = {"L1CaloMet_xy_gev": gen + 5.0, "L1PFMet_xy_gev": missing, "puppi_xy_gev": gen}
        paths.append(tmp_path / f"{label}.h5")
        if label == "ttbar":
            others["L1TKMet_xy_gev"] = gen
        write_store(
            paths[-1], candidates=columns, truth={GEN_MET: gen}, label=label, baselines=others
        )
    found = evaluate_runs([named], MET, quick(named), stores=paths)
    assert "L1CaloMet" in found.estimates
    assert found.estimates["L1CaloMet"].kind == "file"
    assert not {"L1PFMet", "L1TKMet"} & set(found.estimates)
    assert found.estimates["puppi"].kind == "baseline"
    for sample in found.samples.values():
        np.testing.assert_allclose(
            sample.estimates["L1CaloMet"]["met"], sample.truth["met"] + 5, atol=1e-4
        )
    assert "L1PFMet, L1TKMet, puppi: not in every sample for every event" in caplog.text


def test_arrays_of_another_name_or_sample_wrong(named, tmp_path):
    arrays = [ArrayFile("ttbar", "puppi", tmp_path / "a.npz")]
    with pytest.raises(ConfigError, match="the name 'puppi' is that of another estimate"):
        evaluate_runs([named], MET, quick(named), arrays=arrays)
    with pytest.raises(ConfigError, match="name the samples wjets, which are not evaluated"):
        evaluate_runs(
            [named], MET, quick(named), arrays=[ArrayFile("wjets", "mine2", tmp_path / "a")]
        )


def test_a_store_under_two_names_wrong(named, tmp_path):
    store = Path(named.config.samples[0].path)
    (tmp_path / "link.h5").symlink_to(store)
    with pytest.raises(DataError) as caught:
        evaluate_runs([named], MET, quick(named), stores=[store, tmp_path / "link.h5"])
    assert str(caught.value) == (
        f"{tmp_path}/link.h5 is the same file as {store}; its events would be counted twice"
    )


def test_networks_of_another_task_wrong(named):
    with pytest.raises(ConfigError) as caught:
        evaluate_runs([named], HT, quick(named))
    assert str(caught.value) == (
        "mine is a network of the task 'met', the evaluation is of 'ht'; evaluate networks of one task "
        "together"
    )


def test_runs_of_one_recipe_are_called_by_their_folders(named, tmp_path):
    root = named.run.root
    texts = [str(shutil.copytree(root, tmp_path / name)) for name in ("wide", "narrow")]
    assert [one.name for one in NamedRun.open_all(texts)] == ["wide", "narrow"]
    assert [one.name for one in NamedRun.open_all([f"{texts[0]}:w", texts[1]])] == ["w", "deepset"]
    named_first = NamedRun.open_all([f"{texts[0]}:deepset", texts[1]])
    assert [one.name for one in named_first] == ["deepset", "narrow"]


def test_same_name_twice_wrong(named):
    with pytest.raises(ConfigError, match="its own name"):
        evaluate_runs([named, named], MET, named.config.evaluation)


def test_run_without_model_wrong(named, tmp_path):
    run = RunFolder.create(tmp_path / "empty")
    save_run(named.config, run.config)
    with pytest.raises(RunFolderError, match=r"has no model\.keras; it is made by `l1met train`"):
        evaluate_runs([NamedRun(run, "a")], MET, named.config.evaluation)


def test_root_files_are_samples_as_in_a_training(named, tmp_path):
    for seed, label in enumerate(("ttbar", "pileup")):
        events = make_events(300, seed)
        quiet = {name: np.zeros(300, np.float32) for name in ("genMet_pt", "genMet_phi")}
        write_perfnano(
            tmp_path / f"{label}.root", events, per_event=quiet if label == "pileup" else None
        )
    files = [tmp_path / "ttbar.root", tmp_path / "pileup.root"]
    found = evaluate_runs([named], MET, quick(named), stores=files)
    assert [(label, one.is_background) for label, one in found.samples.items()] == [
        ("ttbar", False), ("pileup", True),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"no sample .*none\.root; there are .*pileup\.root"):
        evaluate_runs([named], MET, quick(named), stores=[tmp_path / "none.root"])
