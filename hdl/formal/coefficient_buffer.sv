// Proves: every bit of the slot word is that of its beat; the word is still from the cycle in which it is complete until it is taken.
// How:    induction 2
// Holds:  with beats in order into an empty buffer, which slot_loader proves; a slot is taken once it is loaded: sequencer.
`include "reset.svh"
localparam BEATS = ($bits(slot_word) + $bits(load_data) - 1) / $bits(load_data);

(* anyconst *) reg [$clog2($bits(slot_word))-1:0] f_watched;
reg [$bits(load_beat)-1:0] f_next_beat = 0;
reg f_seen = 1'b0, f_value;
wire [$clog2($bits(slot_word))-1:0] f_watched_beat = f_watched / $bits(load_data);

always @(*) begin
    assume (f_watched < $bits(slot_word) && !discard);
    if (load_valid) assume (!slot_loaded && load_beat == f_next_beat);
    if (slot_take) assume (slot_loaded);
end

always @(posedge clock) if (f_started) begin
    if (load_valid) begin
        f_next_beat <= f_next_beat == BEATS - 1 ? 0 : f_next_beat + 1'b1;
        if (f_next_beat == f_watched_beat) begin
            f_value <= load_data[f_watched % $bits(load_data)];
            f_seen <= 1'b1;
        end
    end
    if (slot_take) f_seen <= 1'b0;
    if ($past(f_started) && $past(slot_loaded && !slot_take)) assert (slot_loaded && $stable(slot_word));
    if ($past(f_started) && $past(slot_take)) assert (!slot_loaded);
end

always @(*) if (f_started) begin
    assert (f_next_beat < BEATS);
    assert (f_seen == (slot_loaded || f_next_beat > f_watched_beat));
    if (f_seen) assert (slot_word[f_watched] == f_value);
    if (slot_loaded) assert (f_next_beat == 0);
end
