// Written by hand: the accumulation lane of the preset digits, to compare the emitted one with.
module accumulation_lane (
  input  wire        clock,
  input  wire        reset,
  // codes of this lane's ADC
  input  wire        code_valid,
  input  wire signed [7:0] code,
  input  wire        code_first_plane,
  input  wire        code_negative,
  // the item and the position it is for
  input  wire        term_load,
  input  wire [5:0]  term_position,
  input  wire        item_valid,
  input  wire        item_merge,
  input  wire        item_first,
  input  wire [2:0]  item_plane,
  input  wire [8:0]  item_base,
  // the next lane
  input  wire        next_merge,
  input  wire signed [18:0] next_term,
  output reg         merge,
  output reg signed [18:0] term,
  // to the psum bank
  output wire        update_valid,
  output reg         update_first,
  output reg  [8:0]  update_address,
  output wire signed [31:0] update_value,
  output wire        saturated
);
  reg signed [15:0] sum;
  reg               valid, at_end;

  wire signed [15:0] doubled = code_first_plane ? 16'sd0 : sum <<< 1;
  wire signed [15:0] addend  = code_negative ? -code : code;

  assign saturated    = at_end && item_valid;
  assign update_valid = valid && !merge;
  assign update_value = term + (next_merge ? next_term : 19'sd0);

  always @(posedge clock)
    if (reset) begin
      sum            <= 0;
      term           <= 0;
      valid          <= 0;
      at_end         <= 0;
      merge          <= 0;
      update_first   <= 0;
      update_address <= 0;
    end else begin
      if (code_valid) sum <= doubled + addend;
      at_end <= code_valid && (code == -8'sd128 || code == 8'sd127);
      valid <= term_load && item_valid;
      merge <= term_load && item_valid && item_merge;
      if (term_load) begin
        term           <= sum <<< item_plane;
        update_first   <= item_first;
        update_address <= item_base + term_position;
      end
    end
endmodule
