"""Texts of the shape that Vitis HLS, Vivado HLS and Vivado write; the numbers are invented."""

CSYNTH_XML = """<?xml version="1.0" encoding="UTF-8"?>
<profile>
<ReportVersion>
<Version>{version}</Version>
</ReportVersion>
<UserAssignments>
<unit>ns</unit>
<ProductFamily>virtexuplus</ProductFamily>
<Part>xcvu13p-flga2577-2-e</Part>
<TopModelName>l1met</TopModelName>
<TargetClockPeriod>2.78</TargetClockPeriod>
<ClockUncertainty>0.35</ClockUncertainty>
{flow}</UserAssignments>
<PerformanceEstimates>
<PipelineType>dataflow</PipelineType>
<SummaryOfTimingAnalysis>
<unit>ns</unit>
<EstimatedClockPeriod>2.101</EstimatedClockPeriod>
</SummaryOfTimingAnalysis>
<SummaryOfOverallLatency>
<unit>clock cycles</unit>
<Best-caseLatency>{latency}</Best-caseLatency>
<Average-caseLatency>{latency}</Average-caseLatency>
<Worst-caseLatency>{latency}</Worst-caseLatency>
<DataflowPipelineThroughput>43</DataflowPipelineThroughput>
<Interval-min>43</Interval-min>
<Interval-max>43</Interval-max>
</SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources>
<BRAM_18K>4</BRAM_18K>
<{dsp}>210</{dsp}>
<FF>65432</FF>
<LUT>43200</LUT>
<URAM>0</URAM>
</Resources>
<AvailableResources>
<BRAM_18K>5376</BRAM_18K>
<{dsp}>12288</{dsp}>
<FF>3456000</FF>
<LUT>1728000</LUT>
<URAM>1280</URAM>
</AvailableResources>
</AreaEstimates>
</profile>
"""


def csynth_xml(
    *, latency="217", vitis=True, version="2024.1", estimated="2.101", part="xcvu13p-flga2577-2-e"
):
    flow = "<FlowTarget>vivado</FlowTarget>\n" if vitis else ""
    dsp = "DSP" if vitis else "DSP48E"
    text = CSYNTH_XML.format(latency=latency, flow=flow, version=version, dsp=dsp)
    return text.replace("2.101", estimated).replace("xcvu13p-flga2577-2-e", part)


UTILIZATION = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
---------------------------------------------------------------------------------------
| Tool Version : Vivado v.2024.1 (lin64) Build 5076996 Wed May 22 18:36:09 MDT 2024
| Date         : Mon Jan  6 11:00:00 2025
| Host         : builder running 64-bit
| Command      : report_utilization -file vivado_synth.rpt
| Design       : l1met
| Device       : xcvu13p-flga2577-2-e
| Speed File   : -2
| Design State : {state}
---------------------------------------------------------------------------------------

Utilization Design Information

1. CLB Logic
------------

+----------------------------+-------+-------+------------+-----------+-------+
|          Site Type         |  Used | Fixed | Prohibited | Available | Util% |
+----------------------------+-------+-------+------------+-----------+-------+
| CLB LUTs*                  | 18011 |     0 |          0 |   1728000 |  1.04 |
|   LUT as Logic             | 17000 |     0 |          0 |   1728000 |  0.98 |
|   LUT as Memory            |  1011 |     0 |          0 |    791040 |  0.13 |
| CLB Registers              | 40222 |     0 |          0 |   3456000 |  1.16 |
| CARRY8                     |  1200 |     0 |          0 |    216000 |  0.56 |
+----------------------------+-------+-------+------------+-----------+-------+


3. BLOCKRAM
-----------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    |  2.5 |     0 |          0 |      2688 |  0.09 |
|   RAMB36/FIFO*    |    2 |     0 |          0 |      2688 |  0.07 |
|   RAMB18          |    1 |     0 |          0 |      5376 |  0.02 |
| URAM              |    3 |     0 |          0 |      1280 |  0.23 |
+-------------------+------+-------+------------+-----------+-------+


4. ARITHMETIC
-------------

+----------------+------+-------+------------+-----------+-------+
|    Site Type   | Used | Fixed | Prohibited | Available | Util% |
+----------------+------+-------+------------+-----------+-------+
| DSPs           |  205 |     0 |          0 |     12288 |  1.67 |
|   DSP48E2 only |  205 |       |            |           |       |
+----------------+------+-------+------------+-----------+-------+
"""

TIMING = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
---------------------------------------------------------------------------------------
| Tool Version : Vivado v.2024.1 (lin64) Build 5076996 Wed May 22 18:36:09 MDT 2024
| Date         : Mon Jan  6 12:00:00 2025
| Command      : report_timing_summary -file timing.rpt
| Design       : l1met
| Device       : xcvu13p-flga2577
| Speed File   : -2  PRODUCTION 1.27 02-28-2020
| Design State : {state}
---------------------------------------------------------------------------------------

Timing Summary Report

------------------------------------------------------------------------------------------------
| Design Timing Summary
| ---------------------
------------------------------------------------------------------------------------------------

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
    -------      -------  ---------------------  -------------------      -------      -------
     {wns}        0.000                      0                80444        0.021        0.000


All user specified timing constraints are met.


------------------------------------------------------------------------------------------------
| Clock Summary
| -------------
------------------------------------------------------------------------------------------------

Clock   Waveform(ns)       Period(ns)      Frequency(MHz)
-----   ------------       ----------      --------------
ap_clk  {{0.000 1.390}}      2.780           359.712
"""


def utilization(state="Synthesized"):
    return UTILIZATION.format(state=state)


def family_utilization(
    *, part, version, state, lut="CLB LUTs", ff="CLB Registers", dsp="DSPs", uram=None,
    prohibited=True,
):  # fmt: skip
    """A report of another family or version: other names of rows, other columns."""
    extra = "          0 |" if prohibited else ""
    name = " Prohibited |" if prohibited else ""

    def table(title, *rows):
        head = f"|          Site Type         |  Used | Fixed |{name} Available | Util% |"
        rule = "+----------------------------+-------+-------+-----------+-------+"
        body = [f"| {n:26s} | {u:>5} |     0 |{extra}    100000 |  0.10 |" for n, u in rows]
        return "\n".join([title, "-" * len(title), "", rule, head, rule, *body, rule, "", ""])

    ram = [("Block RAM Tile", "6.5"), ("  RAMB36/FIFO*", "6"), ("  RAMB18", "1")]
    return "\n".join(
        [
            f"| Tool Version : Vivado v.{version} (lin64) Build 1 Mon Jan  6 10:00:00 2025",
            "| Design       : l1met",
            f"| Device       : {part}",
            f"| Design State : {state}",
            "",
            "Utilization Design Information",
            "",
            table("1. Logic", (lut, "5012"), ("  LUT as Logic", "4900"), (ff, "7300")),
            table("3. BLOCKRAM", *ram, *([("URAM", uram)] if uram is not None else [])),
            table("4. ARITHMETIC", (dsp, "21")),
        ]
    )


def timing(state="Routed", wns="0.112", period="2.780"):
    return TIMING.format(state=state, wns=wns).replace("2.780", period)
