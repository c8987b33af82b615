"""What is damaged and what is then done with it: one row per kind of input."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bench import command
from keras_models import random_candidates
from mutators import damage_arguments, damage_bytes, damage_json, damage_text
from numpy.random import Generator
from slow_readers import as_lists, read, slow_root, slow_words, store_content

from l1met_fpga.config.base import load_yaml, parse
from l1met_fpga.config.distillation import load_distillation
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.config.simulation import SimulationConfig
from l1met_fpga.data.predictions import read_met
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model
from l1met_fpga.report.changes import load_report
from l1met_fpga.simulation.detector import load_detector
from l1met_fpga.simulation.generate import load_card
from l1met_fpga.simulation.sample import fingerprint, plan

__all__ = ["TARGETS", "Target"]

Damage = Callable[[bytes, Generator], bytes]
Trial = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Attributes:
        good: Good file on the bench.
        damage: How it is damaged.
        trial: What is done with the damaged file, in the bench's folder. It may raise an
            ``L1MetError`` or return an exit code.
        in_place: Whether the damaged file takes the good one's place.
        kept: Outputs that a failure may not change.
        quick: Whether a short run tries it too (not what needs TensorFlow).
    """

    good: str
    damage: Damage
    trial: Trial
    in_place: bool = False
    kept: tuple[str, ...] = ()
    quick: bool = True


CSYNTH = "run/hls/l1met_prj/solution1/syn/report/l1met_csynth.xml"


def _same_root(path: Path) -> None:
    batch = read(path)
    assert (as_lists(batch) if batch else []) == slow_root(path)


def _same_store(path: Path) -> None:
    assert store_content(path) == store_content(Path("a.h5"))


def _same_words(path: Path) -> None:
    assert as_lists(read(path)) == slow_words(path)


def _convert(*more: str) -> Trial:
    def trial(path: Path) -> int:
        typed = ("-o", "out.h5", "--overwrite", "--workers", "1", *more)
        return command("convert", path, *typed)

    return trial


def _inspect(path: Path) -> int:
    return command("inspect", path, "--json")


def _round_trip(path: Path) -> None:
    config = load_run(path)
    again = path.with_name("again.yaml")
    save_run(config, again)
    assert load_run(again) == config


def _simulation(path: Path) -> None:
    config = parse(SimulationConfig, load_yaml(path), where=str(path))
    plan(config)
    for sample in config.samples:
        fingerprint(config, sample)


def _network(path: Path) -> None:
    network = Network.load(path)
    events = random_candidates(np.random.default_rng(0), 20, n_slots=min(network.n_candidates, 128))
    for head, values in network.values(evaluate(network, events, threads=1)).items():
        kind = network.type_of(head)
        assert kind.min <= values.min() <= values.max() <= kind.max


def _report(_: Path) -> int:
    """Make a report, which names what cannot be used and is whole, or stays as it was."""
    code = command("report", "run")
    load_report(Path("run/report.json"))
    return code


def _tf_config(path: Path) -> None:
    from l1met_fpga.training.workers import place

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TF_CONFIG", path.read_text(errors="replace").replace("\0", ""))
        place()


def _arguments(path: Path) -> int:
    return command(*path.read_text(encoding="utf-8").split("\n"))


def _changed_arguments(content: bytes, rng: Generator) -> bytes:
    lines = content.decode().splitlines()
    typed = lines[int(rng.integers(len(lines)))].split()
    return "\n".join(damage_arguments(typed, rng)).encode()


def _played(form: str) -> Trial:
    return lambda path: command("compare-vectors", path, "network.json", "--vectors", form)


def _target_of_report(name: str, damage: Damage) -> Target:
    return Target(f"run/{name}", damage, _report, in_place=True)


TARGETS = {
    "root_zlib": Target("zlib.root", damage_bytes, _same_root),
    "root_plain": Target("plain.root", damage_bytes, _same_root),
    "root_converted": Target("plain.root", damage_bytes, _convert(), kept=("out.h5",)),
    "elements": Target(
        "elements.root", damage_bytes, _convert("--format", "elements"), kept=("out.h5",)
    ),
    "words": Target("a.dump", damage_bytes, _same_words),
    "words_converted": Target("a.dump", damage_bytes, _convert(), kept=("out.h5",)),
    "store": Target("a.h5", damage_bytes, _same_store),
    "store_inspected": Target("a.h5", damage_bytes, _inspect),
    "l1metml": Target("metml.h5", damage_bytes, _convert(), kept=("out.h5",)),
    "l1deepmet": Target("deepmet.npz", damage_bytes, _convert(), kept=("out.h5",)),
    "arrays": Target("met.npz", damage_bytes, read_met),
    "keras": Target("model.keras", damage_bytes, load_model, quick=False),
    "run_yaml": Target("deepset.yaml", damage_text, _round_trip),
    "run_yaml_garnet": Target("garnet.yaml", damage_text, _round_trip),
    "distillation_yaml": Target("met.yaml", damage_text, load_distillation),
    "map_yaml": Target(
        "map.yaml",
        damage_text,
        lambda path: _convert("--branch-map", str(path))(Path("zlib.root")),
        kept=("out.h5",),
    ),
    "convert_yaml": Target(
        "convert.yaml",
        damage_text,
        lambda path: _convert("--config", str(path))(Path("a.dump")),
        kept=("out.h5",),
    ),
    "simulation_yaml": Target("builtin_sample.yaml", damage_text, _simulation),
    "detector_yaml": Target("detector.yaml", damage_text, load_detector),
    "card_yaml": Target("ttbar.yaml", damage_text, lambda path: load_card(str(path))),
    "network": Target("network.json", damage_json, _network),
    "network_exported": Target(
        "network.json",
        damage_json,
        lambda path: command("export", "cpp", path, "-o", "cpp"),
        kept=("cpp/l1met_deepset.h",),
    ),
    "network_predicted": Target(
        "network.json",
        damage_json,
        lambda path: command("predict", path, "a.h5", "-o", "met_out.npz", "--overwrite"),
        kept=("met_out.npz",),
    ),
    "report_config": _target_of_report("config.yaml", damage_text),
    "report_metrics": _target_of_report("metrics.json", damage_json),
    "report_exactness": _target_of_report("bit_exactness.json", damage_json),
    "report_training": _target_of_report("training.json", damage_json),
    "report_environment": _target_of_report("environment.json", damage_json),
    "report_network": _target_of_report("network.json", damage_json),
    "report_resources": _target_of_report("rtl/resources.json", damage_json),
    "report_csynth": Target(CSYNTH, damage_text, _report, in_place=True),
    "report_vivado": _target_of_report("hls/vivado_synth.rpt", damage_text),
    "report_timing": _target_of_report("hls/timing.rpt", damage_text),
    "report_compared": Target(
        "old.json", damage_json, lambda path: command("report", "--compare", path, "run")
    ),
    "capture_empv1": Target("empv1/output.txt", damage_text, _played("empv1")),
    "capture_empv2": Target("empv2/output.txt", damage_text, _played("empv2")),
    "capture_apx": Target("apx/output.txt", damage_text, _played("apx")),
    "vectors_identity": Target(
        "empv2/vectors.json",
        damage_json,
        lambda _: _played("empv2")(Path("empv2/output.txt")),
        in_place=True,
    ),
    "arguments": Target(
        "arguments.txt",
        _changed_arguments,
        _arguments,
        kept=("out.h5", "met_out.npz", "cpp/l1met_deepset.h", "empv2/input.txt"),
    ),
    "tf_config": Target("tf_config.json", damage_json, _tf_config, quick=False),
}
