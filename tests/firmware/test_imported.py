"""Networks from elsewhere: a run folder from network.json, checked against known results."""

import json

import networks
import numpy as np
import pytest
from met_head import met_codes
from rtl_designs import random_candidates, small_network

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import (
    BitExactnessError,
    ConversionError,
    DataError,
    RunFolderError,
)
from l1met_fpga.firmware.forms import check_samples, int64_form
from l1met_fpga.firmware.hls.flow import check_run
from l1met_fpga.firmware.hls.graph import build_graph
from l1met_fpga.firmware.imported import create_imported_run, read_expected
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.network import Network


@pytest.fixture
def arrived(tmp_path):
    """A network.json and events with their results, as somebody sends them."""
    network = small_network("deepset")
    network.save(tmp_path / "network.json")
    columns = random_candidates(np.random.default_rng(3), 40)
    np.savez(tmp_path / "events.npz", met_codes=met_codes(network, columns), **columns)
    return network, tmp_path / "network.json", tmp_path / "events.npz"


def test_forms_are_held_against_int64_and_that_against_the_known_results(arrived, tmp_path):
    network, path, events = arrived
    run = create_imported_run(path, events, tmp_path / "run")
    config = load_run(run.config)
    assert Network.load(run.network) == network
    result = check_run(run, config, {"other": int64_form(network)}, n_events=100)
    assert result["other"].against == "int64"
    assert result["other"].differing == 0
    assert set(result["other"].samples) == {"generated", "stress"}
    assert result["int64"].against == "expected"
    assert (result["int64"].events, result["int64"].outputs) == (40, 80)
    assert result["int64"].differing == 0


def test_a_wrong_known_result_is_found(arrived, tmp_path):
    _, path, events = arrived
    arrays = dict(np.load(events))
    arrays["met_codes"][7, 1] += 1
    np.savez(events, **arrays)
    run = create_imported_run(path, events, tmp_path / "run")
    with pytest.raises(
        BitExactnessError, match=r"int64: 1 of 80 outputs of head 'met' differ from expected"
    ):
        check_run(run, load_run(run.config), {}, n_events=20)
    written = json.loads(run.bit_exactness.read_text())
    assert written["int64"]["samples"]["expected"]["first_event"] == 7


def test_generated_events_are_as_many_as_asked_and_fill_slots():
    network = small_network("deepmet")
    config = load_run_of(network)
    samples = check_samples(network, config, n_events=300)
    assert samples["generated"]["pt"].shape == (300, network.n_candidates)
    assert (samples["generated"]["pt"] > 0).any(axis=1).mean() > 0.9


def load_run_of(network):
    from l1met_fpga.config.run import RunConfig

    model = {"architecture": "imported", "name": network.name}
    return RunConfig.model_validate({"model": model})


def test_without_known_results_only_forms_are_compared(arrived, tmp_path):
    network, path, _ = arrived
    run = create_imported_run(path, None, tmp_path / "run")
    result = check_run(run, load_run(run.config), {"x": int64_form(network)}, n_events=20)
    assert set(result) == {"x"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.pop("met_codes"), r"lacks the arrays \['met_codes'\]; it has \["),
        (lambda a: a.pop("eta"), r"lacks the arrays \['eta'\]"),
        (lambda a: a.update(pt=a["pt"].astype(float)), r"array 'pt' is float64 .* expected integ"),
        (lambda a: a.update(pt=a["pt"][0]), r"array 'pt' is int16 of shape \(16,\)"),
        (
            lambda a: a.update(met_codes=a["met_codes"][:3]),
            r"'met_codes' has shape \(3, 2\), .*\(40, 2\)",
        ),
        (lambda a: a.update(pid=a["pid"] + 8), r"'pid' holds 8 to 15, the column allows 0 to 7"),
    ],
)
def test_bad_events_are_one_sentence_and_leave_no_folder(change, says, arrived, tmp_path):
    _, path, events = arrived
    arrays = dict(np.load(events))
    change(arrays)
    np.savez(events, **arrays)
    with pytest.raises(DataError, match=says):
        create_imported_run(path, events, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_files_that_are_no_npz_are_one_sentence(arrived, tmp_path):
    network, _, _ = arrived
    (tmp_path / "text.npz").write_text("no arrays")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "events.npz").read_bytes()[:200])
    with pytest.raises(FileNotFoundError, match=r"missing.npz"):
        read_expected(tmp_path / "missing.npz", network)
    for name in ("text.npz", "cut.npz"):
        with pytest.raises(DataError, match=rf"{name} .*write it again with numpy.savez"):
            read_expected(tmp_path / name, network)


def test_what_is_no_exact_network_is_refused(arrived, tmp_path):
    network, path, _ = arrived
    nodes = list(network.nodes)
    index = next(i for i, n in enumerate(nodes) if n.op == "dense")
    nodes[index] = nodes[index].model_copy(update={"type": FixedType(True, 1, 2)})
    network.model_copy(update={"nodes": tuple(nodes)}).save(path)
    with pytest.raises(ConversionError, match=r"cannot hold every result"):
        create_imported_run(path, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_network_of_the_same_name_is_left_alone(arrived, tmp_path):
    network, path, _ = arrived
    run = create_imported_run(path, None, tmp_path / "run")
    before = run.network.read_bytes()
    create_imported_run(path, None, tmp_path / "run")  # the same one may be made again
    nodes = [n.model_copy(update={"bias": (n.bias[0] + 1, *n.bias[1:])}) if n.op == "dense" else n
             for n in network.nodes]  # fmt: skip
    network.model_copy(update={"nodes": tuple(nodes)}).save(path)
    with pytest.raises(
        RunFolderError, match=r"run holds another network of the name 'deepset'.*move"
    ):
        create_imported_run(path, None, tmp_path / "run")
    assert run.network.read_bytes() == before


def test_a_foreign_folder_is_left_alone(arrived, tmp_path):
    _, path, _ = arrived
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    with pytest.raises(RunFolderError, match=r"refusing to touch it"):
        create_imported_run(path, None, tmp_path / "mine")


@pytest.mark.parametrize(
    ("slots", "units", "factor", "io_type"),
    [(128, 36, 4, "io_stream"), (100, 36, 4, "io_parallel"), (90, 8, 2, "io_parallel")],
)
def test_hls_settings_follow_the_shapes(slots, units, factor, io_type, tmp_path):
    network = networks.random_deepmet(phi_units=(units,), n_candidates=slots)
    network.save(tmp_path / "network.json")
    hls = load_run(create_imported_run(tmp_path / "network.json", None, tmp_path / "r").config).hls
    assert (hls.parallelization_factor, hls.io_type.value) == (factor, io_type)
    build_graph(network, hls, tmp_path / "hls")
