// Proves: a cell is asked for in the selected tiles alone, a verify read before every pulse; the tiles that still need a pulse get it, never more
//         than max_pulses; a cell ends only when every selected tile was accepted or reported; every wait ends while macros become ready and
//         failures are taken; without verification a cell goes to the macros once, and only when all selected are ready. For all cells.
// How:    induction 6
// Chip:   core.tiles 2
// Cut:    t:verify_compare
`include "reset.svh"
localparam READ_LATENCY = 2, TILES = $bits(cell_tiles);

(* anyconst *) reg [15:0] f_max;
reg [TILES-1:0] f_selected = 0, f_accepted = 0, f_reported = 0;
reg [16:0] f_pulses = 17'd0;
reg f_running = 1'b0, f_verified = 1'b0;
reg [2:0] f_since_verify = 3'd0;
reg [1:0] f_stalled = 2'd0, f_report_wait = 2'd0;
reg [4:0] f_quiet = 5'd0;
wire f_op_verify = program_op[2:0] == 3'd4;
wire f_any = program_valid != 0;
integer f_i;
wire f_taken = cell_valid && !programming;

always @(*) begin
    assume (max_pulses == f_max);
    assume (f_stalled < 3 && f_report_wait < 3);
    assume (cell_tiles != 0);
    // verify_compare knows erase, up and down.
    for (f_i = 0; f_i < TILES; f_i = f_i + 1) if (state == 1) assume (program_op[3 * f_i +: 3] >= 1 && program_op[3 * f_i +: 3] <= 3);
end

always @(posedge clock) if (f_started) begin
    f_stalled <= (state == 1 || state == 2 || state == 6) && !all_ready ? f_stalled + 2'd1 : 2'd0;
    f_report_wait <= failed_valid && !failure_taken ? f_report_wait + 2'd1 : 2'd0;
    f_quiet <= f_running && !f_any && !failed_valid ? f_quiet + 5'd1 : 5'd0;
    if (f_taken) begin
        f_running <= 1'b1;
        f_selected <= cell_tiles;
        f_accepted <= 0;
        f_reported <= 0;
        f_verified <= 1'b0;
        f_pulses <= 17'd0;
    end
    if (f_running && f_any && f_max != 0) begin
        f_verified <= f_op_verify;
        if (!f_op_verify) f_pulses <= f_pulses + 17'd1;
    end
    if (state == 4) f_accepted <= f_accepted | (pending & ~left);
    if (failed_valid && failure_taken) f_reported <= f_reported | ({{TILES{1'b0}}, 1'b1} << failed_tile);
    if (f_running && state_next == 0) f_running <= 1'b0;
end

always @(*) if (f_started) begin
    assert (programming == f_running);
    assert (cell_ready == (f_max != 0 ? !programming : f_any));
    // All macros that are asked are ready.
    assert ((program_valid & ~program_ready) == 0);
    if (!programming) assert (!f_any);
    if (programming && f_max == 0) assert (program_valid == ((f_selected & ~program_ready) == 0 ? f_selected : {TILES{1'b0}}));
    if (programming && f_any && f_max == 0) assert (program_op == 0);
    if (programming && f_any && f_max != 0) begin
        assert (program_valid == pending);
        // Verify reads and pulses in turn, the first and the last are verify reads.
        assert (f_op_verify == !f_verified);
        if (!f_op_verify) assert (f_pulses < f_max);
    end
    assert (f_pulses <= f_max);
    // Accepted or reported, each once.
    if (failed_valid) assert (f_selected[failed_tile] && !f_accepted[failed_tile] && !f_reported[failed_tile] && f_pulses == f_max);
    if (programming && state != 4) assert (pending == (f_selected & ~f_accepted & ~f_reported));
    if (programming && f_max != 0 && state_next == 0) assert (pending_next == 0);
    if (failed_valid) assert (state == 5 && (pending >> tile & 1));
    if (state == 5 && state_next == 0)
        assert ((f_selected & ~f_accepted & ~f_reported & ~({{TILES{1'b0}}, failed_valid && failure_taken} << tile)) == 0);
    assert (f_quiet < 16);
    // What makes it so.
    assert (state < 7);
    if (programming) assert (f_selected != 0 && pulses == f_pulses[15:0] && !f_pulses[16] && (state == 6) == (f_max == 0));
    if (state == 1) assert (pending != 0 && f_verified && f_pulses < f_max);
    if (state == 2) assert (pending != 0 && !f_verified);
    if (state == 3) assert (pending != 0 && f_verified && timer < READ_LATENCY);
    if (state == 4) assert (pending != 0 && f_verified && pending == (f_selected & ~f_accepted & ~f_reported));
    if (programming && state != 5) assert (f_reported == 0);
    if (state == 5) assert (f_verified && f_pulses == f_max && (pending & (({{TILES{1'b0}}, 1'b1} << tile) - 1)) == 0);
    if (state == 1) assert (f_quiet == READ_LATENCY + 1 + f_stalled);
    if (state == 2) assert (f_quiet == f_stalled);
    if (state == 3) assert (f_quiet + timer == 1);
    if (state == 4) assert (f_quiet == READ_LATENCY);
    if (state == 5) assert (f_quiet <= READ_LATENCY + 1 + tile + failed_valid);
    if (state == 6) assert (f_quiet == f_stalled && !f_verified && f_pulses == 0);
    if (state != 1 && state != 2 && state != 6) assert (f_stalled == 0);
end
