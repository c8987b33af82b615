import json

import pytest
from keras_models import MODELS
from stores import SMALL, write_samples
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.cli.run_choice import assignments, load_typed_run, typed_samples
from l1met_fpga.errors import ConfigError

run = CliRunner()


def settings():
    import yaml

    flat = {k: yaml.safe_dump(v, default_flow_style=True).strip() for k, v in SMALL.items()}
    return [a for k, v in flat.items() for a in ("--set", f"{k}={v.removesuffix('...').strip()}")]


def test_train_writes_a_run_and_prints_the_table(tmp_path):
    stores = write_samples(tmp_path)
    samples = [a for path in stores for a in ("--sample", str(path))]
    output = tmp_path / "run"
    command = ["train", str(MODELS / "deepset.yaml"), *samples, *settings(), "-o", str(output)]
    quick = ["--set", "evaluation.bootstrap_samples=10", "--set", "training.epochs=2"]
    result = run.invoke(app, [*command, *quick])
    assert result.exit_code == 0, result.output
    for text in ("PUPPI MET", "constants per particle type", "table pt", "(float)", "(unpruned)"):
        assert text in result.output
    assert "quantized, pruned" in result.output
    for text in ("PUPPI MET on the same events: validation ", "network 1 of 3 (float), epoch 1/2: ",
                 " left for all at this speed\n", "network 3 of 3 (pruned), epoch 2/2: ",
                 f"report {output}/report.html", "next: make hls"):  # fmt: skip
        assert text in result.output
    assert result.output.endswith(f"l1met synthesize {output}\n")
    assert (output / "report.html").is_file()
    for name in ("model.keras", "model_float.keras", "model_unpruned.keras", "network.json",
                 "metrics.json", "history.csv", "config.yaml", "environment.json"):  # fmt: skip
        assert (output / name).is_file(), name
    assert list((output / "plots").glob("*.png"))
    made_by = json.loads((output / "environment.json").read_text())["command"]
    assert made_by.endswith("--set training.epochs=2")
    assert f"--sample {stores[0]}" in made_by
    watched = run.invoke(app, ["watch", str(output)])
    assert watched.exit_code == 0, watched.output
    for text in (
        "float ",
        "quantized ",
        "pruned ",
        " 2/2 ",
        "the training is complete; next: l1met synthesize",
    ):
        assert text in watched.output
    again = run.invoke(app, command)
    assert "already holds a run" in str(again.exception)


@pytest.mark.slow
def test_of_several_seeds_the_best_is_the_run(tmp_path):
    stores = write_samples(tmp_path)
    samples = [a for path in stores for a in ("--sample", str(path))]
    output = tmp_path / "run"
    command = ["train", str(MODELS / "deepset.yaml"), *samples, *settings(), "-o", str(output)]
    command += ["--seeds", "2", "--no-evaluate", "--set", "training.epochs=1"]
    command += ["--set", "training.unpruned_twin=false", "--set", "training.float_twin=false"]
    result = run.invoke(app, command)
    assert result.exit_code == 0, result.output
    seeds = json.loads((output / "seeds.json").read_text())["seeds"]
    assert [one["seed"] for one in seeds] == [1, 2]
    losses = [one["val_loss"] for one in seeds]
    best = [one["chosen"] for one in seeds].index(True)
    assert losses[best] == min(losses) != max(losses)
    kept, copied = output / "seeds" / str(best + 1), output / "network.json"
    assert copied.read_bytes() == (kept / "network.json").read_bytes()
    assert json.loads((output / "training.json").read_text())["seed"] == best + 1
    for text in ("seed 2: ", "2 seeds on the validation part", f"{losses[1]:.1f}", "kept"):
        assert text in result.output
    again = run.invoke(app, [*command, "--resume"])
    assert "is complete; start again with --overwrite" in str(again.exception)
    # cut off while the second seed was trained
    (output / "training.json").unlink()
    (output / "network.json").unlink()
    (output / "seeds" / "2" / "training.json").unlink()
    result = run.invoke(app, [*command, "--resume"])
    assert result.exit_code == 0, result.output
    assert json.loads((output / "seeds.json").read_text())["seeds"] == seeds
    assert "seed 1: " not in result.output
    (output / "training.json").unlink()
    other = run.invoke(app, [*command, "--resume", "--set", "training.batch_size=32"])
    assert "training.batch_size was 64, is 32" in str(other.exception)


def test_samples_may_have_a_share(tmp_path):
    deepset = MODELS / "deepset.yaml"
    config = load_typed_run(deepset, ["a.h5:0.25", "b.h5"], ["training.epochs=3"])
    assert [(str(s.path), s.weight) for s in config.samples] == [("a.h5", 0.25), ("b.h5", None)]
    assert config.training.epochs == 3
    with pytest.raises(ConfigError, match=r"samples\.0\.weight: .* number"):
        load_typed_run(deepset, ["a.h5:much"], None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.h5", {"path": "a.h5"}),
        ("a.root:0.5", {"path": "a.root", "weight": 0.5}),
        ("a.root:0.5:top", {"path": "a.root", "weight": 0.5, "label": "top"}),
        ("a.root::top", {"path": "a.root", "label": "top"}),
        ("a.root:background", {"path": "a.root", "role": "background"}),
        (
            "x/*.root:0.7:nu:background",
            {"path": "x/*.root", "weight": 0.7, "label": "nu", "role": "background"},
        ),
    ],
)
def test_forms_of_a_sample(text, expected):
    assert typed_samples(text) == [expected]


def test_samples_by_glob_and_with_colons_in_their_names(tmp_path):
    for name in ("a.h5", "b.h5", "run:3.h5"):
        (tmp_path / name).touch()
    assert typed_samples(f"{tmp_path}/run:3.h5:0.5") == [
        {"path": f"{tmp_path}/run:3.h5", "weight": 0.5}
    ]
    found = [sample["path"] for sample in typed_samples(f"{tmp_path}/[ab].h5")]
    assert found == [f"{tmp_path}/a.h5", f"{tmp_path}/b.h5"]
    with pytest.raises(ConfigError, match="stands for 2 stores; give each its own --sample"):
        typed_samples(f"{tmp_path}/[ab].h5:0.5")
    with pytest.raises(ConfigError, match=r"--sample takes FILE\[:SHARE"):
        typed_samples("a.root:1:2:3")


def test_help_has_an_example():
    for command in ("train", "scan"):
        text = run.invoke(app, [command, "--help"]).output
        assert f"l1met {command} models/deepset.yaml" in text


def test_wrong_assignment_and_resume_without_folder():
    result = run.invoke(app, ["train", str(MODELS / "deepset.yaml"), "--set", "training.epochs"])
    assert isinstance(result.exception, ConfigError)
    assert "--set takes KEY=VALUE" in str(result.exception)
    assert assignments(["a.b=1", "c=x=y", "a.b=2"]) == {"a.b": "2", "c": "x=y"}
    result = run.invoke(app, ["train", str(MODELS / "deepset.yaml"), "--resume"])
    assert "--resume needs --output" in str(result.exception)


def test_missing_configuration_file(tmp_path):
    result = run.invoke(app, ["train", str(tmp_path / "none.yaml")])
    with pytest.raises(ConfigError, match="no configuration file"):
        raise result.exception
