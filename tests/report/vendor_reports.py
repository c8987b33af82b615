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


def csynth_xml(*, latency="217", vitis=True, version="2024.1"):
    flow = "<FlowTarget>vivado</FlowTarget>\n" if vitis else ""
    dsp = "DSP" if vitis else "DSP48E"
    return CSYNTH_XML.format(latency=latency, flow=flow, version=version, dsp=dsp)


CSYNTH_RPT = """

================================================================
== Vitis HLS Report for 'l1met'
================================================================
* Date:           Mon Jan  6 10:00:00 2025

* Version:        2024.1 (Build 5069499 on May 21 2024)
* Project:        l1met_prj
* Solution:       solution1 (Vivado IP Flow Target)
* Product family: virtexuplus
* Target device:  xcvu13p-flga2577-2-e


================================================================
== Performance Estimates
================================================================
+ Timing: 
    * Summary: 
    +--------+---------+----------+------------+
    |  Clock |  Target | Estimated| Uncertainty|
    +--------+---------+----------+------------+
    |ap_clk  |  2.78 ns|  2.101 ns|     0.35 ns|
    +--------+---------+----------+------------+

+ Latency: 
    * Summary: 
    +---------+---------+-----------+-----------+-----+-----+----------+
    |  Latency (cycles) |   Latency (absolute)  |  Interval | Pipeline |
    |   min   |   max   |    min    |    max    | min | max |   Type   |
    +---------+---------+-----------+-----------+-----+-----+----------+
    |      217|      217|   0.603 us|   0.603 us|   43|   43|  dataflow|
    +---------+---------+-----------+-----------+-----+-----+----------+

    + Detail: 
        * Instance: 
        +-----------+-------+---------+---------+-----------+-----------+-----+-----+----------+
        |momentum_U0|moments|       41|       41|  0.114 us |  0.114 us |   41|   41|      none|
        +-----------+-------+---------+---------+-----------+-----------+-----+-----+----------+


================================================================
== Utilization Estimates
================================================================
* Summary: 
+---------------------+---------+-------+---------+---------+------+
|         Name        | BRAM_18K|  DSP  |    FF   |   LUT   | URAM |
+---------------------+---------+-------+---------+---------+------+
|DSP                  |        -|      -|        -|        -|     -|
|Instance             |        4|    210|    65000|    43000|     -|
|Register             |        -|      -|      432|        -|     -|
+---------------------+---------+-------+---------+---------+------+
|Total                |        4|    210|    65432|    43200|     0|
+---------------------+---------+-------+---------+---------+------+
|Available SLR        |     1344|   3072|   864000|   432000|   320|
+---------------------+---------+-------+---------+---------+------+
|Utilization SLR (%)  |       ~0|      6|        7|       10|     0|
+---------------------+---------+-------+---------+---------+------+
|Available            |     5376|  12288|  3456000|  1728000|  1280|
+---------------------+---------+-------+---------+---------+------+
|Utilization (%)      |       ~0|      1|        1|        2|     0|
+---------------------+---------+-------+---------+---------+------+
"""

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


def timing(state="Routed", wns="0.112"):
    return TIMING.format(state=state, wns=wns)
