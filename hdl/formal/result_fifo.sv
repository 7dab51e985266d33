// Proves: results leave in the order in which they came, each once and unchanged; one that waits is held; none is kept back.
// How:    induction 3
// Holds:  while at most as many are on their way as there is room for, which drain proves; for a memory that gives what was written.
// Cut:    results
`include "reset.svh"

// Any result by its number, modulo 64.
(* anyconst *) reg [5:0] f_watched;
reg [5:0] f_came = 6'd0, f_left = 6'd0;
reg f_seen = 1'b0;
reg [64:0] f_value;
reg [1:0] f_waited = 2'd0;
wire [5:0] f_inside = f_came - f_left;
wire f_watched_comes = requantized_valid && f_came == f_watched;
wire f_watched_inside = f_watched - f_left < f_inside;

// The memory: its word at the watched result's place.
reg [64:0] f_word, f_word_then, f_data_before;
reg f_read_of_word = 1'b0, f_no_read = 1'b0;
always @(posedge clock) begin
    if (results_write_enable && results_write_address == f_watched[3:0]) f_word <= results_write_data;
    f_read_of_word <= results_read_enable && results_read_address == f_watched[3:0];
    f_no_read <= !results_read_enable;
    f_word_then <= f_word;
    f_data_before <= results_read_data;
end
always @(*) begin
    if (f_read_of_word) assume (results_read_data == f_word_then);
    if (f_no_read) assume (results_read_data == f_data_before);
    assume (f_inside + requantized_valid <= 16 && !flush && !end_results);
end

reg f_held = 1'b0;
reg [64:0] f_held_value;
always @(posedge clock) if (f_started) begin
    f_came <= f_came + requantized_valid;
    f_left <= f_left + result_taken;
    if (f_watched_comes) f_value <= {requantized_last, requantized};
    f_waited <= f_inside != 0 && !result_valid ? f_waited + 2'd1 : 2'd0;
    f_held <= result_valid && !result_ready;
    f_held_value <= {result_last, result_data};
end

always @(*) if (f_started) begin
    assert (result_taken == (result_valid && result_ready));
    if (result_valid && f_left == f_watched) assert ({result_last, result_data} == f_value);
    if (f_held) assert (result_valid && {result_last, result_data} == f_held_value);
    assert (f_waited < 2);
    // What makes it so: where results are.
    assert (f_inside == stored + shown && f_inside <= 16);
    assert (write_index == f_came[3:0] && read_index == f_left[3:0] + shown);
    if (f_watched_inside && !(shown && f_left == f_watched)) assert (f_word == f_value);
    if (shown && f_left == f_watched && f_read_of_word) assert (f_word_then == f_value);
    if (shown && f_left == f_watched && f_no_read) assert (f_data_before == f_value);
    if (shown && f_left == f_watched) assert (f_read_of_word || f_no_read);
    if (f_waited == 1) assert (shown);
end
