"""Windows of the operator, against comparisons written out, on columns and on words."""

import numpy as np
import pytest

from l1met_fpga.errors import ConfigError
from l1met_fpga.puppi.windows import (
    Window,
    candidates_outside,
    codes_of,
    in_windows,
    words_outside,
)
from l1met_fpga.puppi.words import pack


def every(n: int) -> dict[str, np.ndarray]:
    """Candidates over the whole range, the two codes of half a turn among them."""
    rng = np.random.default_rng(0)
    columns = {
        "pt": rng.integers(1, 1000, n),
        "eta": rng.integers(-300, 300, n),
        "phi": np.where(
            rng.random(n) < 0.1, rng.choice([-720, 720], n), rng.integers(-720, 721, n)
        ),
        "pid": rng.integers(0, 2, n),
        "puppi_weight": rng.integers(0, 257, n),
    }
    return {name: codes.astype(np.int16) for name, codes in columns.items()}


def test_both_ends_are_inside_and_a_window_can_go_over_half_a_turn():
    candidates = {
        "eta": np.array([9, 10, 20, 21, 15, 15, 15, 15]),
        "phi": np.array([0, 0, 5, 0, 6, -720, 720, 710]),
    }
    plain, over = Window((10, 20), (0, 5)), Window((10, 20), (711, -715))
    assert in_windows(candidates, [plain]).tolist() == [False, True, True] + [False] * 5
    assert in_windows(candidates, [over]).tolist() == [False] * 5 + [True, True, False]
    assert in_windows(candidates, [plain, over]).sum() == 4
    assert not in_windows(candidates, []).any()


@pytest.mark.parametrize("phi_rad", [0.44, np.pi, -np.pi, np.pi - 0.05, -np.pi + 0.1, 3 * np.pi])
def test_a_window_around_a_place_holds_what_is_near(phi_rad):
    candidates, window = every(20000), Window.around(-0.2, phi_rad, 0.1)
    eta, phi = (candidates[name] * np.pi / 720 for name in ("eta", "phi"))
    distance = np.abs((phi - phi_rad + np.pi) % (2 * np.pi) - np.pi)
    farthest = np.maximum(np.abs(eta + 0.2), distance)
    found = in_windows(candidates, [window])
    assert found[farthest <= 0.1 - 1e-9].all()
    assert not found[farthest > 0.1 + np.pi / 720].any()
    assert found.sum() > 20


def test_words_and_columns_lose_the_same_candidates():
    candidates = every(5000)
    windows = [Window((-100, 50), (-20, 90)), Window((0, 200), (650, -600))]
    full = {
        name: candidates.get(name, np.zeros(5000, np.int16))
        for name in ("pt", "eta", "phi", "pid", "puppi_weight", "z0", "dxy", "quality", "em_id")
    }
    outside = candidates_outside(full, windows)
    np.testing.assert_array_equal(words_outside(pack(full), windows), pack(outside))
    assert 0 < (outside["pt"] == 0).sum() < 5000


def test_a_code_has_its_fields_where_they_are_documented():
    code = Window((-1, 3), (2, -4)).code
    assert code & 0xFFF == 0xFFF
    assert code >> 12 & 0xFFF == 3
    assert code >> 24 & 0x7FF == 2
    assert code >> 35 & 0x7FF == 0x7FC
    assert code >> 46 == 1
    assert codes_of([]).tolist() == [0, 0, 0, 0]


def test_wrong_windows():
    with pytest.raises(ConfigError, match=r"eta of a window must lie in -2048 to 2047 counts"):
        Window((0, 3000), (0, 1))
    with pytest.raises(ConfigError, match="the first eta of a window must not be above the last"):
        Window((2, 1), (0, 1))
    with pytest.raises(ConfigError, match="the firmware has 4 windows, got 5"):
        codes_of([Window((0, 1), (0, 1))] * 5)
