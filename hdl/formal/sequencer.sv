// Proves: a layer's reads go out for every (block, subvector, slot, position, plane) exactly once, in this order, with the right marks; the
//         input buffer is asked for the same; slots are taken and banks released once each, only when they are there; the psums of a
//         block do not change before the block two before has been drained; and a layer ends, as no pause lasts. For all layers.
// How:    induction 14
// Holds:  for blocks as block_counter gives them; while what the sequencer waits for comes, each within a few cycles;
//         also for the layer after one that was stopped.
// Cut:    read_blocks
`include "reset.svh"

(* anyconst *) reg [31:0] f_layer_positions;
(* anyconst *) reg [$bits(block_positions)-1:0] f_layer_block;
(* anyconst *) reg [15:0] f_layer_subvectors;
(* anyconst *) reg [$bits(top_plane)-1:0] f_layer_top;
(* anyconst *) reg f_layer_signed;

// Where in the loops the next read is; a slot says itself whether it is the subvector's last.
reg f_ran = 1'b0, f_finished = 1'b0, f_slot_was_last = 1'b0;
reg [31:0] f_block_start = 32'd0;
reg [15:0] f_subvector_now = 16'd0;
reg [$bits(input_position)-1:0] f_position_now = 0;
reg [$bits(top_plane)-1:0] f_plane_now = 0;
wire [31:0] f_left = f_layer_positions - f_block_start;
wire [31:0] f_length = f_left < f_layer_block ? f_left : f_layer_block;
wire f_slot_begins = f_position_now == 0 && f_plane_now == f_layer_top;
wire f_slot_is_last = f_slot_begins ? slot_last : f_slot_was_last;
wire f_slot_ends = f_plane_now == 0 && f_position_now == f_length - 1;
wire f_subvector_ends = f_slot_ends && f_slot_is_last;
wire f_block_ends = f_subvector_ends && f_subvector_now == f_layer_subvectors - 16'd1;
wire f_layer_ends = f_block_ends && f_left == f_length;

// What is asked of the buffer goes out two advancing cycles later: stages 1 and 2.
reg f_valid_1 = 1'b0, f_valid_2 = 1'b0;
reg f_begins_1, f_begins_2, f_block_ends_1, f_block_ends_2, f_half_1, f_half_now = 1'b0;
reg [$bits(input_position)-1:0] f_position_1, f_position_2;
reg [$bits(top_plane)-1:0] f_plane_1, f_plane_2, f_buffer_plane;
// Blocks of which all reads have gone out, and which are not drained.
reg [1:0] f_blocks_out = 2'd0;
wire f_block_goes_out = read_valid && f_block_ends_2;
reg [1:0] f_no_bank = 2'd0, f_no_slot = 2'd0, f_no_macro = 2'd0, f_no_drain = 2'd0;
reg f_loaded_before = 1'b0, f_last_before;
reg [3:0] f_quiet = 4'd0;
reg f_refused_before = 1'b0;

always @(*) begin
    assume (f_layer_positions >= 1 && f_layer_positions < 32'hfffffff0 && f_layer_subvectors >= 1);
    assume (f_layer_block >= 1 && f_layer_block <= 1 << $bits(input_position));
    assume (positions == f_layer_positions && block_positions == f_layer_block && subvectors == f_layer_subvectors);
    assume (top_plane == f_layer_top && input_signed == f_layer_signed);
    if (start) assume (!f_ran);
    if (f_ran && !f_finished) assume (read_blocks_last_position == f_length - 32'd1 && read_blocks_last_block == (f_left == f_length));
    // A loaded slot stays until it is taken.
    if (f_loaded_before) assume (slots_loaded && slot_last == f_last_before);
    // As tag_delay for a short latency; a block is drained after its last read.
    assume (slot_handed_over == (read_valid && read_slot_first));
    if (block_drained) assume (f_blocks_out != 0);
    // A refused slot stops the layer: layer_control.
    assume (flush || !f_refused_before);
    assume (!(flush && start));
    assume (f_no_bank < 2 && f_no_slot < 2 && f_no_macro < 2 && f_no_drain < 3);
end

always @(posedge clock) if (f_started) begin
    if (start) begin
        f_half_now <= 1'b0;
        f_ran <= 1'b1;
        f_plane_now <= f_layer_top;
    end
    if (input_read) begin
        f_plane_now <= f_plane_now == 0 ? f_layer_top : f_plane_now - 1'b1;
        if (f_plane_now == 0) f_position_now <= f_slot_ends ? 0 : f_position_now + 1'b1;
        f_slot_was_last <= f_slot_is_last;
        if (f_subvector_ends) f_subvector_now <= f_block_ends ? 16'd0 : f_subvector_now + 16'd1;
        if (f_block_ends) f_half_now <= !f_half_now;
        if (f_block_ends) f_block_start <= f_block_start + f_length;
        if (f_layer_ends) f_finished <= 1'b1;
    end
    if (advance) begin
        f_valid_1 <= input_read;
        f_valid_2 <= f_valid_1 && !slot_refused;
        {f_begins_1, f_block_ends_1, f_position_1, f_plane_1} <= {f_slot_begins, f_block_ends, f_position_now, f_plane_now};
        {f_begins_2, f_block_ends_2, f_position_2, f_plane_2} <= {f_begins_1, f_block_ends_1, f_position_1, f_plane_1};
        f_buffer_plane <= plane;
        f_half_1 <= f_half_now;
    end
    f_loaded_before <= slots_loaded && !slot_take;
    f_last_before <= slot_last;
    f_no_bank <= bank_full ? 2'd0 : f_no_bank + 2'd1;
    f_no_slot <= slots_loaded ? 2'd0 : f_no_slot + 2'd1;
    f_no_macro <= macros_ready ? 2'd0 : f_no_macro + 2'd1;
    f_no_drain <= block_drained || f_blocks_out == 0 ? 2'd0 : f_no_drain + 2'd1;
    f_blocks_out <= f_blocks_out + f_block_goes_out - block_drained;
    f_refused_before <= slot_refused;
    f_quiet <= read_valid || !(f_ran && !f_finished || f_valid_1 || f_valid_2) ? 4'd0 : f_quiet + 4'd1;
    if (flush) begin
        {f_ran, f_finished, f_valid_1, f_valid_2, f_loaded_before} <= 5'd0;
        {f_block_start, f_subvector_now, f_position_now, f_plane_now, f_quiet} <= 0;
        {f_no_bank, f_no_slot, f_no_macro, f_no_drain, f_blocks_out} <= 10'd0;
    end
end

always @(*) if (f_started && !flush) begin
    // The order, as it is asked of the input buffer, and that it goes out so.
    if (input_read) assert (f_ran && !f_finished && bank_full && input_position == f_position_now);
    if (input_read && f_slot_begins) assert (slots_loaded);
    assert (bank_release == (input_read && f_subvector_ends));
    // A read of a lowest plane changes psums, of the half of the block two before.
    assert (read_valid == (f_valid_2 && macros_ready && !(f_plane_2 == 0 && f_blocks_out == 2)));
    if (read_valid) begin
        assert (read_position == f_position_2 && f_buffer_plane == f_plane_2);
        assert (read_first_plane == (f_plane_2 == f_layer_top) && read_last_plane == (f_plane_2 == 0));
        assert (read_negative == (f_plane_2 == f_layer_top && f_layer_signed));
        assert (read_slot_first == f_begins_2 && read_block_last == f_block_ends_2);
    end
    assert ((slot_take || slot_refused) == (advance && f_valid_1 && f_begins_1));
    if (slot_take) assert (!slot_faulty && !slot_refused && slot_half == f_half_1);
    if (slot_take) assert (slots_loaded);
    assert (f_quiet < 12);
    // What makes it so: the registers are at the same place.
    assert (running == (f_ran && !f_finished));
    if (f_ran) assert (half == f_half_now);
    if (f_valid_1) assert (stage1_half == f_half_1);
    if (running) begin
        assert (issue_plane == f_plane_now && issue_position == f_position_now && issue_subvector == f_subvector_now);
        assert (slot_start == f_slot_begins && (f_slot_begins || last_slot == f_slot_was_last));
        assert (f_block_start < f_layer_positions && f_subvector_now < f_layer_subvectors);
        assert (f_position_now < f_length && f_plane_now <= f_layer_top);
    end
    assert (stage1_valid == f_valid_1 && stage2_valid == f_valid_2);
    if (f_valid_1) assert (stage1_slot_first == f_begins_1 && stage1_block_last == f_block_ends_1 && stage1_plane == f_plane_1);
    if (f_valid_1) assert (stage1_first_plane == (f_plane_1 == f_layer_top) && stage1_last_plane == (f_plane_1 == 0));
    if (f_valid_1) assert (stage1_negative == (f_plane_1 == f_layer_top && f_layer_signed) && stage1_position == f_position_1);
    if (f_valid_2) assert (stage2_slot_first == f_begins_2 && stage2_block_last == f_block_ends_2 && f_buffer_plane == f_plane_2);
    if (f_valid_2) assert (stage2_first_plane == (f_plane_2 == f_layer_top) && stage2_last_plane == (f_plane_2 == 0));
    if (f_valid_2) assert (stage2_negative == (f_plane_2 == f_layer_top && f_layer_signed) && stage2_position == f_position_2);
    assert (slot_waiting == (f_valid_1 && f_begins_1 || f_valid_2 && f_begins_2));
    if (f_valid_1 && f_begins_1) assert (!(f_valid_2 && f_begins_2) && f_loaded_before);
    assert (f_blocks_out == both_waiting + drain_waiting && (drain_waiting || !both_waiting));
    if (!f_ran) assert (!f_valid_1 && !f_valid_2 && !drain_waiting && !f_finished);
    if (!f_ran) assert (f_position_now == 0 && f_subvector_now == 0 && f_block_start == 0);
end
