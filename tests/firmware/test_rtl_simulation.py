"""The Verilated top level against the int64 reference, clock by clock."""

import numpy as np
import pytest
from met_head import met_codes, met_words
from rtl_designs import N_SLOTS, compiled, random_candidates

from l1met_fpga.caches import cache_folder
from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.rtl.forms import (
    InterpreterForm,
    SimulationForm,
    measure_latency,
    run_events,
)
from l1met_fpga.firmware.rtl.stream import beats_of
from l1met_fpga.firmware.rtl.verilated import Mark
from l1met_fpga.firmware.stress import stress_events

KINDS = ("deepset", pytest.param("deepmet", marks=pytest.mark.slow), "garnet")
DRAIN = 60


@pytest.mark.parametrize("kind", [*KINDS, pytest.param("channels", marks=pytest.mark.slow)])
def test_simulation_and_interpreter_equal_the_reference(kind):
    made = compiled(kind)
    rng = np.random.default_rng(1)
    stress = stress_events(rng, n_random=40, n_slots=N_SLOTS)
    for events in (stress, random_candidates(rng, 200)):
        want = met_codes(made.network, events)
        np.testing.assert_array_equal(InterpreterForm(made.design)(events)["met"], want)
        codes, words = SimulationForm(made.design, made.model).results(events)
        np.testing.assert_array_equal(codes["met"], want)
        np.testing.assert_array_equal(words, met_words(made.network, want))
    assert np.abs(want).max() > 1000  # the events do give MET


@pytest.mark.parametrize("kind", KINDS)
def test_measured_latency_is_what_the_structure_says(kind):
    made = compiled(kind)
    latency = measure_latency(made.design, made.model)
    assert latency.interval == made.design.beats == 6
    assert latency.from_last_word == made.design.latency
    assert latency.from_first_word == made.design.latency + made.design.beats - 1


def test_gaps_between_events_change_nothing():
    made = compiled("deepset")
    rng = np.random.default_rng(2)
    events = random_candidates(rng, 120)
    beats, found = run_events(made.design, made.model, events, before=rng.integers(0, 9, 120))
    np.testing.assert_array_equal(found["cycle"] - beats.last, made.design.latency)
    np.testing.assert_array_equal(
        np.stack([found["met_x"], found["met_y"]], axis=1), met_codes(made.network, events)
    )


def test_verilator_s_own_part_is_compiled_once_for_all_designs():
    made = [compiled(kind) for kind in ("deepset", "garnet")]
    assert made[0].model.library != made[1].model.library
    kept = list(cache_folder("verilator").rglob("*.o"))
    assert 2 <= len(kept) <= 4  # two sources; elsewhere in this process with optimization, too


def with_gaps(beats, rng):
    """The same beats with idle clocks (carrying rubbish) strewn in between."""
    n = 2 * len(beats.marks)
    place = np.sort(rng.permutation(n)[: len(beats.marks)])
    marks = np.zeros(n + DRAIN, np.uint8)
    words = rng.integers(0, 2**61, (n + DRAIN, beats.words.shape[1]), dtype=np.uint64)
    marks[place], words[place] = beats.marks, beats.words
    marks[:2] |= Mark.RESET
    return marks, words


def test_gaps_inside_events_change_nothing():
    made = compiled("deepset")
    rng = np.random.default_rng(3)
    events = random_candidates(rng, 60)
    marks, words = with_gaps(beats_of(events, 3, before=np.eye(1, 60, dtype=int)[0] * 4), rng)
    found, stray = made.model.run(marks, words)
    assert stray == 0
    np.testing.assert_array_equal(
        np.stack([found["met_x"], found["met_y"]], axis=1), met_codes(made.network, events)
    )


def test_one_beat_events_in_every_clock():
    made = compiled("deepset")
    events = random_candidates(np.random.default_rng(4), 200, lengths=np.arange(200) % 4)
    beats, found = run_events(made.design, made.model, events)
    assert set(np.diff(beats.last)) == {1}
    np.testing.assert_array_equal(
        np.stack([found["met_x"], found["met_y"]], axis=1), met_codes(made.network, events)
    )
    assert not found["met_x"][::4].any()  # no candidate, no MET
    assert not found["word"][::4].any()


def run_beats(made, beats, edit=None):
    marks = np.concatenate([[Mark.RESET] * 2, beats.marks, np.zeros(DRAIN)]).astype(np.uint8)
    words = np.concatenate([np.zeros((2, 3)), beats.words, np.zeros((DRAIN, 3))]).astype(np.uint64)
    words[2:-DRAIN] = beats.words
    if edit is not None:
        edit(marks)
    return made.model.run(marks, words)


def test_missing_last_mark_is_flagged_and_the_next_event_is_right():
    made = compiled("deepset")
    events = random_candidates(np.random.default_rng(5), 4, lengths=np.array([16, 9, 16, 5]))
    beats = beats_of(events, 3)

    def forget(marks):
        marks[2 + beats.last[1]] &= ~Mark.LAST & 0xFF

    found, stray = run_beats(made, beats, forget)
    assert stray == 0
    np.testing.assert_array_equal(found["error"], [0, 1, 0, 0])
    # every word of the cut event came, so even its sum is right; its word is marked invalid
    want = met_codes(made.network, events)
    np.testing.assert_array_equal(np.stack([found["met_x"], found["met_y"]], axis=1), want)
    np.testing.assert_array_equal(found["word"] & np.uint64(1), [1, 0, 1, 1])


def test_too_many_beats_are_flagged():
    made = compiled("deepset")
    events = random_candidates(np.random.default_rng(6), 3, lengths=np.array([16, 12, 16]))
    beats = beats_of(events, 3)

    def join_first_two(marks):
        marks[2 + beats.last[0]] &= ~Mark.LAST & 0xFF
        marks[2 + beats.first[1]] &= ~Mark.FIRST & 0xFF

    found, _ = run_beats(made, beats, join_first_two)
    np.testing.assert_array_equal(found["error"], [1, 0])
    want = met_codes(made.network, events)[[0, 2]]  # the beats beyond the sixth are not taken
    np.testing.assert_array_equal(np.stack([found["met_x"], found["met_y"]], axis=1), want)


def test_beats_outside_an_event_are_counted_and_ignored():
    made = compiled("deepset")
    events = random_candidates(np.random.default_rng(7), 3, lengths=np.array([16, 12, 16]))
    beats = beats_of(events, 3)

    def forget(marks):
        marks[2 + beats.first[1]] &= ~Mark.FIRST & 0xFF

    found, stray = run_beats(made, beats, forget)
    assert stray == 4
    np.testing.assert_array_equal(
        np.stack([found["met_x"], found["met_y"]], axis=1), met_codes(made.network, events)[[0, 2]]
    )


@pytest.mark.parametrize("clock", [3, 7, 9])
def test_reset_in_the_middle_of_an_event(clock):
    made = compiled("deepset")
    events = random_candidates(np.random.default_rng(8), 4, lengths=np.full(4, 16))
    beats = beats_of(events, 3)

    def reset(marks):
        marks[2 + clock] |= Mark.RESET

    found, stray = run_beats(made, beats, reset)
    begun = clock // 6  # the reset falls into this event and forgets it and those in flight
    after = met_codes(made.network, events)[begun + 1 :]
    np.testing.assert_array_equal(np.stack([found["met_x"], found["met_y"]], axis=1), after)
    assert not found["error"].any()
    assert stray == 5 - clock % 6


class Lossy:
    """A simulation that loses its last result."""

    def __init__(self, model):
        self.model = model

    def run(self, *pins, **vertex):
        found, stray = self.model.run(*pins, **vertex)
        return found[:-1], stray


def test_results_that_do_not_match_the_events_are_an_error():
    made = compiled("deepset")
    form = SimulationForm(made.design, Lossy(made.model))
    events = random_candidates(np.random.default_rng(1), 30)
    with pytest.raises(BitExactnessError, match=r"29 results .* for 30 events"):
        form.results(events)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 2, 4, N_SLOTS])
@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_lanes(kind, lanes):
    made = compiled(kind, lanes)
    rng = np.random.default_rng(lanes)
    for events in (
        stress_events(rng, n_random=40, n_slots=N_SLOTS),
        random_candidates(rng, 200),
    ):
        want = met_codes(made.network, events)
        np.testing.assert_array_equal(SimulationForm(made.design, made.model)(events)["met"], want)
    assert measure_latency(made.design, made.model).from_last_word == made.design.latency
