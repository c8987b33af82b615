import pytest
import yaml

from l1met_fpga.errors import ConfigError
from l1met_fpga.simulation.detector import default_path, load_detector


def _changed(tmp_path, change):
    raw = yaml.safe_load(default_path().read_text())
    change(raw)
    path = tmp_path / "detector.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_every_number_has_a_unit_and_a_source():
    raw = yaml.safe_load(default_path().read_text())
    for section in raw.values():
        for quantity in section.values():
            assert set(quantity) == {"value", "unit", "source"}
            assert quantity["source"]


def test_puppi_table_is_the_published_one():
    # l1ctLayer1_cff d536c12, barrel and HF columns, typed in by hand.
    p = load_detector().puppi
    assert (p.alpha_slope[0], p.alpha_zero[0], p.alpha_crop[0], p.prior[0]) == (0.7, 6.0, 4.0, 5.0)
    assert (p.prior_photon[0], p.pt_zero_gev[0], p.pt_zero_photon_gev[0]) == (1.0, 4.0, 2.5)
    assert (p.alpha_slope[4], p.alpha_zero[4], p.alpha_crop[4], p.prior[4]) == (0.6, 9.0, 4.0, 6.0)
    assert p.max_dz_cm == (0.5, 1.33, 1.33)
    assert p.cut_pt_gev == (1, 1, 2, 4, 10)


def test_unknown_number_names_its_neighbour(tmp_path):
    def change(raw):
        raw["tracks"]["min_pt_gevv"] = raw["tracks"].pop("min_pt_gev")

    with pytest.raises(ConfigError, match=r"did you mean 'min_pt_gev'\?"):
        load_detector(_changed(tmp_path, change))


def test_number_without_source_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"tracks\.min_pt_gev\.source"):
        load_detector(_changed(tmp_path, lambda raw: raw["tracks"]["min_pt_gev"].pop("source")))


def test_list_of_wrong_length_is_refused(tmp_path):
    def change(raw):
        raw["puppi"]["prior"]["value"] = [1.0, 2.0]

    with pytest.raises(ConfigError, match=r"puppi\.prior must have 5 numbers, got 2"):
        load_detector(_changed(tmp_path, change))


def test_one_number_where_a_list_belongs_is_refused(tmp_path):
    def change(raw):
        raw["puppi"]["prior"]["value"] = 1.0

    with pytest.raises(ConfigError, match=r"puppi\.prior must be a list"):
        load_detector(_changed(tmp_path, change))
