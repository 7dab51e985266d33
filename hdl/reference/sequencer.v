// Written by hand: the sequencer of the preset digits, to compare the emitted one with.
module sequencer (
  input  wire        clock,
  input  wire        reset,
  // the layer
  input  wire        start,
  input  wire [31:0] positions,
  input  wire [6:0]  block_positions,
  input  wire [15:0] subvectors,
  input  wire [2:0]  top_plane,
  input  wire        input_signed,
  // what a read waits for
  input  wire        bank_full,
  input  wire        slots_loaded,
  input  wire        slot_last,
  input  wire        slot_handed_over,
  input  wire        block_drained,
  input  wire        macros_ready,
  // whether the slot's words are right; a layer that is given up
  input  wire        slot_faulty,
  input  wire        group_tlast,
  input  wire        flush,
  // the read in stage 2
  output reg         read_slot_first,
  output reg         read_block_last,
  output reg         read_last_plane,
  output reg         read_first_plane,
  output reg         read_negative,
  output reg  [5:0]  read_position,
  output wire        read_valid,
  // to input buffer and tiles
  output reg  [2:0]  plane,
  output wire        advance,
  output wire        slot_take,
  output wire        slot_refused,
  output reg         slot_half,
  output wire        input_read,
  output wire [5:0]  input_position,
  output wire        bank_release,
  // why nothing is issued
  output wire        wait_macro,
  output wire        wait_slots,
  output wire        wait_activations,
  output wire        wait_results
);
  reg        running, slot_start, last_slot, slot_waiting, drain_waiting, both_waiting, half;
  reg [2:0]  next_plane;
  reg [5:0]  position;
  reg [15:0] subvector;
  reg        valid_1, valid_2, slot_first_1, block_last_1, last_plane_1, first_plane_1, negative_1, last_of_layer_1;
  reg [5:0]  position_1;

  wire [5:0] last_position;
  wire       last_block;

  wire last_plane    = next_plane == 0;
  wire first_plane   = next_plane == top_plane;
  wire slot_end      = last_plane && position == last_position;
  wire in_last_slot  = slot_start ? slot_last : last_slot;
  wire subvector_end = slot_end && in_last_slot;
  wire last_subvector = subvector + 16'd1 == subvectors;
  wire block_end     = subvector_end && last_subvector;

  // A read of a lowest plane waits in stage 2 while both halves of the psums are to be drained.
  wire no_half = read_last_plane && both_waiting;
  wire go      = macros_ready && !no_half;
  assign advance = !valid_2 || go;
  wire no_slot = slot_start && !slots_loaded;
  wire issue   = running && advance && !no_slot && !(slot_start && slot_waiting) && bank_full;

  assign input_read       = issue;
  assign input_position   = position;
  assign bank_release     = issue && subvector_end;
  wire   slot_begins      = advance && valid_1 && slot_first_1;
  assign slot_refused     = slot_begins && (slot_faulty || group_tlast != last_of_layer_1);
  assign slot_take        = slot_begins && !slot_refused;
  assign read_valid       = valid_2 && go;
  assign wait_macro       = valid_2 && !macros_ready;
  assign wait_slots       = advance && running && no_slot;
  assign wait_activations = advance && running && !no_slot && !bank_full;
  assign wait_results     = valid_2 && macros_ready && no_half || advance && !running;

  block_counter blocks (
    .clock(clock), .reset(reset), .start(start), .next_block(issue && block_end), .positions(positions),
    .block_positions(block_positions), .last_position(last_position), .last_block(last_block)
  );

  // Stage 0: the loops.
  always @(posedge clock)
    if (reset) begin
      running       <= 0;
      slot_start    <= 0;
      last_slot     <= 0;
      next_plane    <= 0;
      position      <= 0;
      subvector     <= 0;
      slot_waiting  <= 0;
      drain_waiting <= 0;
      both_waiting  <= 0;
      half          <= 0;
    end else begin
      if (slot_handed_over) slot_waiting <= 0;
      if (issue && slot_start) slot_waiting <= 1;
      // Blocks that wait for the drain: none, one, both halves of the psums.
      case ({read_valid && read_block_last, block_drained})
        2'b10: {both_waiting, drain_waiting} <= {drain_waiting, 1'b1};
        2'b01: {both_waiting, drain_waiting} <= {1'b0, both_waiting};
        default: ;
      endcase
      if (issue && block_end) half <= !half;
      if (issue) last_slot <= in_last_slot;
      if (start) begin
        running       <= 1;
        slot_start    <= 1;
        next_plane    <= top_plane;
        position      <= 0;
        subvector     <= 0;
        {both_waiting, drain_waiting} <= 0;
        half          <= 0;
      end else if (issue) begin
        slot_start <= slot_end;
        next_plane <= last_plane ? top_plane : next_plane - 3'd1;
        if (last_plane) position <= slot_end ? 0 : position + 6'd1;
        if (subvector_end) subvector <= block_end ? 0 : subvector + 16'd1;
        if (block_end) running <= !last_block;
      end
      if (flush) begin
        running       <= 0;
        slot_waiting  <= 0;
        {both_waiting, drain_waiting} <= 0;
      end
    end

  // Stages 1 and 2.
  always @(posedge clock)
    if (reset) begin
      {valid_1, slot_first_1, block_last_1, last_plane_1, first_plane_1, negative_1, position_1, plane} <= 0;
      {slot_half, last_of_layer_1} <= 0;
      {valid_2, read_slot_first, read_block_last, read_last_plane, read_first_plane, read_negative, read_position} <= 0;
    end else if (advance) begin
      valid_1       <= issue;
      slot_first_1  <= slot_start;
      block_last_1  <= block_end;
      last_plane_1  <= last_plane;
      first_plane_1 <= first_plane;
      negative_1    <= first_plane && input_signed;
      position_1    <= position;
      plane         <= next_plane;
      slot_half     <= half;
      last_of_layer_1 <= in_last_slot && last_subvector && last_block;
      valid_2          <= valid_1 && !slot_refused;
      read_slot_first  <= slot_first_1;
      read_block_last  <= block_last_1;
      read_last_plane  <= last_plane_1;
      read_first_plane <= first_plane_1;
      read_negative    <= negative_1;
      read_position    <= position_1;
      if (flush) {valid_1, valid_2} <= 0;
    end else if (flush) {valid_1, valid_2} <= 0;
endmodule
