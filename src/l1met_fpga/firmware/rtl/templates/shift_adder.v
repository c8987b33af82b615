`timescale 1ns / 1ps
// in0 +- (in1 << SHIFT1), cut to BW_OUT bits. Low bits that only one operand has are wires: synthesis
// does not have to find out that their carry never moves.
module shift_adder #(
    parameter BW_INPUT0 = 32,
    parameter BW_INPUT1 = 32,
    parameter SIGNED0 = 0,
    parameter SIGNED1 = 0,
    parameter BW_OUT = 32,
    parameter SHIFT1 = 0,
    parameter IS_SUB = 0
) (
    input [BW_INPUT0-1:0] in0,
    input [BW_INPUT1-1:0] in1,
    output [BW_OUT-1:0] out
);
    localparam LOW0 = SHIFT1 > 0 ? SHIFT1 : 0;   // bits of in0 below in1
    localparam LOW1 = SHIFT1 < 0 ? -SHIFT1 : 0;  // bits of in1 below in0
    localparam W = BW_OUT + LOW0 + LOW1 + BW_INPUT0 + BW_INPUT1;
    wire [W-1:0] a = {{(W - BW_INPUT0){SIGNED0 == 1 ? in0[BW_INPUT0-1] : 1'b0}}, in0};
    wire [W-1:0] b = {{(W - BW_INPUT1){SIGNED1 == 1 ? in1[BW_INPUT1-1] : 1'b0}}, in1};
    generate
        if (LOW0 >= BW_OUT) begin : only_in0
            assign out = a[BW_OUT-1:0];
        end else if (LOW0 > 0) begin : in0_below
            wire [BW_OUT-LOW0-1:0] high = a[BW_OUT-1:LOW0];
            assign out[LOW0-1:0] = a[LOW0-1:0];
            assign out[BW_OUT-1:LOW0] = (IS_SUB == 1) ? high - b[BW_OUT-LOW0-1:0] : high + b[BW_OUT-LOW0-1:0];
        end else if (LOW1 > 0 && LOW1 < BW_OUT && IS_SUB == 0) begin : in1_below
            assign out[LOW1-1:0] = b[LOW1-1:0];
            assign out[BW_OUT-1:LOW1] = a[BW_OUT-LOW1-1:0] + b[BW_OUT-1:LOW1];
        end else begin : whole
            wire [W+LOW1-1:0] a_up = a << LOW1;
            assign out = (IS_SUB == 1) ? a_up[BW_OUT-1:0] - b[BW_OUT-1:0] : a_up[BW_OUT-1:0] + b[BW_OUT-1:0];
        end
    endgenerate
endmodule
