// Register accesses for the timing diagrams of AXI4-Lite: what docs/hardware.md shows, whatever the geometry.
`timescale 1ns / 1ps
module axi_tb;
  reg clock = 1, reset = 1;
  reg [8:0] awaddr = 0, araddr = 0;
  reg [31:0] wdata = 0;
  reg awvalid = 0, wvalid = 0, bready = 1, arvalid = 0, rready = 1;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  basisn_core core (
    .clock(clock), .reset(reset),
    .s_axil_awaddr(awaddr), .s_axil_awprot(3'b000), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
    .s_axil_wdata(wdata), .s_axil_wstrb(4'b1111), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
    .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready),
    .s_axil_araddr(araddr), .s_axil_arprot(3'b000), .s_axil_arvalid(arvalid), .s_axil_arready(arready),
    .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready),
    .s_axis_slot_tvalid(1'b0), .s_axis_act_tvalid(1'b0), .m_axis_out_tready(1'b1)
  );

  always #5 clock = ~clock;

  integer wrong = 0;

  // Driven on the falling edge. A write whose data come `late` cycles after the address, answered after `hold` cycles.
  task write(input [8:0] address, input [31:0] data, input integer late, input integer hold, input [1:0] answer);
    begin
      awaddr = address; awvalid = 1; wdata = data; wvalid = late == 0; bready = hold == 0;
      fork
        begin while (!awready) @(negedge clock); @(negedge clock) awvalid = 0; end
        begin repeat (late) @(negedge clock); wvalid = 1; while (!wready) @(negedge clock); @(negedge clock) wvalid = 0; end
      join
      while (!bvalid) @(negedge clock);
      if (bresp !== answer) begin
        $display("FAIL: write of %h answers %b", address, bresp);
        wrong = wrong + 1;
      end
      repeat (hold) @(negedge clock);
      bready = 1;
      @(negedge clock);
    end
  endtask

  task read(input [8:0] address, input integer hold, input [31:0] data, input [1:0] answer);
    begin
      araddr = address; arvalid = 1; rready = hold == 0;
      while (!arready) @(negedge clock);
      @(negedge clock) arvalid = 0;
      while (!rvalid) @(negedge clock);
      if (rdata !== data || rresp !== answer) begin
        $display("FAIL: read of %h answers %b, %h", address, rresp, rdata);
        wrong = wrong + 1;
      end
      repeat (hold) @(negedge clock);
      rready = 1;
      @(negedge clock);
    end
  endtask

  initial begin
    repeat (4) @(negedge clock);
    reset = 0;
    repeat (2) @(negedge clock);
    write(9'h014, 32'h51, 2, 0, 2'b00);
    write(9'h000, 32'h51, 0, 3, 2'b10);
    repeat (4) @(negedge clock);
    read(9'h000, 0, 32'h42534e31, 2'b00);
    read(9'h014, 2, 32'h51, 2'b00);
    read(9'h0fc, 0, 32'h0, 2'b10);
    repeat (8) @(negedge clock);
    if (wrong == 0) $display("PASS");
    $finish;
  end
endmodule
