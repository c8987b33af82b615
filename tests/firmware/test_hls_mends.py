import shutil
import subprocess
from pathlib import Path

import pytest
from cpp import ap_types_folder
from require import require

from l1met_fpga.config.firmware import Backend
from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.hls import mends
from l1met_fpga.firmware.hls.mends import (
    mend_distributed_arithmetic,
    mend_resources,
    mend_simulation_types,
)

HLS = Path(mends.__file__).parent
PROBE = """
#include "ap_fixed.h"
#include <cstdio>

template <int W, bool S> int wrong() {
    typedef ap_private<W, S> Value;
    void (Value::*plain)() = &Value::clearUnusedBits; // exists only when there is one for plain values
    void (Value::*through_memory)() volatile = &Value::clearUnusedBits;
    int bad = 0;
    for (unsigned long long bits : {0ull, 1ull, ~0ull, 0x5555555555555555ull, 0xaaaaaaaaaaaaaaaaull,
                                    1ull << (W - 1), (1ull << (W - 1)) - 1, 0x0123456789abcdefull}) {
        Value a(0), b(0);
        a.set_VAL(bits);
        b.set_VAL(bits);
        (a.*plain)();
        (b.*through_memory)();
        bad += a.get_VAL() != b.get_VAL();
    }
    return bad;
}

template <int... W> int all() { return (0 + ... + (wrong<W, true>() + wrong<W, false>())); }

int main() { std::printf("%d", all<1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64>()); }
"""


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ap_types_folder(), tmp_path / "firmware" / "ap_types")
    return tmp_path


def test_plain_values_are_cleared_as_volatile_ones_are(project):
    require("g++", shutil.which("g++") is not None, install="it compiles the ap_types headers")
    (project / "probe.cpp").write_text(PROBE)
    compiler = ["g++", "-O0", "-std=c++17", "-w", "-Ifirmware/ap_types", "probe.cpp", "-o", "probe"]
    reader = [*compiler, "-fsyntax-only"]
    before = subprocess.run(reader, cwd=project, check=False, capture_output=True, text=True)
    assert before.returncode != 0  # the original has only the volatile function
    assert "clearUnusedBits" in before.stderr
    mend_simulation_types(project)
    subprocess.run(compiler, cwd=project, check=True)
    done = subprocess.run([project / "probe"], check=True, capture_output=True, text=True)
    assert done.stdout == "0"


def test_other_files_than_the_known_are_refused(project):
    header = project / "firmware" / "ap_types" / "etc" / "ap_private.h"
    header.write_text("class ap_private {};\n")
    with pytest.raises(ConversionError, match="hls4ml writes other code now"):
        mend_simulation_types(project)
    utils = project / "firmware" / "nnet_utils"
    utils.mkdir()
    (utils / "nnet_code_gen.h").write_text("\n")
    with pytest.raises(ConversionError, match="hls4ml writes other code now"):
        mend_distributed_arithmetic(project, "l1met_x", stream=False)


@pytest.mark.parametrize("backend", list(Backend))
def test_folded_layers_may_use_the_multipliers_of_all_their_slots(backend, tmp_path):
    utilities = tmp_path / "firmware" / "nnet_utils"
    utilities.mkdir(parents=True)
    written = ap_types_folder().parents[1] / "vivado" / "nnet_utils" / "nnet_conv1d_latency.h"
    shutil.copy(written, utilities)
    shutil.copy(HLS / "nnet_l1met.h", utilities)
    mend_resources(tmp_path, backend)
    text = (utilities / "nnet_conv1d_latency.h").read_text()
    assert text.count("multiplier_limit * CONFIG_T::n_pixels;") == 2, "plain and pointwise"
    assert text.count("instances=mul limit=multiplier_limit\n") == 2
    roms = {Backend.VITIS: "BIND_STORAGE", Backend.VIVADO: "RESOURCE"}
    other = next(roms[one] for one in Backend if one is not backend)
    text = (utilities / "nnet_l1met.h").read_text()
    for table in ("quadrant_cos", "table"):
        assert f"#pragma HLS {roms[backend]} variable={table} " in text
        assert f"ARRAY_PARTITION variable={table} " not in text
    assert other not in text
    with pytest.raises(ConversionError, match="hls4ml writes other code now"):
        mend_resources(tmp_path, backend)
