// Written by hand: the coefficient buffer of the preset digits, to compare the emitted one with.
module coefficient_buffer (
  input  wire         clock,
  input  wire         reset,
  input  wire         load_valid,
  input  wire [2:0]   load_beat,
  input  wire [63:0]  load_data,
  input  wire         slot_take,
  input  wire         discard,
  output reg          slot_loaded,
  output wire [440:0] slot_word
);
  localparam LAST_BEAT = 6;

  reg [63:0] beats [0:LAST_BEAT];

  genvar b;
  generate
    for (b = 0; b <= LAST_BEAT; b = b + 1) begin : store
      always @(posedge clock)
        if (reset) beats[b] <= 0;
        else if (load_valid && load_beat == b) beats[b] <= load_data;
    end
  endgenerate

  assign slot_word = {beats[6][56:0], beats[5], beats[4], beats[3], beats[2], beats[1], beats[0]};

  always @(posedge clock)
    if (reset || discard) slot_loaded <= 0;
    else if (load_valid && load_beat == LAST_BEAT) slot_loaded <= 1;
    else if (slot_take) slot_loaded <= 0;
endmodule
