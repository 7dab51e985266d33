// Proves: blocks cut the layer without gap or overlap: block b has the positions from b * block_positions on, as many as fit or are left,
//         and the last one is marked; for all layers.
// How:    induction 2
`include "reset.svh"

(* anyconst *) reg [31:0] f_layer_positions;
(* anyconst *) reg [$bits(block_positions)-1:0] f_layer_block;
reg f_ran = 1'b0, f_finished = 1'b0;
reg [31:0] f_block_start = 32'd0;
wire [31:0] f_left_now = f_layer_positions - f_block_start;
wire [31:0] f_length_now = f_left_now < f_layer_block ? f_left_now : f_layer_block;

always @(*) begin
    assume (positions == f_layer_positions && block_positions == f_layer_block);
    assume (f_layer_positions >= 1 && f_layer_block >= 1 && f_layer_block <= 1 << $bits(last_position));
    assume (!(start && next_block));
    if (next_block) assume (f_ran && !last_block);
end

always @(posedge clock) if (f_started) begin
    if (start) begin
        f_ran <= 1'b1;
        f_block_start <= 32'd0;
    end else if (next_block) f_block_start <= f_block_start + f_layer_block;
end

always @(*) if (f_started && f_ran) begin
    assert (f_block_start < f_layer_positions);
    assert (last_position == f_length_now - 32'd1);
    assert (last_block == (f_left_now == f_length_now));
    // What makes it so.
    if (!last_block) assert (remaining == f_left_now - f_layer_block);
end
