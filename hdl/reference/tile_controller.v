// Written by hand: the tile controller of the preset digits, to compare the emitted one with.
module tile_controller (
  input  wire         clock,
  input  wire         reset,
  input  wire         slot_take,
  input  wire [440:0] slot_word,
  input  wire         code_slot_first,
  output wire         slot_last,
  output wire [63:0]  column_enable,
  output wire [63:0]  column_negative,
  output wire [191:0] column_lane,
  output wire [7:0]   item_valid,
  output wire [7:0]   item_merge,
  output wire [7:0]   item_first,
  output wire [23:0]  item_plane,
  output wire [71:0]  item_base
);
  localparam LANES = 8, ITEM = 15, COLUMNS = 64, COLUMN = 5;

  reg [COLUMNS*COLUMN-1:0] columns;
  reg [LANES*ITEM-1:0] waiting, items;

  assign slot_last = slot_word[0];

  always @(posedge clock)
    if (reset) begin
      columns <= 0;
      waiting <= 0;
      items   <= 0;
    end else begin
      if (slot_take) {columns, waiting} <= slot_word[440:1];
      if (code_slot_first) items <= waiting;
    end

  genvar c, l;
  generate
    for (c = 0; c < COLUMNS; c = c + 1) begin : column
      assign {column_lane[3*c +: 3], column_negative[c], column_enable[c]} = columns[COLUMN*c +: COLUMN];
    end
    for (l = 0; l < LANES; l = l + 1) begin : lane
      assign {item_base[9*l +: 9], item_plane[3*l +: 3], item_first[l], item_merge[l], item_valid[l]} = items[ITEM*l +: ITEM];
    end
  endgenerate
endmodule
