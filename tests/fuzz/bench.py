"""Where damaged inputs are tried: good files of every kind, a run folder, outputs of before."""

import contextlib
import io
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import uproot
from elements_file import random_elements
from evaluation_samples import ESTIMATES, background
from evaluation_samples import signal as signal_sample
from networks import NETWORKS
from ntuples import make_events, write_l1deepmet, write_l1metml, write_perfnano, write_words
from run_records import ENVIRONMENT, write_training
from slow_readers import REQUIRED
from vendor_reports import csynth_xml, timing, utilization

from l1met_fpga.cli.app import main
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import L1MetError
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.files import write_json
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.results.metrics_file import save_metrics
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.simulation.flow_ntuple import write_elements
from l1met_fpga.tasks.met.task import TASK as MET

__all__ = ["LONGEST_SENTENCE", "Hang", "command", "guarded", "make_bench"]

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
LONGEST_S = 10.0
MOST_MEMORY = 3 << 30
"""Bytes that one damaged input may make the program ask for."""
LONGEST_SENTENCE = 4000
EXIT_CODES = {0, *(kind.exit_code for kind in L1MetError.__subclasses__()), 11} - {1}

COMMANDS = """\
inspect a.h5 --json
inspect zlib.root --branch-map map.yaml
convert zlib.root a.dump -o out.h5 --label x --role signal --order pt --overwrite --workers 1
convert a.dump -o new.h5 --format words --split-seed 3 --config convert.yaml --workers 1
export cpp network.json -o cpp
export vectors network.json --format empv2 --events 2 --lanes 3 --output-link 1 -o empv2 --generated
export cmssw network.json -o package --name L1METx --version v2
compare-vectors empv2/output.txt network.json --vectors empv2
predict network.json a.h5 zlib.root -o new.npz --form int64 --order pt
report run --check
report --compare old.json run --threshold rtl.lut=0.05
init settings
train missing.yaml -s a.h5:0.5:x --set training.epochs=1 -o run
evaluate missing -s a.h5 -o evaluated --set rates_khz=[310]
synthesize missing --build
scan missing.yaml -n 2 -o scanned --workers 1
simulate missing.yaml --set events=1 -o simulated
check missing -n 5 -o checked
lint missing.h5 --io-type io_parallel --reuse-factor 1
"""
"""Command lines to damage; those that would take long have an input that does not exist."""

MAP = """\
tree: Events
candidates:
  pt: [Newer_pt, L1PuppiCands_pt]
  eta: L1PuppiCands_eta
  phi: L1PuppiCands_phi
  pdg_id: L1PuppiCands_pdgId
  puppi_weight: L1PuppiCands_puppiWeight
charge: L1PuppiCands_charge
truth: {gen_met: {pt: genMet_pt, phi: genMet_phi}}
baselines: {puppi_met: {pt: L1PuppiMet_pt, phi: L1PuppiMet_phi}}
event: [run, luminosityBlock, event]
"""


class Hang(BaseException):
    """A damaged input kept the program busy for too long."""


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Stop what takes more than 10 s of processor time; refuse more than 3 GiB more memory."""

    def stop(*_: object) -> None:
        raise Hang(f"busy for more than {LONGEST_S} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_MEMORY, hard))
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def command(*arguments: str | Path) -> int:
    """Run ``l1met`` in this process; return its exit code.

    An exception that a user would see as a traceback goes on; a failure must be told in a sentence
    and by a code of the documentation.
    """
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = stopped.code
    said = err.getvalue()
    assert isinstance(code, int), code
    assert code in EXIT_CODES, (code, said)
    if code:
        assert "rror" in said, f"exit code {code} without a sentence: {said!r}"
        assert "Traceback" not in said, said
        assert len(said) < LONGEST_SENTENCE or said.startswith("Usage:"), said
    return code


def make_bench(folder: Path) -> Path:
    """Make good inputs of every kind in an empty folder; returns it."""
    os.chdir(folder)
    events = make_events(60, mean=20)
    write_perfnano(folder / "zlib.root", events)
    write_perfnano(folder / "plain.root", events, compression=None)
    write_elements(folder / "elements.root", [random_elements(3)])
    with uproot.recreate(folder / "ntuple.root") as file:
        file["Other"] = {"x": np.arange(5)}
    write_words(folder / "a.dump", events)
    write_l1metml(folder / "metml.h5", make_events(20))
    write_l1deepmet(folder / "deepmet.npz", make_events(20))
    candidates = {name: events.padded(name) for name in REQUIRED}
    write_store(folder / "a.h5", candidates=candidates, truth={GEN_MET: events.gen_met})
    pt, phi = events.gen_met.T
    np.savez(folder / "met.npz", pt=pt, phi=phi, gen_pt=pt, gen_phi=phi)
    NETWORKS["deepset"]().save(folder / "network.json")
    for copied in (
        "data/builtin_sample.yaml",
        "models/deepset.yaml",
        "models/garnet.yaml",
        "models/deepset/model.keras",
        "models/distillation/met.yaml",
    ):
        (folder / Path(copied).name).write_bytes((ROOT / copied).read_bytes())
    package = ROOT / "src" / "l1met_fpga"
    for copied in ("simulation/detector.yaml", "simulation/cards/ttbar.yaml"):
        (folder / Path(copied).name).write_bytes((package / copied).read_bytes())
    (folder / "map.yaml").write_text(MAP)
    (folder / "convert.yaml").write_text("label: a\norder: pt\nsplits: {train: 0.6, test: 0.3}\n")
    (folder / "arguments.txt").write_text(COMMANDS)
    (folder / "tf_config.json").write_text(
        '{"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, '
        '"task": {"type": "worker", "index": 1}}'
    )
    converted = ("-o", "out.h5", "--workers", "1", "--branch-map", "map.yaml")
    assert command("convert", "zlib.root", *converted) == 0
    for form in ("empv1", "empv2", "apx"):
        vectors = ("vectors", "network.json", "--generated", "-n", "3", "-o", form)
        assert command("export", *vectors, "--format", form) == 0
    assert command("export", "cpp", "network.json", "-o", "cpp") == 0
    assert command("predict", "network.json", "a.h5", "-o", "met_out.npz") == 0
    _make_run(folder / "run")
    assert command("report", "run") == 0
    (folder / "old.json").write_bytes((folder / "run" / "report.json").read_bytes())
    return folder


def _make_run(root: Path) -> None:
    """Make a run folder in which every stage has left its files."""
    run = RunFolder.create(root)
    config = load_run(MODELS / "deepset.yaml")
    save_run(config, run.config)
    settings = EvaluationConfig(bootstrap_samples=5, rates_khz=(310.0,))
    samples = [signal_sample(600), background(600)]
    save_metrics(
        to_metrics(evaluate(samples, MET, ESTIMATES, settings, primary="net")), run.metrics
    )
    write_json(run.environment, ENVIRONMENT)
    trained = [{"label": "ttbar", "share": 1.0, "identity": {}, "path": "a.h5"}]
    write_training(run.training, trained)
    agreement = {"events": 10, "outputs": 20, "differing": 0, "largest_lsb": 0}
    write_json(run.bit_exactness, {"int64": agreement, "hls_csim": agreement})
    NETWORKS["deepset"]().save(run.network)
    xml = csynth_report(run.hls, config.hls)
    xml.parent.mkdir(parents=True)
    xml.write_text(csynth_xml())
    (run.hls / "vivado_synth.rpt").write_text(utilization())
    (run.hls / "timing.rpt").write_text(timing())
    streaming = {
        "lanes": 3, "ii_cycles": 43, "latency_first_word_cycles": 80,
        "latency_last_word_cycles": 37, "clock_period_ns": 2.78, "lut": 20000, "ff": 9000,
        "dsp": 0, "bram": 1.5, "lut_estimate": 21000, "tool": "yosys", "tool_version": "0.50",
        "part": "xcvu13p-flga2577-2-e", "kind": "open",
    }  # fmt: skip
    run.rtl.mkdir()
    write_json(run.rtl / "resources.json", {"streaming": streaming})
