"""A run folder is made once, read by every step, and written by one command at a time."""

import multiprocessing
import time

import pytest

from l1met_fpga.errors import RunFolderError
from l1met_fpga.run_folder import RunFolder


def test_a_folder_made_by_others_is_never_cleared(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match="was not made by l1met; refusing to touch it"):
        RunFolder.create(tmp_path, clear=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_earlier_run_is_replaced_only_when_asked(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    run.history.write_text("epoch\n")
    with pytest.raises(RunFolderError, match="already holds a run; resume it with --resume"):
        RunFolder.create(tmp_path / "run")
    assert run.history.exists()
    RunFolder.create(tmp_path / "run", clear=True)
    assert not run.history.exists()


def test_open_refuses_missing_and_foreign_folders(tmp_path):
    with pytest.raises(RunFolderError, match="does not exist; make one with `l1met train`"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(RunFolderError, match="was not made by l1met"):
        RunFolder.open(tmp_path)


def test_need_names_the_command_that_makes_a_file(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"no metrics\.json; it is made by `l1met evaluate`"):
        run.need(run.metrics, made_by="l1met evaluate")


def shipped(root):
    """What a shipped network has: no mark, nothing that firmware made."""
    root.mkdir()
    for name in ("config.yaml", "network.json", "model.keras"):
        (root / name).write_text(f"the {name}")
    return root


def test_a_shipped_network_is_read_and_never_written(tmp_path):
    run = RunFolder.open(shipped(tmp_path / "deepset"))
    assert run.need(run.network, made_by="l1met train").read_text() == "the network.json"
    with pytest.raises(RunFolderError, match=r"is a shipped network, .* with --output FOLDER"):
        run.writable()


def test_a_run_that_may_not_be_written_needs_an_output(tmp_path, monkeypatch):
    run = RunFolder.create(tmp_path / "run")
    assert run.writable() is run
    assert run.writable(tmp_path / "run") is run
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(RunFolderError, match="may not be written; say where results go"):
        run.writable()
    assert run.writable(tmp_path / "elsewhere").root == tmp_path / "elsewhere"


def test_a_copy_keeps_what_was_made_in_it(tmp_path):
    run = RunFolder.open(shipped(tmp_path / "deepset"))
    copy = run.writable(tmp_path / "out")
    assert RunFolder.open(copy.root) == copy
    assert copy.model.read_text() == "the model.keras"
    copy.rtl.mkdir()
    (copy.rtl / "top.v").write_text("hours of work")
    run.metrics.write_text("{}")
    again = run.writable(tmp_path / "out")
    assert (again.rtl / "top.v").read_text() == "hours of work"
    assert again.metrics.read_text() == "{}"
    assert not run.rtl.exists()


def test_a_copy_never_mixes_two_networks_or_foreign_files(tmp_path):
    run = RunFolder.open(shipped(tmp_path / "deepset"))
    copy = run.writable(tmp_path / "out")
    copy.network.write_text("another")
    with pytest.raises(RunFolderError, match="holds another network than"):
        run.writable(copy.root)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match="was not made by l1met; refusing to touch it"):
        run.writable(tmp_path / "thesis")


def _write_slowly(root, name):
    run = RunFolder(root)
    with run.writing():
        busy = root / "busy"
        assert not busy.exists(), "two commands wrote at once"
        busy.touch()
        time.sleep(0.2)
        busy.unlink()
        (root / name).touch()


def test_one_command_at_a_time_writes_in_a_run(tmp_path):
    context = multiprocessing.get_context("spawn")
    run = RunFolder.create(tmp_path / "run")
    writers = [context.Process(target=_write_slowly, args=(run.root, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert {"a", "b"} <= {path.name for path in run.root.iterdir()}


def test_a_run_is_not_replaced_while_a_command_writes_in_it(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=_write_slowly, args=(run.root, "a"))
    writer.start()
    while not (run.root / "busy").exists():
        time.sleep(0.001)
    fresh = RunFolder.create(run.root, clear=True)
    writer.join(60)
    assert writer.exitcode == 0, "it was written in to the end, and only then replaced"
    assert [path.name for path in fresh.root.iterdir()] == [".l1met-run"]
