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
