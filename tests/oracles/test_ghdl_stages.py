"""The VHDL flavor in GHDL: every stage answers real traffic as its Verilog twin does in Icarus.

Events go through the Verilog twin (which is held against the int64 reference elsewhere); what stands
at the pins of each stage there is given to the VHDL stage of that name.
"""

import re
import shutil
import subprocess

import numpy as np
import pytest
from icarus_bench import LANES, pins_of, simulate
from rtl_designs import random_candidates, small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.rtl.project import write_project

SETTLED_NS = "0.1"
TELL = """
    integer told;
    initial told = $fopen({file});
    always @(model_inp) #{settled} if ((^{{model_inp, model_out}}) !== 1'bx)
        $fdisplay(told, "%b %b", model_inp, model_out);
endmodule
"""
BENCH = """
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

entity bench is
end entity;

architecture simulation of bench is
    signal given : std_logic_vector({last_in} downto 0);
    signal found : std_logic_vector({last_out} downto 0);
begin
    stage : entity work.{stage} port map (model_inp => given, model_out => found);

    process
        file traffic : text open read_mode is "{stage}.txt";
        variable row : line;
        variable inp : std_logic_vector(given'range);
        variable outp : std_logic_vector(found'range);
        variable count : natural := 0;
    begin
        while not endfile(traffic) loop
            readline(traffic, row);
            read(row, inp);
            read(row, outp);
            given <= inp;
            wait for 1 ns;
            assert found = outp report "{stage}: other bits in row " & integer'image(count) severity failure;
            count := count + 1;
        end loop;
        report "agreed in " & integer'image(count);
        wait;
    end process;
end architecture;
"""


def run(command, folder):
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


def traffic(project, n_events, work):
    """Run events through the twin; return its stages by name, with one text file each in ``work``."""
    spying = work / "verilog"
    shutil.copytree(project.simulated_sources, spying)
    stages = {}
    for path in sorted(spying.glob("*_stage*.v")):
        text = path.read_text()
        ports = re.findall(r"(?:in|out)put wire \[(\d+):0\] model_(?:inp|out)", text)
        stages[path.stem] = tuple(map(int, ports))
        # stages of a lane stand there several times: each instance writes, and one is taken
        file = f'$sformatf("{path.stem}.%m.txt")'
        path.write_text(text.replace("endmodule\n", TELL.format(file=file, settled=SETTLED_NS)))
    rng = np.random.default_rng(8)
    pins = pins_of(random_candidates(rng, n_events), rng)
    simulate(project.design, project.top, spying, pins, work / "icarus")
    for stage in stages:
        written = sorted((work / "icarus").glob(f"{stage}.*.txt"))
        shutil.copy(written[0], work / f"{stage}.txt")
    return stages


@pytest.mark.oracle("ghdl", "iverilog")
@pytest.mark.parametrize(
    ("kind", "n_events"),
    [("deepmet", 30), pytest.param("deepset", 3000, marks=pytest.mark.slow)],
)
def test_vhdl_stages_answer_as_their_verilog_twins(kind, n_events, tmp_path):
    config = RtlConfig(flavor="vhdl", lanes=LANES)
    project = write_project(small_network(kind), config, tmp_path / "rtl")
    stages = traffic(project, n_events, tmp_path)
    sources = sorted(project.sources.glob("*.vhd"), key=lambda path: "_stage" in path.stem)
    assert {path.stem for path in sources if "_stage" in path.stem} == set(stages)
    assert len(stages) >= 3
    shutil.copytree(project.sources / "memfiles", tmp_path, dirs_exist_ok=True)
    run(["ghdl", "-a", "--std=08", *sources], tmp_path)
    for stage, (last_in, last_out) in stages.items():
        bench = BENCH.format(stage=stage, last_in=last_in, last_out=last_out)
        (tmp_path / "bench.vhd").write_text(bench)
        run(["ghdl", "-a", "--std=08", "bench.vhd"], tmp_path)
        said = run(["ghdl", "--elab-run", "--std=08", "bench", "--assert-level=error"], tmp_path)
        agreed = int(re.search(r"agreed in (\d+)", said)[1])
        assert agreed >= n_events, said
