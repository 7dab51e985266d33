// Proves: a psum is the exact sum of its updates, for ever: it cannot overflow while the sum of their magnitudes is below 2^31, which
//         the compiler checks for every program.
// How:    induction 3
// Holds:  for a memory that gives what was written, updates of one psum that are apart, and a drain after the last of them.
// Cut:    lower psum_bank/upper
`include "reset.svh"

// Any psum.
(* anyconst *) reg [$bits(update_address)-1:0] f_watched;
reg f_known = 1'b0;
reg signed [39:0] f_exact;
reg [39:0] f_magnitude;
reg f_just_updated = 1'b0;
wire f_update_watched = update_valid && update_address == f_watched;
wire f_half = f_watched[4];
wire f_drain_watched = bank_read && {bank_half, bank_address} == f_watched;
wire f_write_watched = write && {write_half, write_address} == f_watched;
wire signed [39:0] f_value = $signed(update_value);
wire [39:0] f_next_magnitude = (update_first ? 40'd0 : f_magnitude) + (f_value < 0 ? -f_value : f_value);

// The memory: its word at the watched address.
reg [31:0] f_word, f_word_then;
reg f_read_of_word = 1'b0;
always @(posedge clock) begin
    if (f_half ? upper_write_enable && upper_write_address == f_watched[3:0] : lower_write_enable && lower_write_address == f_watched[3:0])
        f_word <= f_half ? upper_write_data : lower_write_data;
    f_read_of_word <= f_half ? upper_read_enable && upper_read_address == f_watched[3:0]
        : lower_read_enable && lower_read_address == f_watched[3:0];
    f_word_then <= f_word;
end
always @(*) begin
    if (f_read_of_word) assume ((f_half ? upper_read_data : lower_read_data) == f_word_then);
    // The drain reads the half that no lane writes; a psum's updates are apart, and it is drained after the last one is in.
    assume (!(update_valid && bank_read && (update_address >= 5'd16) == bank_half));
    assume (!(f_just_updated && (f_update_watched || f_drain_watched)));
    if (f_update_watched) assume (f_next_magnitude < 40'h80000000 && (f_known || update_first));
end

reg f_drained = 1'b0;
always @(posedge clock) if (f_started) begin
    f_just_updated <= f_update_watched;
    f_drained <= f_drain_watched;
    if (f_update_watched) begin
        f_exact <= (update_first ? 40'sd0 : f_exact) + f_value;
        f_magnitude <= f_next_magnitude;
        f_known <= 1'b1;
    end
end

always @(*) if (f_started && f_known) begin
    if (f_drained) assert ($signed(psum) == f_exact);
    // What makes it so.
    assert (f_exact < 40'sh80000000 && f_exact > -40'sh80000000);
    assert (f_magnitude < 40'h80000000 && f_exact <= $signed(f_magnitude) && -f_exact <= $signed(f_magnitude));
    assert (f_just_updated == f_write_watched);
    if (f_just_updated) assert ($signed(updated) == f_exact);
    else assert ($signed(f_word) == f_exact);
    if (f_drained) assert ($signed(f_word_then) == f_exact && f_read_of_word && shown_half == f_half);
end
always @(*) if (f_started && !f_known) assert (!f_just_updated && !f_write_watched);
