"""What files say of their truth, their baselines and their weights, and what a store keeps of it."""

from dataclasses import replace

import numpy as np
import pytest
from ntuples import make_events, write_perfnano

from l1met_fpga.cli.app import main
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.inspect import inspect_file
from l1met_fpga.data.part_file import create_part, read_part, read_part_record
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import create_store
from l1met_fpga.data.truth import GEN_MET


def typed(*words, code=0):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == code


def zero_met(events):
    return replace(events, gen_met=np.zeros_like(events.gen_met))


def test_a_file_whose_generator_met_is_zero_throughout_has_no_truth(tmp_path):
    good, zero = make_events(40, seed=1), zero_met(make_events(30, seed=2, first_event=100))
    for name, events in {"good.root": good, "zero.root": zero}.items():
        write_perfnano(tmp_path / name, events)
    inputs = [str(tmp_path / name) for name in ("good.root", "zero.root")]
    counts = convert(inputs, tmp_path / "o.h5", ConvertConfig(label="ttbar"), workers=1)
    assert (counts["gen_met_all_zero"], counts["gen_met_missing"]) == (30, 30)
    with Store.open(tmp_path / "o.h5") as store:
        gen = store.truth(GEN_MET)
        np.testing.assert_array_equal(np.isnan(gen).all(axis=1), [False] * 40 + [True] * 30)
        assert store.attributes.counts["gen_met_all_zero"] == 30


def test_a_background_file_keeps_its_zeros(tmp_path, capsys):
    write_perfnano(tmp_path / "nu.root", zero_met(make_events(30)))
    output = tmp_path / "SingleNeutrino_PU200.h5"
    command = ["convert", str(tmp_path / "nu.root"), "-o", str(output)]
    typed(*command, "--role", "background")
    said = " ".join(capsys.readouterr().out.split())
    assert "30 events, label 'SingleNeutrino_PU200', background" in said
    assert "generator" not in said  # that files lack a truth is nothing where none is needed
    with Store.open(output) as store:
        assert store.is_background
        np.testing.assert_array_equal(store.truth(GEN_MET), np.zeros((30, 2)))
    typed(*command, "--overwrite")
    said = " ".join(capsys.readouterr().out.split())
    assert "label 'SingleNeutrino_PU200', signal" in said
    assert (
        "30 events of files whose generator MET is zero throughout, which is no truth "
        "(pile-up-only events need --role background)"
    ) in said
    with Store.open(output) as store:
        assert np.isnan(store.truth(GEN_MET)).all()


def test_an_unknown_role_lists_the_known(tmp_path, capsys):
    typed("convert", "a.root", "-o", str(tmp_path / "o.h5"), "--role", "noise", code=2)
    said = " ".join(capsys.readouterr().err.split())
    assert said.endswith("role: Input should be 'signal' or 'background', got 'noise'")


def test_baselines_pass_through_a_part_and_only_those_of_every_file_are_kept(tmp_path):
    events = make_events(5)
    met = np.arange(10.0).reshape(5, 2)
    batch = Examples.of(
        events.counts,
        {name: column.astype(np.int16) for name, column in events.columns.items()},
        ids=events.event_id,
        besides={"baselines/L1PFMet_xy_gev": met, "baselines/L1HT_gev": met[:, 0]},
    )
    with create_part(tmp_path / "0.part", "made so", {}, {}) as writer:
        writer.append(batch)
        writer.append(batch)
    record = read_part_record(tmp_path / "0.part")
    first, second = read_part(tmp_path / "0.part", record)
    for found in (first, second):
        np.testing.assert_array_equal(found.besides["baselines/L1PFMet_xy_gev"], met)
        np.testing.assert_array_equal(found.besides["baselines/L1HT_gev"], met[:, 0])
    with create_store(
        tmp_path / "o.h5", label="a", order="as_is", besides=["baselines/L1HT_gev"]
    ) as store_writer:
        store_writer.append(first)
    with Store.open(tmp_path / "o.h5") as store:
        assert store.baselines == ("L1HT_gev",)
        np.testing.assert_array_equal(store.baseline("L1HT_gev"), met[:, 0])


@pytest.mark.parametrize(("n_negative", "said"), [(0, 0), (7, 7)])
def test_generator_weights_are_not_ignored_without_a_word(tmp_path, capsys, n_negative, said):
    weights = np.where(np.arange(40) < 40 - n_negative, 2.5, -2.5).astype(np.float32)
    write_perfnano(tmp_path / "w.root", make_events(40), per_event={"genWeight": weights})
    typed("convert", str(tmp_path / "w.root"), "-o", str(tmp_path / "o.h5"))
    text = " ".join(capsys.readouterr().out.split())
    words = (
        f"{said} events whose genWeight differs from that of the first ones; weights are not used"
    )
    assert (words in text) == (n_negative > 0)
    problems = inspect_file(str(tmp_path / "o.h5")).problems
    assert any(words in problem for problem in problems) == (n_negative > 0)
