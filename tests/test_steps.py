"""The commands as functions, from samples to the report of a run."""

import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

import l1met_fpga as l1met
from l1met_fpga.errors import ConfigError, RunFolderError


@pytest.mark.slow
def test_train_and_evaluate_again(tmp_path, capsys):
    stores = write_samples(tmp_path)
    settings = {**SMALL, "training.epochs": 1}
    output = tmp_path / "run"
    report = l1met.train(MODELS / "deepset.yaml", output, samples=stores, settings=settings)
    said = capsys.readouterr().out
    assert "network 3 of 3 (pruned), epoch 1/1: " in said
    assert "next: make hls" in said
    assert report.figures.model == "deepset"
    assert report.page == output / "report.html"
    shown = repr(report)
    for answer in report.answers:
        assert answer.line in shown
        assert f"<b>{answer.value}</b>" in report._repr_html_()
    again = l1met.evaluate(output, settings={"rates_khz": [5000.0]}, plots=False)
    assert [point.rate_khz for point in again.metrics.working_points] == [5000.0]
    with pytest.raises(RunFolderError, match="already holds a run"):
        l1met.train(MODELS / "deepset.yaml", output, samples=stores, settings=settings)


def test_what_a_command_refuses_is_an_exception(tmp_path):
    with pytest.raises(ConfigError, match="epoch"):
        l1met.train(MODELS / "deepset.yaml", tmp_path / "run", settings={"training.epoch": 1})
    with pytest.raises(RunFolderError):
        l1met.Report(tmp_path / "none")
