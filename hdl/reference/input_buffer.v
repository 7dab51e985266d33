// Written by hand: the input buffer of the preset digits, to compare the emitted one with.
module input_buffer (
  input  wire        clock,
  input  wire        reset,
  // the layer
  input  wire        start,
  input  wire [31:0] positions,
  input  wire [6:0]  block_positions,
  input  wire [15:0] subvectors,
  input  wire [6:0]  rows_used,
  // activation stream
  input  wire        activation_valid,
  input  wire [63:0] activation_data,
  input  wire        activation_tlast,
  output wire        activation_ready,
  // errors: the stream's end too early or too late; a layer that is given up
  output reg         activation_early,
  output reg         activation_late,
  input  wire        flush,
  input  wire        discard,
  // from and to the sequencer
  input  wire        advance,
  input  wire        input_read,
  input  wire [5:0]  input_position,
  input  wire        bank_release,
  input  wire [2:0]  plane,
  output wire        bank_full,
  output reg  [63:0] wordlines
);
  reg        loading, load_bank, read_bank;
  reg [1:0]  full;
  reg [6:0]  row;
  reg [5:0]  position;
  reg [15:0] subvector;
  reg [63:0] row_mask;

  wire [5:0] last_position;
  wire       last_block;

  wire   ready            = loading && !full[load_bank];
  assign activation_ready = ready || discard;
  assign bank_full        = full[read_bank];

  wire beat            = activation_valid && ready;
  wire position_loaded = beat && row + 7'd8 >= rows_used;
  wire bank_loaded     = position_loaded && position == last_position;
  wire block_loaded    = bank_loaded && subvector + 16'd1 == subvectors;

  wire layer_loaded    = block_loaded && last_block;
  always @(posedge clock)
    if (reset) {activation_early, activation_late} <= 0;
    else begin
      activation_early <= beat && activation_tlast && !layer_loaded;
      activation_late  <= layer_loaded && !activation_tlast;
    end

  block_counter blocks (
    .clock(clock), .reset(reset), .start(start), .next_block(block_loaded), .positions(positions),
    .block_positions(block_positions), .last_position(last_position), .last_block(last_block)
  );

  always @(posedge clock)
    if (reset) begin
      loading   <= 0;
      load_bank <= 0;
      read_bank <= 0;
      full      <= 0;
      row       <= 0;
      position  <= 0;
      subvector <= 0;
    end else if (start) begin
      loading   <= !flush;
      load_bank <= 0;
      read_bank <= 0;
      full      <= 0;
      row       <= 0;
      position  <= 0;
      subvector <= 0;
    end else begin
      if (beat) row <= position_loaded ? 0 : row + 7'd8;
      if (position_loaded) position <= bank_loaded ? 0 : position + 6'd1;
      if (bank_loaded) begin
        subvector <= block_loaded ? 0 : subvector + 16'd1;
        load_bank <= !load_bank;
        full[load_bank] <= 1;
      end
      if (block_loaded) loading <= !last_block;
      if (bank_release) begin
        read_bank <= !read_bank;
        full[read_bank] <= 0;
      end
      if (flush) begin
        loading <= 0;
        full    <= 0;
      end
    end

  // A word holds a position's values of eight rows, plane by plane.
  wire [63:0] by_plane, plane_rows;
  genvar p, r, m;
  generate
    for (p = 0; p < 8; p = p + 1) begin : planes
      for (r = 0; r < 8; r = r + 1) begin : rows
        assign by_plane[8*p + r] = activation_data[8*r + p];
      end
    end
    for (m = 0; m < 8; m = m + 1) begin : memories
      wire [63:0] word;
      memory_128x64 memory (
        .clock(clock), .write_enable(beat && row == 8*m), .write_address({load_bank, position}), .write_data(by_plane),
        .read_enable(input_read), .read_address({read_bank, input_position}), .read_data(word)
      );
      assign plane_rows[8*m +: 8] = word[8*plane +: 8];
    end
  endgenerate

  always @(posedge clock)
    if (reset) begin
      row_mask  <= 0;
      wordlines <= 0;
    end else begin
      row_mask <= ~(64'hffff_ffff_ffff_ffff << rows_used);
      if (advance) wordlines <= plane_rows & row_mask;
    end
endmodule
