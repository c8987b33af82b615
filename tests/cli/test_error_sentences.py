"""Every command, given what it cannot use under awkward names, says so in one sentence."""

import itertools
from pathlib import Path

import pytest
from ntuples import make_events, write_words

from l1met_fpga.cli.app import COMMANDS, main

NAMES = (
    "a b",
    "[/x]",
    "[bold]x",
    "a:b",
    """it's "so\"""",
    "-dash",
    "n" * 240,
    "été",
    ":warning:",
    "{x}",
    "%s",
)
FILES = {  # commands that read a file: what stands around its name, its ending, its exit code
    "convert": (["--output", "out.h5"], ".root", 3),
    "inspect": ([], ".h5", 3),
    "show": (["--output", "out.html"], ".h5", 3),
    "train": ([], ".yaml", 2),
    "scan": ([], ".yaml", 2),
    "distill compare": (["--output", "out"], ".yaml", 2),
    "simulate": ([], ".yaml", 2),
    "lint": ([], ".keras", 5),
    "import_": (["--output", "out.json"], ".keras", 5),
}
FOLDERS = {  # commands that read a folder
    "check": ([], 5),
    "synthesize": ([], 5),
    "explore": ([], 5),
    "evaluate": ([], 5),
    "report": ([], 5),
    "watch": ([], 5),
    "compare": (["--output", "out"], 5),
    "predict": (["--output", "out.npz"], 5),
    "compare_vectors": ([], 5),
    "export cpp": (["--output", "out"], 5),
    "export vectors": (["--output", "out"], 5),
    "validate_simulation": ([], 3),
}
TAKE_NETWORKS = {"compare_vectors", "export cpp", "export vectors", "predict"}
TAKE_TWO = {"compare", "compare_vectors", "predict"}
OTHERS = {"init", "doctor", "config"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def says(capsys):
    """Run a command that must fail and return its exit code and its only line on stderr."""

    def run(command, options, *names):
        with pytest.raises(SystemExit) as stopped:
            main([*command.replace("_", "-").strip("-").split(), *options, "--", *names])
        lines = capsys.readouterr().err.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        assert len(errors) == 1, lines
        assert not any("Traceback" in line for line in lines)
        return stopped.value.code, errors[0]

    return run


def test_every_command_is_here():
    assert {name.split()[0] for name in (*FILES, *FOLDERS, *OTHERS)} == set(
        itertools.chain(*COMMANDS.values())
    )


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("stem", NAMES)
def test_a_file_that_is_not_there(command, stem, says, here):
    options, suffix, expected = FILES[command]
    code, sentence = says(command, options, stem + suffix)
    assert code == expected
    assert stem + suffix in sentence
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("stem", NAMES)
def test_a_folder_instead_of_a_file(command, stem, says, here):
    options, suffix, _ = FILES[command]
    (here / (stem + suffix)).mkdir(parents=True)
    before = sorted(here.rglob("*"))
    _, sentence = says(command, options, stem + suffix)
    assert stem + suffix in sentence
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("stem", NAMES)
def test_a_file_of_another_kind(command, stem, says, here):
    options, suffix, expected = FILES[command]
    (here / (stem + suffix)).parent.mkdir(exist_ok=True)
    (here / (stem + suffix)).write_bytes(b"\x00\xff: [no such thing")
    code, sentence = says(command, options, stem + suffix)
    assert code == expected
    assert stem + suffix in sentence


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["missing", "empty", "a file"])
def test_a_folder_that_is_no_run(command, name, kind, says, here):
    options, expected = FOLDERS[command]
    (here / name).parent.mkdir(exist_ok=True)
    if kind == "empty":
        (here / name).mkdir()
    elif kind == "a file":
        (here / name).touch()
    names = [name, name] if command in TAKE_TWO else [name]
    code, sentence = says(command, options, *names)
    # some commands take a file for a network.json
    assert code == (8 if kind == "a file" and command in TAKE_NETWORKS else expected)
    # RUN:NAME gives a run another name where several can be given
    assert (name.split(":")[0] if command in {"evaluate", "compare"} else name) in sentence


@pytest.mark.parametrize("name", NAMES)
def test_an_output_that_cannot_be_written(name, says, here):
    """A file stands where a folder is needed, which stops every user, root too."""
    (here / name).parent.mkdir(exist_ok=True)
    (here / name).touch()
    write_words(here / "in.dump", make_events(3))
    output = f"./{name}/out.h5"
    for command, options, given in (
        ("convert", ["--output", output], ["in.dump"]),
        ("init", [], [f"./{name}/folder"]),
    ):
        code, sentence = says(command, options, *given)
        assert code in {3, 74}
        assert name in sentence
    assert (here / name).read_bytes() == b""


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_that_is_not_there(name, says, here):
    recipe = Path(__file__).parents[2] / "models/deepset.yaml"
    code, sentence = says("train", ["--sample", f"./{name}.h5:0.5"], str(recipe))
    assert code in {2, 3}
    # only a file that is there can have a colon: what follows one is a share
    assert f"{name.split(':')[-1]}.h5" in sentence


@pytest.mark.parametrize("text", ["training.epochs=[1,", "training.epochs={", "training.epochs='"])
def test_a_setting_that_is_no_yaml(text, says):
    recipe = Path(__file__).parents[2] / "models/deepset.yaml"
    assert says("train", ["--set", text], str(recipe))[0] == 2
