"""``l1met lint`` as a user types it."""

import pytest

from l1met_fpga.cli.app import main

from l1met_fpga.models.keras import keras  # isort: skip (before QKeras)
from qkeras import QActivation, QDense, quantized_bits, quantized_relu  # isort: skip

pytestmark = [
    pytest.mark.filterwarnings("ignore:The `keras.constraints.serialize:UserWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
]


def saved(path, *layers):
    x = y = keras.Input((4,), name="x")
    for layer in (QActivation(quantized_bits(6, 2, alpha=1), name="first"), *layers):
        y = layer(y)
    keras.Model(x, y).save(path)
    return path


def dense():
    weights = quantized_bits(5, 1, alpha=1)
    return QDense(2, kernel_quantizer=weights, bias_quantizer=weights, name="dense")


def stop(arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return stopped.value.code


def test_findings_are_shown_and_refused(tmp_path, capsys):
    path = saved(tmp_path / "m.h5", dense(), keras.layers.ReLU(max_value=2, name="limit"))
    assert stop(["lint", path]) == 8
    shown = capsys.readouterr()
    assert "max_value=2.0 is not allowed" in " ".join(shown.out.replace("│", " ").split())
    assert "1 of 1 findings are refused" in shown.err


def test_a_clean_model_passes(tmp_path, capsys):
    path = saved(tmp_path / "m.h5", dense(), QActivation(quantized_relu(6, 3), name="out"))
    assert not stop(["lint", path])
    assert "every layer of" in capsys.readouterr().out


@pytest.mark.slow
def test_a_clean_model_is_written_on_request(tmp_path, capsys):
    path = saved(tmp_path / "m.h5", dense(), QActivation(quantized_relu(6, 3), name="out"))
    project = tmp_path / "project"
    assert not stop(["lint", path, "--convert", project])
    assert (project / "firmware" / "l1met.cpp").is_file()
    assert "C simulation and Keras agree" in capsys.readouterr().out


def test_a_folder_of_others_is_not_replaced(tmp_path, capsys):
    path = saved(tmp_path / "m.h5", dense(), QActivation(quantized_relu(6, 3), name="out"))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    assert stop(["lint", path, "--convert", tmp_path / "thesis"]) == 8
    assert (tmp_path / "thesis" / "thesis.tex").read_text() == "years of work"
    assert "holds files that l1met did not make" in capsys.readouterr().err


def test_a_missing_model_is_told(tmp_path, capsys):
    assert stop(["lint", tmp_path / "no.keras"]) == 5
    assert "no model" in capsys.readouterr().err


def test_what_qkeras_cannot_read_back_is_told(tmp_path, capsys):
    path = saved(tmp_path / "m.keras", dense())
    assert stop(["lint", path]) == 5
    assert "save the model as .h5, or give the quantizer as text" in capsys.readouterr().err
