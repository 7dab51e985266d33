// Proves: every psum of a block is read once and in the order of the result stream, at the place that docs/hardware.md gives; the last of
//         the layer is marked; never more results are on their way than there is room for; the drain of a block ends. For all layers.
// How:    induction 8
// Holds:  for blocks as block_counter gives them; while results are taken within a few cycles;
//         also for the layer after one that was stopped.
// Cut:    drain_blocks
`include "reset.svh"
localparam LANES = 4, ROOM = 16; // of `tiny`, which has one tile

(* anyconst *) reg [31:0] f_layer_positions;
(* anyconst *) reg [$bits(block_positions)-1:0] f_layer_block;
(* anyconst *) reg [$bits(kernels)-1:0] f_layer_kernels;
reg f_ran = 1'b0, f_draining = 1'b0, f_next_waits = 1'b0, f_finished = 1'b0, f_half_now = 1'b0;
reg [31:0] f_block_start = 32'd0;
reg [$bits(position)-1:0] f_position_now = 0;
reg [$bits(kernel_group)-1:0] f_kernel_now = 0;
reg [5:0] f_on_their_way = 6'd0;
reg [2:0] f_quiet = 3'd0;
// What was chosen, up to four cycles ago: bit or element 0 one cycle ago.
reg [3:0] f_reads = 4'd0, f_lasts = 4'd0;
reg [$bits(kernel_group)-1:0] f_kernel_1, f_kernel_2, f_kernel_3;
reg [$bits(drain_address)-1:0] f_place_1;
reg f_half_1;
reg [1:0] f_stalled = 2'd0;

wire [31:0] f_left = f_layer_positions - f_block_start;
wire [31:0] f_length = f_left < f_layer_block ? f_left : f_layer_block;
wire f_reading = read;
wire f_kernel_ends = f_position_now == f_length - 1;
wire f_block_ends = f_kernel_ends && f_kernel_now == f_layer_kernels - 1;
wire f_layer_ends = f_block_ends && f_left == f_length;
wire [$bits(drain_address)-1:0] f_row = f_kernel_now / LANES * f_layer_block;
wire [$bits(drain_address)-1:0] f_place = f_row + f_position_now;

always @(*) begin
    assume (f_layer_positions >= 1 && f_layer_positions < 32'hfffffff0);
    assume (f_layer_block >= 1 && f_layer_block <= 1 << $bits(position));
    assume (f_layer_kernels >= 1 && f_layer_kernels <= 1 << $bits(kernel_group));
    assume (positions == f_layer_positions && block_positions == f_layer_block && kernels == f_layer_kernels);
    assume (last_group == 0 && last_group_size == 1);
    if (start) assume (!f_ran);
    if (f_ran && !f_finished) assume (drain_blocks_last_position == f_length - 32'd1 && drain_blocks_last_block == (f_left == f_length));
    // While a block is read, one more may be complete, if there is one.
    if (block_retired) assume (f_ran && !f_next_waits && !f_finished && !(f_draining && f_left == f_length));
    // What is left of a stopped layer is taken before the next one starts.
    if (result_taken) assume (f_on_their_way != 0 || !f_ran);
    assume (!(start && (flush || result_taken)));
    assume (f_stalled < 3);
end

always @(posedge clock) if (f_started) begin
    if (start) f_ran <= 1'b1;
    f_on_their_way <= f_ran ? f_on_their_way + f_reading - result_taken : 6'd0;
    f_stalled <= f_on_their_way == ROOM && !result_taken ? f_stalled + 2'd1 : 2'd0;
    if (block_retired) begin
        f_draining <= 1'b1;
        f_next_waits <= f_draining;
    end
    f_quiet <= f_draining && !f_reading ? f_quiet + 3'd1 : 3'd0;
    f_reads <= {f_reads[2:0], f_reading};
    f_lasts <= {f_lasts[2:0], f_reading && f_layer_ends};
    {f_kernel_3, f_kernel_2, f_kernel_1} <= {f_kernel_2, f_kernel_1, f_kernel_now};
    {f_place_1, f_half_1} <= {f_place, f_half_now};
    if (f_reading) begin
        f_position_now <= f_kernel_ends ? 0 : f_position_now + 1'b1;
        if (f_kernel_ends) f_kernel_now <= f_block_ends ? 0 : f_kernel_now + 1'b1;
        if (f_block_ends) begin
            f_draining <= f_next_waits || block_retired;
            f_next_waits <= 1'b0;
            f_half_now <= !f_half_now;
            f_block_start <= f_block_start + f_length;
            if (f_layer_ends) f_finished <= 1'b1;
        end
    end
    if (flush) begin
        {f_ran, f_draining, f_next_waits, f_finished, f_half_now} <= 5'd0;
        {f_block_start, f_position_now, f_kernel_now, f_on_their_way, f_quiet, f_stalled} <= 0;
    end
end

always @(*) if (f_started) begin
    assert (f_on_their_way <= ROOM);
    if (f_reading) assert (f_draining);
    assert (drain_read == f_reads[0]);
    if (f_reads[0]) assert (drain_lane == f_kernel_1 % LANES && drain_address == f_place_1 && drain_half == f_half_1);
    assert (block_drained == (f_reading && f_block_ends));
    assert (psum_valid == f_reads[3] && psum_last == f_lasts[3] && parameter_read == f_reads[2]);
    if (f_reads[2]) assert (parameter_kernel == f_kernel_3);
    assert (f_quiet < 7);
    // What makes it so.
    assert (busy == f_draining && next_waits == f_next_waits);
    if (f_next_waits) assert (f_draining && f_left != f_length);
    if (f_ran) begin
        assert (in_flight == f_on_their_way && row_base == f_row);
        assert (position == f_position_now && kernel_group == f_kernel_now && half == f_half_now && lane == f_kernel_now % LANES);
    end
    if (f_ran) assert (in_last_group);
    if (f_ran) assert (kernels_left == f_layer_kernels - f_kernel_now);
    assert (f_kernel_now < f_layer_kernels && (group == 0 || !f_ran));
    if (f_ran && !f_finished) assert (f_block_start < f_layer_positions && f_position_now < f_length);
    if (f_draining) assert (f_ran && !f_finished);
    if (!f_ran) assert (f_position_now == 0 && f_kernel_now == 0 && f_half_now == 0 && f_block_start == 0 && !f_finished);
    assert ({psum_valid_3, psum_valid_2, psum_valid_1} == f_reads[2:0] && {psum_last_3, psum_last_2, psum_last_1} == f_lasts[2:0]);
    assert ({parameter_read_2, parameter_read_1} == f_reads[1:0]);
    if (f_reads[0]) assert (parameter_kernel_1 == f_kernel_1);
    if (f_reads[1]) assert (parameter_kernel_2 == f_kernel_2);
end
