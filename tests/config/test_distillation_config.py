import pytest
from keras_models import MODELS

from l1met_fpga.config.base import dotted
from l1met_fpga.config.distillation import load_distillation
from l1met_fpga.config.yaml_text import write_yaml
from l1met_fpga.errors import ConfigError

GOOD = {
    "student": "deepset.yaml",
    "teachers": {"large": {"config": "large.yaml"}},
    "arms": {
        "plain": {},
        "taught": {"teachers": ["large"], "settings": {"training": {"teacher": {"weight": 1}}}},
    },
}


def load(tmp_path, changes):
    path = tmp_path / "study.yaml"
    path.write_text(write_yaml(GOOD), encoding="utf-8")
    return load_distillation(path, changes)


def test_settings_are_sections_or_dotted_keys():
    both = {"training": {"epochs": 3, "loss": {"kind": "mse"}}, "model.phi.0.units": 4}
    assert dotted(both) == {
        "training.epochs": 3, "training.loss.kind": "mse", "model.phi.0.units": 4
    }  # fmt: skip


def test_the_shipped_comparison_has_its_controls():
    study = load_distillation(MODELS / "distillation" / "met.yaml")
    assert study.baseline == "plain"
    assert study.seeds >= 5
    assert {"taught", "ensemble", "itself", "shuffled"} <= {*study.arms}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {"plain": {}}}, r"arms must be two or more ways to train, got \['plain'\]"),
        ({"arms.taught.teachers": ["big"]}, r"names 'big'; who can teach: large, plain"),
        ({"arms.taught.teachers": ["taught"]}, r"names 'taught'; who can teach: large, plain"),
        ({"arms.plain.teachers": ["large"]}, r"the first arm, 'plain', .* can have no teachers"),
        ({"arms.large": {}}, r"'large' is the name of an arm and of a teacher"),
        ({"arms.taught.every_seed": True}, r"every_seed is of arms that teach, and none"),
        ({"seeds": 1}, r"seeds"),
        ({"arms.a/b": {}}, r"letters, digits, _ and -"),
        (
            {"settings": {"training": {"seed": 3}}},
            r"settings: training\.seed is set by seeds and first_seed; leave it out",
        ),
        (
            {"settings.training.teacher.twin": True},
            r"settings: training\.teacher\.twin is set by teachers of an arm; leave it out",
        ),
        (
            {"arms.plain.settings.training.unpruned_twin": True},
            r"unpruned_twin is set by the comparison, which judges the network that becomes firmware",
        ),
        ({"arms.plain.settings.samples": []}, r"arms\.plain\.settings: samples is set by samples"),
        (
            {"teachers.large.settings": {"training.seed": 3}},
            r"teachers\.large\.settings: training\.seed is set by seeds",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, changes)
