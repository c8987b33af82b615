import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from l1met_fpga.cli import app, terminal
from l1met_fpga.cli.closing import print_answers
from l1met_fpga.report.answer import Answer

NAMES = [
    "a[/x].h5",
    "a[bold].h5",
    "[red]",
    ":warning:.h5",
    "l1met_fpga[xrootd]",
    "".join(map(str, range(120))),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_printed_letter_by_letter(name, capsys):
    console = terminal.console()
    console.print(f"wrote {name}")
    console.print(terminal.styled("styled ", (name, "bold")))
    table = Table("column", title=name[:100])
    table.add_row(name[:100])
    console.print(table)
    terminal.print_error(f"no file {name}")
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:2] == [f"wrote {name}", f"styled {name}"]
    assert printed.out.count(name[:100]) == 4
    assert printed.err == f"error: no file {name}\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_waiting_line_takes_any_name(name):
    with terminal.console(stderr=True).status(terminal.styled(f"reading {name}")):
        pass


def test_what_the_operating_system_refused_names_the_files():
    assert terminal.readable_os_error(PermissionError(13, "Permission denied", "a[/b]")) == (
        "a[/b]: Permission denied"
    )
    assert terminal.readable_os_error(OSError(18, "Cross-device link", "a", None, "b")) == (
        "a -> b: Cross-device link"
    )
    assert terminal.readable_os_error(OSError("unable to open")) == "unable to open"


def test_a_place_where_no_folder_can_be_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("link").symlink_to("nowhere")
    Path("folder").mkdir()
    needed = "and a folder is needed there; choose another place"
    for name, sentence in (
        ("file", f"file: file is no folder, {needed}"),
        ("file/a/b", f"file/a/b: file is no folder, {needed}"),
        ("link/a", f"link/a: link leads nowhere, {needed}"),
    ):
        with pytest.raises((FileExistsError, NotADirectoryError)) as caught:
            Path(name).mkdir(parents=True, exist_ok=True)
        error = OSError(caught.value.errno, caught.value.strerror, name)
        assert terminal.readable_os_error(error) == sentence
    with pytest.raises(IsADirectoryError) as caught:
        Path("folder").write_text("")
    assert terminal.readable_os_error(caught.value) == (
        "folder: it is a folder, and a file is needed there; choose another name"
    )


def _raising(error):
    def command(*, args):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (PermissionError(13, "Permission denied", "x[/y]"), 74, "x[/y]: Permission denied"),
        (IsADirectoryError(21, "Is a directory", "models"), 74, "models: it is a folder, and a"),
        (OSError(36, "File name too long", "n" * 250), 74, "n" * 250 + ": File name too long"),
        (SystemExit(130), 130, "interrupted"),
    ],
)
def test_what_stops_the_program_becomes_one_sentence(error, code, says, monkeypatch, capsys):
    monkeypatch.setattr(app, "app", _raising(error))
    with pytest.raises(SystemExit) as stopped:
        app.main([])
    assert stopped.value.code == code
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert says in printed


def test_an_unexpected_error_keeps_its_traceback_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(app, "app", _raising(ZeroDivisionError("x")))
    with pytest.raises(ZeroDivisionError):
        app.main([])
    assert "please report it" in capsys.readouterr().err


def test_ctrl_c_is_a_sentence(monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("l1met_fpga.data.inspect.inspect_file", stopped)
    with pytest.raises(SystemExit, match="130"):
        app.main(["inspect", "x.h5"])
    assert capsys.readouterr().err == (
        "error: interrupted; what was finished stays, nothing is left half written\n"
    )


def test_an_encoding_without_the_letters_prints_on(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    assert not terminal.stream_prints("█")
    assert terminal.stream_prints("é")
    terminal.tolerant_streams()
    terminal.console().print("é █ ±")
    sys.stdout.flush()
    assert raw.getvalue().decode("latin-1") == "é ? ±\n"


def test_a_reader_that_goes_away_is_no_error():
    """As in ``l1met inspect FILE | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    code = (
        "from l1met_fpga.cli import app, terminal\n"
        "app.app = lambda args: terminal.console().print('x')\n"
        "app.main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_more_there_is_to_say_stands_below_an_answer(capsys):
    answers = (
        Answer("ttbar", "0.6", "2 times", "good", more="to the table"),
        Answer("clock", "360 MHz", "", "open"),
    )
    print_answers(terminal.console(), answers)
    assert capsys.readouterr().out == "ttbar: 0.6; 2 times\n  to the table\nclock: 360 MHz\n"
