// Proves: where zero planes are skipped, the reads of a position are of those planes that have a one, each once, the highest first, or of
//         plane 0 alone if none has; first and last one are marked. So at every position, in every slot, for all inputs.
// How:    induction 4
// Chip:   core.skip_zero_planes 1
// Holds:  while a bank is written before it is read and not in between, as input_buffer says, and read in the order that sequencer says;
//         for blocks of equal length; for a memory that gives what was written.
// Cut:    nonzero
`include "reset.svh"

(* anyconst *) reg [$bits(input_position):0] f_length;
// The place to watch.
(* anyconst *) reg f_bank;
(* anyconst *) reg [$bits(input_position)-1:0] f_position;
reg [$bits(nonzero_planes)-1:0] f_word;
reg f_written = 1'b0, f_reading = 1'b0;
reg [1:0] f_wrote_before = 2'd0;
wire f_watched_write = nonzero_write && nonzero_bank == f_bank && nonzero_position == f_position;

// Where the reads are.
reg f_bank_now = 1'b0, f_opens = 1'b1, f_first = 1'b1;
reg [$bits(input_position)-1:0] f_now = 0;
reg [$bits(nonzero_planes)-1:0] f_rest;
wire f_here = f_bank_now == f_bank && f_now == f_position;
wire [$bits(nonzero_planes)-1:0] f_planes = f_first ? f_word : f_rest;
wire f_ends = next_last_plane && f_now == f_length - 1'b1;

// The memory: its word at the watched place, and whether its read port shows it.
reg f_shown = 1'b0, f_any_fetch = 1'b0;
reg [$bits(input_position):0] f_fetched;
reg [$bits(nonzero_planes)-1:0] f_word_then, f_data_before;
reg f_no_fetch = 1'b0;

always @(*) begin
    assume (f_length >= 1 && f_length <= 1 << $bits(input_position) && f_position < f_length);
    assume (bank_in_turn == f_bank_now && input_position == f_now && slot_opens == f_opens && slot_ends == f_ends);
    if (bank_release) assume (input_read && f_ends);
    if (input_read) assume (f_written || f_bank_now != f_bank);
    if (input_read) assume (!f_wrote_before[f_bank_now]);
    if (nonzero_write) assume (nonzero_bank != f_bank_now || !f_reading && !input_read);
    if (f_shown && !f_no_fetch) assume (nonzero_read_data == f_word_then);
    if (f_no_fetch) assume (nonzero_read_data == f_data_before);
end

always @(posedge clock) if (f_started) begin
    if (f_watched_write) begin
        f_word <= nonzero_planes == 0 ? 1'b1 : nonzero_planes;
        f_written <= 1'b1;
    end
    f_wrote_before <= nonzero_write ? 2'd1 << nonzero_bank : 2'd0;
    if (input_read) begin
        f_first <= next_last_plane;
        f_rest <= f_planes & ~(1'b1 << next_plane);
        f_opens <= f_ends;
        if (next_last_plane) f_now <= f_ends ? 0 : f_now + 1'b1;
        f_reading <= !bank_release;
        f_bank_now <= f_bank_now ^ bank_release;
    end
    f_no_fetch <= !nonzero_read_enable;
    f_data_before <= nonzero_read_data;
    if (nonzero_read_enable) begin
        f_any_fetch <= 1'b1;
        f_fetched <= nonzero_read_address;
        f_shown <= nonzero_read_address == {f_bank, f_position};
        f_word_then <= f_word;
    end
end

always @(*) if (f_started) begin
    if (input_read && f_here) begin
        assert (f_planes[next_plane] && f_planes >> next_plane == 1);
        assert (next_first_plane == f_first && next_last_plane == (f_planes == 1 << next_plane));
    end
    // What makes it so: the registers.
    assert (nonzero_write_enable == nonzero_write && nonzero_write_address == {nonzero_bank, nonzero_position});
    if (f_written) assert (f_word != 0);
    if (f_written && f_position == 0) assert (f_word == (f_bank ? first_position_1 : first_position_0));
    if (!f_opens) assert (at_first_plane == f_first && f_reading);
    if (f_opens) assert (f_first && f_now == 0);
    assert (f_now < f_length && (f_first || f_reading));
    if (f_reading && f_bank_now == f_bank) assert (f_written);
    if (f_here && !f_opens) assert (planes_left == f_planes && planes_left != 0);
    // The read port shows the position after the one in turn.
    if (f_any_fetch && f_opens) assert (f_fetched == {f_bank_now, {$bits(input_position){1'b0}}} + 1'b1);
    if (!f_opens && f_now + 1 < f_length) assert (f_any_fetch && f_fetched == {f_bank_now, f_now} + 1'b1);
    assert (f_shown == (f_any_fetch && f_fetched == {f_bank, f_position}));
    if (f_shown) assert (nonzero_read_data == f_word_then);
    if (f_shown && f_bank_now == f_bank && f_reading) assert (f_word_then == f_word);
    if (f_shown && f_bank_now == f_bank && !f_wrote_before[f_bank]) assert (f_word_then == f_word);
    if (!f_any_fetch) assert (f_opens && !f_reading);
end
