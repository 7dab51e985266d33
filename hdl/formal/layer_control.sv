// Proves: after any error and any clear the core comes to rest: the streams are emptied, the result stream gets its one tlast, busy falls;
//         after a clear, no error is left either; and a start gives exactly one tlast. The first error stays until it is cleared.
// How:    induction 12
// Holds:  while results are taken within a few cycles; what the flush does to each module is proven with it.
`include "reset.svh"
localparam FLUSH = 34; // read latency of `tiny` and 32

// The result fifo from outside: how many results it holds, up to three, and whether the newest is the layer's last.
(* anyseq *) reg f_arrives, f_arrives_last;
reg [1:0] f_results = 2'd0;
reg f_holds_last = 1'b0;
reg [1:0] f_kept = 2'd0;
reg [5:0] f_since = 6'd0;
reg [4:0] f_at_rest_in = 5'd0;
wire f_stopped = discard;

always @(*) begin
    assume (results_empty == (f_results == 0));
    assume (result_last == (f_holds_last && f_results == 1));
    if (result_taken) assume (f_results != 0);
    if (f_arrives) assume (busy && !f_stopped && !f_holds_last && f_results < 3);
    assume (f_kept < 3);
    // The registers refuse a start while the core is stopped, and a start with a clear.
    if (start_request) assume (!discard && !flush && !clear_request);
    if (clear_request) assume (!clearing);
end

always @(posedge clock) if (f_started) begin
    f_kept <= result_taken || f_results == 0 ? 2'd0 : f_kept + 2'd1;
    // Of what is in the fifo a flush leaves the result on show.
    if (flush && f_results > 1) begin
        f_results <= 2'd1 - result_taken;
        f_holds_last <= 1'b0;
    end else begin
        f_results <= f_results - result_taken + (end_results || f_arrives);
        if (end_results || f_arrives && f_arrives_last) f_holds_last <= 1'b1;
        else if (result_taken && result_last) f_holds_last <= 1'b0;
    end
    f_since <= failed || clear_request ? 6'd0 : f_since == FLUSH ? f_since : f_since + 6'd1;
    f_at_rest_in <= f_stopped && !flush && busy ? f_at_rest_in + 5'd1 : 5'd0;
end

always @(*) if (f_started) begin
    // Nothing lasts: the flush by its timer, what follows within ten cycles.
    if (flush) assert (timer + f_since == FLUSH);
    assert (f_at_rest_in < 10);
    // One tlast for a start, the layer's own or the one that is asked for here.
    if (end_results) assert (busy && f_stopped && !f_holds_last);
    if (!busy) assert (!f_holds_last && f_results == 0);
    if (f_holds_last) assert (f_results != 0);
    if (error_code != 0) assert (f_stopped && !failed);
    if (f_stopped && !flush && !busy && error_code == 0) assert (clearing);
end
