// Runs one layer on basisn_core in an event-driven simulator: register writes, then the streams with random stalls.
// Macros: SLOT_BITS, ACTIVATION_BITS, RESULT_WIDTH (results of a beat), and lines of the vectors: PROGRAM, REGISTERS, SLOTS, ACTIVATIONS, RESULTS.
// Plusargs: +vectors= (folder of the .hex files, the present one by default), +seed= +stall= (percent);
// +results= (writes what comes out to this file; without it, everything is compared with results.hex).
`timescale 1ns / 1ps
module stream_tb;
  reg clock, reset;
  reg [8:0] awaddr;
  reg [31:0] wdata;
  reg awvalid, wvalid;
  wire awready, wready, bvalid, arready, rvalid, irq;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;
  reg slot_valid, slot_last, activation_valid, activation_last, result_ready;
  wire slot_ready, activation_ready, result_valid, result_last;
  reg [`SLOT_BITS-1:0] slot_data;
  reg [`ACTIVATION_BITS-1:0] activation_data;
  wire [64*`RESULT_WIDTH-1:0] result_data;
  wire [8*`RESULT_WIDTH-1:0] result_keep;

  basisn_core core (
    .clock(clock), .reset(reset),
    .s_axil_awaddr(awaddr), .s_axil_awprot(3'b000), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
    .s_axil_wdata(wdata), .s_axil_wstrb(4'b1111), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
    .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(1'b1),
    .s_axil_araddr(9'h000), .s_axil_arprot(3'b000), .s_axil_arvalid(1'b0), .s_axil_arready(arready),
    .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(1'b1),
    .s_axis_slot_tdata(slot_data), .s_axis_slot_tvalid(slot_valid), .s_axis_slot_tready(slot_ready),
    .s_axis_slot_tlast(slot_last),
    .s_axis_act_tdata(activation_data), .s_axis_act_tvalid(activation_valid), .s_axis_act_tready(activation_ready),
    .s_axis_act_tlast(activation_last),
    .m_axis_out_tdata(result_data), .m_axis_out_tvalid(result_valid), .m_axis_out_tready(result_ready),
    .m_axis_out_tlast(result_last),
`ifdef RESULT_KEEP
    .m_axis_out_tkeep(result_keep),
`endif
    .irq(irq)
  );
`ifndef RESULT_KEEP
  assign result_keep = 8'hff;
`endif

  reg [39:0] commands [0:`PROGRAM+`REGISTERS-1];
  reg [`SLOT_BITS-1:0] slots [0:`SLOTS-1];
  reg [`ACTIVATION_BITS-1:0] activations [0:`ACTIVATIONS-1];
  reg [63:0] expected [0:`RESULTS-1];
  reg [8*1024-1:0] folder, file;
  reg compare;
  reg last;
  integer place, out, wrong, seed, stall, command, slot, activation, result, idle;
  reg moved, took_slot, took_activation, took_address, took_data, done;

  function withhold;
    input dummy;
    withhold = (stall > 0) && ($unsigned($random(seed)) % 100 < stall);
  endfunction

  always #5 clock = ~clock;

  // Everything is driven on the falling edge and sampled just before the rising edge.
  initial begin
    clock = 1; reset = 1;
    awvalid = 0; wvalid = 0; awaddr = 0; wdata = 0;
    slot_valid = 0; activation_valid = 0; result_ready = 0; slot_data = 0; activation_data = 0;
    slot_last = 0; activation_last = 0;
    slot = 0; activation = 0; result = 0; idle = 0; done = 0;
    took_address = 0; took_data = 0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("stall=%d", stall)) stall = 0;
    if (!$value$plusargs("vectors=%s", folder)) folder = ".";
    $readmemh({folder, "/program.hex"}, commands, 0, `PROGRAM - 1);
    $readmemh({folder, "/registers.hex"}, commands, `PROGRAM, `PROGRAM + `REGISTERS - 1);
    $readmemh({folder, "/slots.hex"}, slots);
    $readmemh({folder, "/activations.hex"}, activations);
    compare = !$value$plusargs("results=%s", file);
    wrong = 0;
    if (compare) $readmemh({folder, "/results.hex"}, expected);
    else out = $fopen(file, "w");
    repeat (4) @(negedge clock);
    reset = 0;
    for (command = 0; command < `PROGRAM + `REGISTERS; command = command + 1) begin
      // Address first, or data first, or both at once.
      awaddr = {1'b0, commands[command][39:32]};
      wdata = commands[command][31:0];
      awvalid = !withhold(0);
      wvalid = !withhold(0);
      #4;
      while (!bvalid) begin
        @(negedge clock);
        // Both are taken at once, as nothing waits before them.
        took_address = took_address | awvalid;
        took_data = took_data | wvalid;
        awvalid = !took_address && (awvalid || !withhold(0));
        wvalid = !took_data && (wvalid || !withhold(0));
        #4;
      end
      if (bresp != 2'b00) begin
        if (compare) $display("FAIL: register %h answers %b", awaddr, bresp);
        else $fdisplay(out, "hang register %h answers %b", awaddr, bresp);
        wrong = 1;
        done = 1;
      end
      @(negedge clock);
      took_address = 0; took_data = 0;
    end
    while (!done) begin
      if (!slot_valid && slot < `SLOTS && !withhold(0)) begin
        slot_valid = 1; slot_data = slots[slot]; slot_last = slot == `SLOTS - 1;
      end
      if (!activation_valid && activation < `ACTIVATIONS && !withhold(0)) begin
        activation_valid = 1; activation_data = activations[activation];
        activation_last = activation == `ACTIVATIONS - 1;
      end
      result_ready = !withhold(0);
      #4;
      moved = 0; took_slot = 0; took_activation = 0;
      if (result_valid && result_ready) begin
        for (place = 0; place < `RESULT_WIDTH; place = place + 1) if (result_keep[8*place]) begin
          last = result_last && (place == `RESULT_WIDTH - 1 || !result_keep[(8*place+8) % (8*`RESULT_WIDTH)]);
          if (!compare) $fdisplay(out, "%h %b", result_data[64*place +: 64], last);
          else if (result_data[64*place +: 64] !== expected[result] || last !== (result == `RESULTS - 1)) begin
            $display("FAIL: result %0d is %h, last %b; %h expected",
                     result, result_data[64*place +: 64], last, expected[result]);
            wrong = wrong + 1;
          end
          result = result + 1;
        end
        moved = 1;
        done = result_last || result >= `RESULTS;
      end
      if (slot_valid && slot_ready) begin slot = slot + 1; moved = 1; took_slot = 1; end
      if (activation_valid && activation_ready) begin activation = activation + 1; moved = 1; took_activation = 1; end
      idle = moved ? 0 : idle + 1;
      if (idle > 200000) begin
        if (compare) $display("FAIL: no transfer after %0d slots, %0d activations, %0d results", slot, activation, result);
        else $fdisplay(out, "hang slots %0d activations %0d results %0d", slot, activation, result);
        wrong = wrong + 1;
        done = 1;
      end
      @(negedge clock);
      // Ready was sampled before the edge: it may look different now.
      if (took_slot) slot_valid = 0;
      if (took_activation) activation_valid = 0;
    end
    if (!compare) begin
      $fdisplay(out, "end %0d %0d", slot, activation);
      $fclose(out);
      $finish;
    end
    if (wrong != 0) $fatal(1, "FAIL");
    $display("PASS: %0d results", result);
    $finish;
  end
endmodule
