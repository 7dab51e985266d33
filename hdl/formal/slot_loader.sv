// Proves: a beat that is taken goes to exactly one coefficient buffer, one that is empty; tiles and beats come in their order; none is
//         taken before the start or after tlast.
// How:    induction 2
// Holds:  with all tiles in use; simulation compares layers on fewer.
`include "reset.svh"
localparam BEATS = 4; // of a slot word of `tiny`

always @(*) assume (!discard && last_tile == $bits(slot_loaded) - 1 && &tiles_used);
reg f_open = 1'b0;
reg [$bits(load_beat)-1:0] f_next_beat = 0;
reg [$bits(tile)-1:0] f_next_tile = 0;
wire f_taken = slot_valid && slot_ready;
wire f_last = f_next_beat == BEATS - 1;

always @(posedge clock) if (f_started) f_open <= (f_open || start) && !(f_taken && slot_tlast);

always @(posedge clock) if (f_started && f_taken) begin
    f_next_beat <= f_last ? 0 : f_next_beat + 1'b1;
    if (f_last) f_next_tile <= f_next_tile == $bits(slot_loaded) - 1 ? 0 : f_next_tile + 1'b1;
end

always @(*) if (f_started) begin
    assert (load_valid == (f_taken ? 1'b1 << f_next_tile : 1'b0));
    assert ((load_valid & slot_loaded) == 0);
    assert (load_beat == f_next_beat);
    assert (f_next_tile == tile && f_next_tile < $bits(slot_loaded) && f_next_beat < BEATS);
    if (slot_loaded == 0) assert (slot_ready == (f_open || start));
    assert (receiving == f_open);
    if (!f_open && !start) assert (!slot_ready);
end
