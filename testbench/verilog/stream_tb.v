// Runs one stimulus on basisn_core in an event-driven simulator: register writes, then the streams with random stalls.
// Macros: SLOT_BITS, ACTIVATION_BITS, and the sizes of the memories COMMANDS, SLOTS, ACTIVATIONS (beats), RESULTS.
// Plusargs: +commands= +slots= +activations= (hex files), +results= (output), +seed= +stall= (percent).
`timescale 1ns / 1ps
module stream_tb;
  reg clock, reset;
  reg reg_valid, reg_write;
  reg [7:0] reg_address;
  reg [31:0] reg_write_data;
  wire reg_ready;
  wire [31:0] reg_read_data;
  reg slot_valid, activation_valid, result_ready;
  wire slot_ready, activation_ready, result_valid, result_last;
  reg [`SLOT_BITS-1:0] slot_data;
  reg [`ACTIVATION_BITS-1:0] activation_data;
  wire [63:0] result_data;

  basisn_core core (
    .clock(clock), .reset(reset),
    .reg_valid(reg_valid), .reg_ready(reg_ready), .reg_write(reg_write), .reg_address(reg_address),
    .reg_write_data(reg_write_data), .reg_read_data(reg_read_data),
    .slot_valid(slot_valid), .slot_ready(slot_ready), .slot_data(slot_data),
    .activation_valid(activation_valid), .activation_ready(activation_ready), .activation_data(activation_data),
    .result_valid(result_valid), .result_ready(result_ready), .result_data(result_data), .result_last(result_last)
  );

  reg [39:0] commands [0:`COMMANDS-1];
  reg [`SLOT_BITS-1:0] slots [0:`SLOTS-1];
  reg [`ACTIVATION_BITS-1:0] activations [0:`ACTIVATIONS-1];
  reg [8*1024-1:0] file;
  integer out, seed, stall, command, slot, activation, result, idle;
  reg moved, took_slot, took_activation, done;

  function withhold;
    input dummy;
    withhold = (stall > 0) && ($unsigned($random(seed)) % 100 < stall);
  endfunction

  always #5 clock = ~clock;

  // Everything is driven on the falling edge and sampled just before the rising edge.
  initial begin
    clock = 1; reset = 1;
    reg_valid = 0; reg_write = 0; reg_address = 0; reg_write_data = 0;
    slot_valid = 0; activation_valid = 0; result_ready = 0; slot_data = 0; activation_data = 0;
    slot = 0; activation = 0; result = 0; idle = 0; done = 0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("stall=%d", stall)) stall = 0;
    if ($value$plusargs("commands=%s", file)) $readmemh(file, commands);
    if ($value$plusargs("slots=%s", file)) $readmemh(file, slots);
    if ($value$plusargs("activations=%s", file)) $readmemh(file, activations);
    if (!$value$plusargs("results=%s", file)) file = "results.txt";
    out = $fopen(file, "w");
    repeat (4) @(negedge clock);
    reset = 0;
    for (command = 0; command < `COMMANDS; command = command + 1) begin
      reg_valid = 1; reg_write = 1;
      reg_address = commands[command][39:32];
      reg_write_data = commands[command][31:0];
      #4;
      while (!reg_ready) begin @(negedge clock); #4; end
      @(negedge clock);
      reg_valid = 0;
    end
    while (!done) begin
      if (!slot_valid && slot < `SLOTS && !withhold(0)) begin slot_valid = 1; slot_data = slots[slot]; end
      if (!activation_valid && activation < `ACTIVATIONS && !withhold(0)) begin
        activation_valid = 1; activation_data = activations[activation];
      end
      result_ready = !withhold(0);
      #4;
      moved = 0; took_slot = 0; took_activation = 0;
      if (result_valid && result_ready) begin
        $fdisplay(out, "%h %b", result_data, result_last);
        result = result + 1; moved = 1;
        done = result == `RESULTS;
      end
      if (slot_valid && slot_ready) begin slot = slot + 1; moved = 1; took_slot = 1; end
      if (activation_valid && activation_ready) begin activation = activation + 1; moved = 1; took_activation = 1; end
      idle = moved ? 0 : idle + 1;
      if (idle > 200000) begin
        $fdisplay(out, "hang slots %0d activations %0d results %0d", slot, activation, result);
        done = 1;
      end
      @(negedge clock);
      // Ready was sampled before the edge: it may look different now.
      if (took_slot) slot_valid = 0;
      if (took_activation) activation_valid = 0;
    end
    $fdisplay(out, "end %0d %0d", slot, activation);
    $fclose(out);
    $finish;
  end
endmodule
