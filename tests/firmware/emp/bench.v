// Plays frames.hex (one clock per line) into the payload, converted to Verilog, around the real network;
// prints one line per clock.
`timescale 1ns / 1ps
module bench;
    parameter BITS = 544;
    reg clk_p = 0, rst = 1;
    reg [BITS-1:0] frames = 0;
    wire [BITS-1:0] results;
    wire [31:0] rdata;
    wire ack;
    integer file, code, i;
    flat_payload payload (
        .clk(1'b0), .ipb_rst(1'b0), .address(32'd0), .wdata(32'd0), .strobe(1'b0), .writing(1'b0),
        .rdata(rdata), .ack(ack), .clk_p(clk_p), .rst_p(rst), .frames(frames), .results(results)
    );
    always #1.389 clk_p = ~clk_p;
    initial begin
        file = $fopen("frames.txt", "r");
        for (i = 0; i < 40; i = i + 1) @(posedge clk_p);
        rst <= 0;
        for (i = 0; i < 4; i = i + 1) @(posedge clk_p);
        while (!$feof(file)) begin
            code = $fscanf(file, "%h\n", frames);
            @(negedge clk_p);
            $display("%h", results);
            @(posedge clk_p);
            #0.1;
        end
        $finish;
    end
endmodule
