// Written by hand: the block counter of the preset digits, to compare the emitted one with.
module block_counter (
  input  wire        clock,
  input  wire        reset,
  input  wire        start,
  input  wire        next_block,
  input  wire [31:0] positions,
  input  wire [6:0]  block_positions,
  output reg  [5:0]  last_position,
  output reg         last_block
);
  reg [31:0] remaining;
  wire [31:0] left = start ? positions : remaining;
  wire fits = left <= block_positions;

  always @(posedge clock)
    if (reset) begin
      remaining     <= 0;
      last_position <= 0;
      last_block    <= 0;
    end else if (start || next_block) begin
      remaining     <= left - block_positions;
      last_position <= (fits ? left[5:0] : block_positions[5:0]) - 1;
      last_block    <= fits;
    end
endmodule
