"""``l1met export`` as a user types it."""

import json
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from met_head import met_codes
from require import require
from typer.testing import CliRunner

from l1met_fpga.cli.app import app, main
from l1met_fpga.firmware.export.forms import exported_forms
from l1met_fpga.models.network import Network

MODELS = Path(__file__).parents[2] / "models"
NETWORK = MODELS / "deepmet" / "network.json"


def printed_command(output):
    return output.splitlines()[-1].strip()


@pytest.mark.parametrize("kind", ["cpp", "cmssw", "vectors", "emp", "ip"])
def test_help_has_an_example(kind):
    shown = CliRunner().invoke(app, ["export", kind, "--help"], terminal_width=120)
    assert shown.exit_code == 0
    assert f"l1met export {kind} runs/deepset" in shown.output


def test_cpp_prints_a_command_that_builds_it(tmp_path):
    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")
    out = tmp_path / "out [1]"  # not markup
    done = CliRunner().invoke(app, ["export", "cpp", str(NETWORK), "-o", str(out)])
    assert done.exit_code == 0, done.output
    command = printed_command(done.output)
    assert command.startswith("cd ")
    subprocess.run(command, shell=True, check=True, cwd="/")  # noqa: S602 - as a user does
    assert (out / "libl1met_deepmet.so").is_file()


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ('{"name": "x"}', 8, "is no network that l1met can use: n_candidates: Field required"),
        ("not JSON", 8, "Invalid JSON"),
        (b"\xff\xfe\x00", 8, "Invalid JSON"),
        (None, 5, "does not exist"),
    ],
)
def test_a_bad_source_is_one_sentence_and_writes_nothing(content, code, says, tmp_path, capsys):
    source = tmp_path / "network.json"
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content is not None:
        source.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        main(["export", "cpp", str(source), "-o", str(tmp_path / "out")])
    assert stopped.value.code == code
    assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_check_holds_the_exports_against_keras(tmp_path):
    from test_cli_synthesize import main_ok, trained

    require("g++", shutil.which("g++") is not None, install="install GCC 10 or newer")
    run = trained(tmp_path / "run")
    main_ok(["check", str(run.root), "--events", "2000"])
    result = json.loads(run.bit_exactness.read_text())
    for form in ("cpp", "cmssw"):
        assert result[form]["against"] == "keras"
        assert result[form]["differing"] == 0


def test_check_says_when_the_exports_cannot_be_compiled(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", str(tmp_path))
    network = Network.load(NETWORK)
    with caplog.at_level("WARNING", logger="l1met_fpga"):
        assert exported_forms(network, tmp_path) == {}
    assert "the exports were not checked: g++ and make is not on PATH" in caplog.text


def test_vectors_and_comparison(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["export", "vectors", str(NETWORK), "--format", "apx", "-n", "5", "-o", "v"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert printed_command(done.output) == f"l1met compare-vectors CAPTURE {NETWORK} --vectors v"
    compare = ["compare-vectors", "v/output.txt", str(NETWORK), "--vectors", "v"]
    done = CliRunner().invoke(app, compare)
    assert done.exit_code == 0, done.output
    assert "v/output.txt: 0 of 5 events differ; the first result is in frame 0" in done.output
    text = Path("v/output.txt").read_text()
    Path("v/output.txt").write_text(
        text.replace("0x0b 0x0000", "0x0b 0x4000").replace("0x0f 0x0000", "0x0f 0x4000")
    )
    with pytest.raises(SystemExit) as stopped:
        main(compare)
    assert stopped.value.code == 9
    said = " ".join(capsys.readouterr().err.split())
    assert "5 of 5 events differ; the first is event 0, frame 0, bit 62 (always zero)" in said


@pytest.mark.slow
def test_vectors_of_a_run_go_to_its_folder(tmp_path, capsys):
    """Stress events as test events: those that no word can carry are refused."""
    from test_cli_synthesize import main_ok, trained

    run = trained(tmp_path / "run")
    with pytest.raises(SystemExit) as stopped:
        main(["export", "vectors", str(run.root), "--events", "52"])
    assert stopped.value.code == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "of 52 test events hold candidates that no 64-bit word can carry" in said
    assert not (run.root / "vectors").exists()
    main_ok(["export", "vectors", str(run.root), "--events", "18", "--generated"])
    main_ok(["compare-vectors", str(run.root / "vectors" / "output.txt"), str(run.root)])


def words_of(events):
    """A stand-in for a run's test events."""
    return lambda network, config, n_events: events


def test_test_events_become_words(monkeypatch):
    from rtl_designs import random_candidates, small_network

    from l1met_fpga.errors import DataError
    from l1met_fpga.firmware.export import vector_events
    from l1met_fpga.puppi.words import unpack
    from l1met_fpga.run_folder import RunFolder

    events = random_candidates(np.random.default_rng(3), 30)
    monkeypatch.setattr(vector_events, "test_events", words_of(events))
    monkeypatch.setattr(vector_events, "load_run", lambda path: None)
    run = RunFolder(MODELS / "deepmet")
    words = vector_events.test_words(small_network("deepmet"), run, 20)
    columns = unpack(words)
    filled = events["pt"][:20] > 0
    for name, codes in events.items():
        assert (columns[name][filled] == codes[:20][filled]).all()
    with pytest.raises(DataError, match=r"hold 30 test events, 40 were asked for; .*--generated"):
        vector_events.test_words(small_network("deepmet"), run, 40)


def test_board_exports_print_what_to_do_next(tmp_path):
    emp = ["export", "emp", str(NETWORK), "--input-links", "4,5,6", "-o", str(tmp_path / "met")]
    done = CliRunner().invoke(app, emp)
    assert done.exit_code == 0, done.output
    assert printed_command(done.output).endswith("create vivado my_project met: emp_payload.dep")
    done = CliRunner().invoke(app, ["export", "ip", str(NETWORK), "-o", str(tmp_path / "ip")])
    assert done.exit_code == 0, done.output
    assert printed_command(done.output).endswith("vivado -mode batch -source package_ip.tcl")


def test_links_that_are_no_numbers_are_refused(tmp_path, capsys):
    emp = ["export", "emp", str(NETWORK), "--input-links", "4,x", "-o", str(tmp_path / "met")]
    with pytest.raises(SystemExit) as stopped:
        main(emp)
    assert stopped.value.code == 2
    assert "--input-links takes numbers with commas between, got '4,x'" in capsys.readouterr().err


def test_network_takes_the_place_of_a_run(tmp_path, capsys):
    for command in (
        ["synthesize", str(tmp_path), "--network", str(NETWORK)],
        ["synthesize", "--expected", "events.npz"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        assert stopped.value.code == 2
        assert "--network takes the place of a run folder" in capsys.readouterr().err


@pytest.mark.slow
def test_synthesize_a_network_from_elsewhere(tmp_path, monkeypatch):
    from rtl_designs import random_candidates, small_network
    from test_cli_synthesize import main_ok

    monkeypatch.chdir(tmp_path)
    network = small_network("deepset")
    network.save(Path("network.json"))
    columns = random_candidates(np.random.default_rng(3), 2000)
    np.savez("events.npz", met_codes=met_codes(network, columns), **columns)
    arguments = ["--network", "network.json", "--expected", "events.npz", "--events", "200"]
    main_ok(["synthesize", *arguments, "--build"])
    run = Path("runs/deepset-imported")
    main_ok(["check", str(run), "--events", "100"])
    result = json.loads((run / "bit_exactness.json").read_text())
    forms = {"hls_csim", "rtl_interpreter", "rtl_verilator", "cpp", "cmssw"}
    assert {name: result[name]["differing"] for name in forms} == dict.fromkeys(forms, 0)
    assert result["int64"]["against"] == "expected"
    assert result["int64"]["events"] == 2000
    report = json.loads((run / "report.json").read_text())
    assert report["rtl"]["lut"] > 0
    assert report["bit_exactness"]["hls_csim"]["differing"] == 0


@pytest.mark.filterwarnings("ignore:'[A-Za-z]+' deprecated - use:DeprecationWarning")
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_import_proves_a_keras_model_and_says_what_comes_next(suffix, tmp_path, monkeypatch):
    import foreign_models

    from l1met_fpga.firmware.imported import create_imported_run

    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras advises the other format, QKeras's serializer warns
        foreign_models.l1metml(8).save(f"l1metml.{suffix}")
    inputs = [f"--input={k}={v}" for k, v in foreign_models.L1METML_INPUTS.items()]
    command = ["import", f"l1metml.{suffix}", *inputs, "-o", "n.json", "--expected", "e.npz"]
    done = CliRunner().invoke(app, [*command, "--events", "200"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "0 of 400 results differ from the model in 200 events" in done.output
    printed = printed_command(done.output)
    assert printed == "l1met synthesize --network n.json --expected e.npz --build"
    run = create_imported_run(Path("n.json"), Path("e.npz"), Path("run"))
    assert Network.load(run.network).name == "l1metml"


def test_import_of_a_bad_file_writes_nothing(tmp_path, capsys):
    (tmp_path / "x.h5").write_text("no model")
    for name, code in (("missing.h5", 5), ("x.h5", 5)):
        with pytest.raises(SystemExit) as stopped:
            main(["import", str(tmp_path / name), "-o", str(tmp_path / "network.json")])
        assert stopped.value.code == code
        assert name in capsys.readouterr().err
    assert not (tmp_path / "network.json").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'[A-Za-z]+' deprecated - use:DeprecationWarning")
def test_an_imported_model_becomes_firmware_that_agrees(tmp_path, monkeypatch):
    import foreign_models
    from test_cli_synthesize import main_ok

    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        foreign_models.l1metml(16).save("l1metml.h5")
    inputs = [f"--input={k}={v}" for k, v in foreign_models.L1METML_INPUTS.items()]
    main_ok(["import", "l1metml.h5", *inputs, "--met-type", "fixed<18,13,RND,SAT>",
             "--expected", "events.npz"])  # fmt: skip
    main_ok(["synthesize", "--network", "network.json", "--expected", "events.npz", "--build"])
    run = Path("runs/l1metml-imported")
    main_ok(["check", str(run)])
    result = json.loads((run / "bit_exactness.json").read_text())
    forms = {"int64", "hls_csim", "rtl_interpreter", "rtl_verilator", "cpp", "cmssw"}
    assert {name: result[name]["differing"] for name in forms} == dict.fromkeys(forms, 0)
    assert result["int64"]["against"] == "expected"
