"""Whole runs, with a generator that is replaced by soft random collisions."""

import os
from pathlib import Path

import numpy as np
import pytest
import uproot
from require import require_module
from simulation_events import random_collisions

from l1met_fpga.config.simulation import PoolConfig, SampleConfig, SimulationConfig
from l1met_fpga.errors import ConfigError, SimulationError
from l1met_fpga.files import write_json
from l1met_fpga.simulation import run as run_module
from l1met_fpga.simulation.generate import checksum, load_card
from l1met_fpga.simulation.run import Progress, run
from l1met_fpga.simulation.sample import HARD_BATCH, SEEDS_PER_SAMPLE, plan

# names of generated files hold Pythia's version
require_module("pythia8mc", extra="simulation")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that already holds everything, so that no generator runs."""
    folder = tmp_path_factory.mktemp("cache")
    rng = np.random.default_rng(0)
    wanted = [("minimum_bias", 40, 1 * SEEDS_PER_SAMPLE)]
    wanted += [
        (f"qcd_{bin_}", 5, SEEDS_PER_SAMPLE) for bin_ in ("45_80", "80_130", "130_200", "200_inf")
    ]
    wanted += [("znunu", HARD_BATCH, 3 * SEEDS_PER_SAMPLE)]
    for name, events, seed in wanted:
        sparse = random_collisions(events, rng, mean_particles=6 if name == "znunu" else 40)
        stem = checksum(load_card(name), events=events, seed=seed)
        sparse.save(folder / f"{stem}.npz")
        share = 79.0 if name == "minimum_bias" else 0.01
        write_json(folder / f"{stem}.json", {"cross_section_mb": share})
    return folder


def _config(cache, output, **changes):
    settings = {
        "samples": {
            "znunu": SampleConfig(process="znunu", events=30, seed=3),
            "pileup": SampleConfig(process=None, events=20, seed=3),
        },
        "output": output,
        "cache": cache,
        "pool": PoolConfig(minimum_bias=40, qcd=(5, 5, 5, 5)),
        "events_per_file": 10,
        "workers": 1,
    }
    return SimulationConfig(**{**settings, **changes})


def _content(paths):
    events = {}
    for path in paths:
        with uproot.open(path) as file:
            events[Path(path).name] = file["Events"].arrays(library="np", how=dict)
    return events


def _assert_same(first, second):
    assert first.keys() == second.keys()
    for name, branches in first.items():
        for branch, values in branches.items():
            got = second[name][branch]
            equal = all(np.array_equal(a, b) for a, b in zip(values, got, strict=True))
            assert equal, (name, branch)


def test_plan_splits_and_alternates(cache, tmp_path):
    tasks = plan(_config(cache, tmp_path))
    assert [(t.sample, t.first, t.events) for t in tasks] == [
        ("znunu", 0, 10), ("pileup", 0, 10), ("znunu", 10, 10), ("pileup", 10, 10), ("znunu", 20, 10),
    ]  # fmt: skip
    assert tasks[0].path == tmp_path / "znunu" / "znunu_0000.root"
    one = plan(_config(cache, tmp_path, events_per_file=100))
    assert one[0].path == tmp_path / "znunu.root"


def test_serial_and_parallel_runs_are_equal_and_a_killed_worker_loses_nothing(
    cache, tmp_path, monkeypatch
):
    serial = run(_config(cache, tmp_path / "serial"))
    mark = tmp_path / "killed"

    def dies_once(task, config):
        # The first task on any worker kills its process, as a batch system would.
        if not mark.exists():
            mark.touch()
            os._exit(1)
        return original(task, config)

    original = run_module.make_file
    monkeypatch.setattr(run_module, "make_file", dies_once)
    parallel = run(_config(cache, tmp_path / "parallel", workers=2))
    assert mark.exists()
    _assert_same(_content(serial), _content(parallel))


def test_file_layout_does_not_change_events(cache, tmp_path):
    split = _content(run(_config(cache, tmp_path / "split")))
    (znunu, pileup) = _content(run(_config(cache, tmp_path / "one", events_per_file=50))).values()
    for name, whole in (("znunu", znunu), ("pileup", pileup)):
        parts = [v for k, v in sorted(split.items()) if k.startswith(name)]
        joined = np.concatenate([part["L1PuppiMet_pt"] for part in parts])
        np.testing.assert_array_equal(joined, whole["L1PuppiMet_pt"])


def test_resume_makes_only_what_is_missing(cache, tmp_path):
    config = _config(cache, tmp_path)
    paths = run(config)
    before = {path: path.stat().st_mtime_ns for path in paths}
    paths[1].unlink()
    reports: list[tuple[int, int]] = []
    run(config, report=lambda p: reports.append((p.done, p.total)))
    assert reports == [(50, 50)]
    changed = [path for path in paths if path.stat().st_mtime_ns != before[path]]
    assert changed == [paths[1]]


def test_other_settings_in_the_same_folder_are_refused(cache, tmp_path):
    run(_config(cache, tmp_path))
    with pytest.raises(SimulationError, match="made with other settings"):
        run(_config(cache, tmp_path, max_candidates=64))
    replaced = run(_config(cache, tmp_path, max_candidates=4), overwrite=True)
    assert max(b["nL1PuppiCands"].max() for b in _content(replaced).values()) == 4


@pytest.mark.parametrize("kind", ["jets", "elements"])
def test_files_of_jets_or_elements_alone_are_not_taken_for_events(kind, cache, tmp_path):
    settings = {"pool": PoolConfig(minimum_bias=0), "events_per_file": 100}
    run(_config(cache, tmp_path, **settings | {kind: "only"}))
    with pytest.raises(SimulationError, match="made with other settings"):
        run(_config(cache, tmp_path, **settings | {kind: True}))


def test_pileup_off_needs_no_pool(cache, tmp_path):
    config = _config(cache, tmp_path, pool=PoolConfig(minimum_bias=0))
    content = _content(run(config))
    assert all((branches["Pileup_nPU"] == 0).all() for branches in content.values())


def test_jets_alone_are_those_beside_events(cache, tmp_path):
    settings = {"pool": PoolConfig(minimum_bias=0), "events_per_file": 100, "jets": True}
    both = run(_config(cache, tmp_path / "both", **settings))
    alone = run(_config(cache, tmp_path / "alone", **settings | {"jets": "only"}))
    assert [path.name for path in alone] == [path.name for path in both]
    assert sorted(path.name for path in (tmp_path / "alone").glob("*.root")) == sorted(
        p.name for p in alone
    )
    for path in both:
        beside = path.with_name(f"{path.stem}_jets.root")
        with uproot.open(beside) as one, uproot.open(tmp_path / "alone" / path.name) as other:
            found, same = (file["outnano/Jets"].arrays() for file in (one, other))
            assert found.tolist() == same.tolist()


def test_estimate_of_the_time_left(monkeypatch):
    seconds = iter([102.5, 107.5])  # two workers: half of the processor time
    monkeypatch.setattr(run_module, "monotonic", lambda: next(seconds))
    progress = Progress("events", total=30, _started=100.0)
    progress.expect("a", 20)
    progress.expect("b", 10)
    progress.finished("a", 10, 5.0)
    # Half a second per event is known of "a" only, so it counts for "b" too.
    assert progress.seconds_left == pytest.approx((10 * 0.5 + 10 * 0.5) / 2)
    progress.finished("b", 5, 10.0)
    assert progress.seconds_left == pytest.approx((10 * 0.5 + 5 * 2.0) / 2)


def test_unknown_process_lists_the_cards(tmp_path):
    with pytest.raises(ConfigError, match=r"choose from .*\bminimum_bias, "):
        load_card("ttbarr")
